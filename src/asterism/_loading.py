"""Importing an application by its name, `module:app`, with errors that say what to change."""

from __future__ import annotations

import difflib
import importlib
import inspect
import sys
import traceback
from pathlib import Path
from typing import Any


class LoadingError(Exception):
    """The application cannot be had; the message says why.

    Attributes:
        trace: The traceback of what its own code raised; empty when none of it ran.
    """

    def __init__(self, message: str, trace: str = "") -> None:
        self.trace = trace
        super().__init__(message)


def load(name: str, directory: Path, *, factory: bool = False) -> Any:
    """Return what `module:attribute` names; the attribute may have dots.

    Args:
        name: The name: `"main:app"`.
        directory: Where modules are looked for first.
        factory: Whether it is a function to be called for the application.

    Raises:
        LoadingError: There is no such module or attribute, or its code raised something.
    """
    module_name, colon, attribute = name.partition(":")
    if not colon or not module_name or not attribute:
        raise LoadingError(f"{name!r} does not name an application: write MODULE:APP, such as main:app")
    if not directory.is_dir():
        raise LoadingError(f"--app-dir {directory} is not a directory")
    sys.path.insert(0, str(directory.resolve()))
    found = _attribute(_module(module_name, directory), module_name, attribute)
    if factory:
        return _made(found, name)
    if inspect.isfunction(found):
        raise LoadingError(f"{name} is a function; if it returns the application, add --factory")
    return found


def _module(name: str, directory: Path) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        if exc.name is not None and (name == exc.name or name.startswith(f"{exc.name}.")):
            where = directory.resolve()
            raise LoadingError(f"there is no module {exc.name!r} in {where}; --app-dir names another place") from None
        raise LoadingError(f"importing {name} failed: {_said(exc)}", _trace(exc)) from exc
    except Exception as exc:
        raise LoadingError(f"importing {name} failed: {_said(exc)}", _trace(exc)) from exc


def _attribute(module: Any, module_name: str, path: str) -> Any:
    found = module
    for step in path.split("."):
        try:
            found = getattr(found, step)
        except AttributeError:
            near = difflib.get_close_matches(step, [name for name in dir(found) if not name.startswith("_")], n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise LoadingError(f"{module_name} has no {path!r}{hint}") from None
    return found


def _made(factory: Any, name: str) -> Any:
    if not callable(factory):
        raise LoadingError(f"{name} is no function; leave --factory away")
    try:
        return factory()
    except Exception as exc:
        raise LoadingError(f"{name}() failed: {_said(exc)}", _trace(exc)) from exc


def _said(exc: BaseException) -> str:
    return f"{type(exc).__name__}: {exc}"


def _trace(exc: BaseException) -> str:
    """Return the traceback from where their code begins."""
    trace = exc.__traceback__
    while trace is not None and _is_plumbing(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(exc), exc, trace))


def _is_plumbing(filename: str) -> bool:
    return filename in {__file__, importlib.__file__} or filename.startswith("<frozen importlib")
