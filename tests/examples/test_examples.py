"""Each small program of `examples/` proves itself, and stays small."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from starlette.testclient import TestClient

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAMS = sorted(path.stem for path in EXAMPLES.glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_example_proves_itself(name: str, backend: Any) -> None:
    module = import_module(f"examples.{name}")
    check: Callable[[TestClient], None] = module.check
    client = TestClient(module.app, backend=backend)
    # An application without a framework may have none; servers then go on without.
    with client if getattr(module, "has_lifespan", True) else nullcontext():
        check(client)


@pytest.mark.parametrize("name", PROGRAMS)
def test_example_tells_how_to_run_it_in_less_than_80_lines(name: str) -> None:
    text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 80
    assert f"Run: `uvicorn examples.{name}:app" in text.splitlines()[0]
