"""The packages were installed beside our distribution, and import it."""

from __future__ import annotations

import importlib.metadata
import tomllib
from pathlib import Path

import pytest

import starlette
from tests.downstream.support import package

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["fastapi", "mcp", "sse_starlette", "starlette_admin", "strawberry"])
def test_our_distribution_stays_in_place(name: str) -> None:
    package(name)
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert importlib.metadata.version("starlette") == wanted
    assert Path(str(starlette.__file__)).is_relative_to(ROOT / "src")
