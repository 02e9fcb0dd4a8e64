"""Small programs, one a file, and the showcase: a whole application in a package."""
