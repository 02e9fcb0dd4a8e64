"""The API of earlier releases, beside today's: what programs written for 0.12 to 0.52 call."""
