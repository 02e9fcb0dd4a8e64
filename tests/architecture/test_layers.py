"""Imports point one way. The order and its exceptions are tables in `layers.py`."""

from __future__ import annotations

import sys

import pytest

from tests.architecture.imports import Import, When, all_imports, modules
from tests.architecture.layers import DEPENDENCIES, INDEPENDENT, LATE, LOOKED_UP, OPTIONAL, ORDER, TYPES_ONLY

OURS = ("starlette", "asterism")


def entry_of(module: str) -> str | None:
    """Return the entry of `ORDER` that `module` falls under, or None."""
    if module in ORDER:
        return module
    while module:
        if f"{module}.*" in ORDER:
            return f"{module}.*"
        module = module.rpartition(".")[0]
    return None


def fits(found: Import) -> bool:
    """Tell whether an import between our modules follows the order."""
    # A package and its `__init__` hold nothing that its modules would need: `from starlette._http import x` is `x`.
    importer, target = entry_of(found.importer), entry_of(found.target)
    if importer is None or target is None:
        return False
    if importer == target:
        return importer not in INDEPENDENT
    return ORDER.index(target) < ORDER.index(importer)


def is_ours(module: str) -> bool:
    return module.partition(".")[0] in OURS


@pytest.mark.parametrize("module", sorted(modules()))
def test_every_module_has_a_place_in_the_order(module: str) -> None:
    assert entry_of(module), f"add {module} to ORDER in tests/architecture/layers.py, where its imports fit"


@pytest.mark.parametrize("module", sorted(modules()))
def test_a_module_imports_only_from_those_before_it(module: str) -> None:
    wrong = [
        str(found)
        for found in all_imports()
        if found.importer == module
        and is_ours(found.target)
        and found.when is When.LOADED
        and not fits(found)
        and not (found.name is None and (module, found.target) in LOOKED_UP)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("when", "table"),
    [
        pytest.param(When.LOADED, LOOKED_UP, id="looked-up"),
        pytest.param(When.CALLED, LATE, id="late"),
        pytest.param(When.CHECKED, TYPES_ONLY, id="types-only"),
    ],
)
def test_an_import_against_the_order_is_listed_with_its_reason(when: When, table: dict[tuple[str, str], str]) -> None:
    against = {
        (found.importer, found.target): str(found)
        for found in all_imports()
        if is_ours(found.target) and found.when is when and not fits(found)
    }
    assert [text for pair, text in against.items() if pair not in table] == []
    assert [pair for pair in table if pair not in against and pair[0] in modules()] == [], "listed but not needed"
    assert all(table.values())


def test_the_batteries_use_public_names_only() -> None:
    private = [
        str(found)
        for found in all_imports()
        if found.importer.partition(".")[0] == "asterism"
        and found.target.partition(".")[0] == "starlette"
        and any(part.startswith("_") for part in [*found.target.split("."), found.name or ""])
    ]
    assert private == []


def test_the_framework_does_not_know_the_batteries() -> None:
    known = [
        str(found)
        for found in all_imports()
        if found.importer.partition(".")[0] == "starlette" and found.target.partition(".")[0] == "asterism"
    ]
    assert known == []


def test_optional_libraries_come_in_late() -> None:
    # Also the rule behind it: without an extra installed, everything that does not need it can be imported.
    early = [
        str(found)
        for found in all_imports()
        if found.when is When.LOADED
        and (library := found.target.partition(".")[0]) not in {*OURS, *DEPENDENCIES, *sys.stdlib_module_names}
        and library not in OPTIONAL.get(found.importer, ())
    ]
    assert early == []


def test_pure_modules_neither_wait_nor_read() -> None:
    """`_http` and `_routing` hold functions of values: no event loop, no threads, no files, no sockets."""
    plumbing = {"anyio", "asyncio", "trio", "threading", "socket", "tempfile", "io", "concurrent"}
    wrong = [
        str(found)
        for found in all_imports()
        if found.importer.startswith(("starlette._http", "starlette._routing"))
        and found.target.partition(".")[0] in plumbing
        and found.when is not When.CHECKED
    ]
    assert wrong == []
