"""What a source file imports, read from its syntax tree without running it."""

from __future__ import annotations

import ast
import enum
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).parents[2] / "src"


class When(enum.Enum):
    """When an import statement takes effect."""

    LOADED = "when the module is loaded"
    CALLED = "when a function runs"
    CHECKED = "for type checkers only"


@dataclass(frozen=True)
class Import:
    """One imported module: `name` is None when the module itself is bound."""

    importer: str
    target: str
    name: str | None
    when: When
    line: int

    def __str__(self) -> str:
        what = self.target if self.name is None else f"{self.target}.{self.name}"
        return f"{self.importer}:{self.line} imports {what} {self.when.value}"


@functools.cache
def modules() -> dict[str, Path]:
    """Return every module of both packages with its file: `{"starlette.types": .../types.py}`."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@functools.cache
def imports_of(module: str) -> tuple[Import, ...]:
    """Return the imports of one module, in the order of its text."""
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    return tuple(_walk(module, tree.body, When.LOADED))


def all_imports() -> Iterator[Import]:
    """Yield the imports of every module."""
    for module in modules():
        yield from imports_of(module)


def _walk(module: str, nodes: list[ast.AST] | list[ast.stmt], when: When) -> Iterator[Import]:
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, alias.name, None, when, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            yield from _from(module, node, when)
        elif isinstance(node, ast.If) and _asks_for_type_checking(node.test):
            yield from _walk(module, node.body, When.CHECKED)
            yield from _walk(module, node.orelse, when)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inner = When.CALLED if when is When.LOADED else when
            yield from _walk(module, list(ast.iter_child_nodes(node)), inner)
        else:
            yield from _walk(module, list(ast.iter_child_nodes(node)), when)


def _from(module: str, node: ast.ImportFrom, when: When) -> Iterator[Import]:
    if node.level:
        raise ValueError(f"{module}:{node.lineno} imports relatively; write the full name")
    source = str(node.module)
    for alias in node.names:
        whole = f"{source}.{alias.name}"
        if whole in modules():
            yield Import(module, whole, None, when, node.lineno)
        else:
            yield Import(module, source, alias.name, when, node.lineno)


def _asks_for_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}
