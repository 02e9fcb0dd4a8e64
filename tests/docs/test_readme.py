"""What the README says of the state of the project is so."""

from __future__ import annotations

import re
import tomllib
from importlib.util import find_spec

from tests.docs.pages import ROOT


def missing_modules() -> list[str]:
    """Return the modules that the README lists under what the project does not do yet."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    _, _, section = text.partition("## What it does not do yet")
    listed = re.findall(r"^- (`starlette\..*)$", section.partition("\n## ")[0], re.MULTILINE)
    return [name for line in listed for name in re.findall(r"`([^`]+)`", line)]


def test_modules_that_are_called_missing_are_missing() -> None:
    landed = [name for name in missing_modules() if find_spec(name) is not None]
    assert landed == [], "these modules are there: take them off the list in README.md"


def test_readme_names_the_version() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert f"version `{settings['project']['version']}`" in (ROOT / "README.md").read_text(encoding="utf-8")
