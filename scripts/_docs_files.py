"""Fetch the files of the pages of `asterism.openapi` from npm into a folder, as `_graphiql.py` does for GraphiQL.

Argument: the folder. Run as `python -m scripts._docs_files`. Whoever can reach the public host of the files has
`asterism docs-files` for this.
"""

from __future__ import annotations

import pathlib
import sys

from asterism.openapi._pages import PAGES
from scripts._graphiql import fetch

if __name__ == "__main__":
    files = [asset for page in PAGES.values() for asset in page.assets]
    sys.exit(fetch("Swagger UI and Scalar", files, pathlib.Path(sys.argv[1]), "asterism/openapi/_pages.py"))
