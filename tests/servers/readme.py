"""The program of the README, as its reader saves it."""

from __future__ import annotations

import re

from tests.servers.support import ROOT

_PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def first_program() -> str:
    """Return the first `python` block of README.md, which the text tells to save as `main.py`."""
    match = _PYTHON_BLOCK.search((ROOT / "README.md").read_text(encoding="utf-8"))
    if match is None:
        raise AssertionError("README.md has no python block")
    return match.group(1)
