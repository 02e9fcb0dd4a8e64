"""Figures on disk: what was measured is kept as JSON, and the page is made from that."""

from __future__ import annotations

import json
import platform
import time
from typing import Any, Final

from benchmarks.environments import ROOT

FOLDER: Final = ROOT / "benchmarks" / "results"


def save(name: str, figures: dict[str, Any]) -> None:
    """Keep the figures of one command, with the day and the interpreter."""
    FOLDER.mkdir(exist_ok=True)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    about = {"day": time.strftime("%Y-%m-%d"), "python": python, "system": platform.system()}
    text = json.dumps(about | figures, indent=1, ensure_ascii=False)
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def load(name: str) -> dict[str, Any] | None:
    """Return what was kept; None when nothing was."""
    path = FOLDER / f"{name}.json"
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
