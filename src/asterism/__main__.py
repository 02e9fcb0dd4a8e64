"""`python -m asterism` is the command `asterism`."""

from __future__ import annotations

import sys

from asterism._cli import main

if __name__ == "__main__":
    sys.exit(main())
