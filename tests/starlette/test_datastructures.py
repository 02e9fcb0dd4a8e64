"""`State`, `Secret`, `CommaSeparatedStrings`, and the module itself (datastructures R35-R40, R86-R91)."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import weakref
from collections.abc import Sequence
from typing import Any

import pytest

from starlette import _utils, concurrency, datastructures, types
from starlette.datastructures import CommaSeparatedStrings, Secret, State

CLASSES = """
Address URL URLPath Secret CommaSeparatedStrings ImmutableMultiDict MultiDict QueryParams UploadFile FormData Headers
MutableHeaders State
"""


@pytest.mark.parametrize("name", CLASSES.split())
def test_a_class_belongs_to_the_public_module(name: str) -> None:
    assert getattr(datastructures, name).__module__ == "starlette.datastructures"


def test_what_the_module_passes_on() -> None:
    assert datastructures.run_in_threadpool is concurrency.run_in_threadpool
    assert datastructures.parse_host_header is _utils.parse_host_header
    assert datastructures.Scope is types.Scope


def test_no_optional_dependency_is_needed() -> None:
    code = (
        "import sys, starlette.datastructures; "
        "print(sorted({'jinja2', 'httpx', 'httpx2', 'python_multipart', 'itsdangerous', 'yaml'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert shown.strip() == "[]"


@pytest.mark.parametrize(
    "value",
    [
        datastructures.URL("/"),
        datastructures.URLPath("/"),
        Secret("x"),
        CommaSeparatedStrings(""),
        datastructures.MultiDict(),
        datastructures.QueryParams(),
        datastructures.FormData(),
        datastructures.Headers(),
        State(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_instances_take_attributes_and_weak_references(value: Any) -> None:
    weakref.ref(value)
    value.mark = 1
    assert value.mark == 1


# Secret


def test_a_secret_is_shown_only_as_text() -> None:
    # R35
    class Key(Secret):
        pass

    assert str(Secret("abc")) == "abc"
    assert repr(Secret("abc")) == repr(Secret("a" * 99)) == "Secret('**********')"
    assert repr(Key("")) == "Key('**********')"
    assert (bool(Secret("abc")), bool(Secret(""))) == (True, False)
    assert Secret("a") != Secret("a")
    with pytest.raises(TypeError):
        len(Secret("abc"))  # type: ignore[arg-type]


# CommaSeparatedStrings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [], id="empty"),
        pytest.param("a,,b", ["a", "b"], id="unquoted-empty-items-vanish"),
        pytest.param('"", "x"', ["", "x"], id="quoted-empty-item"),
        pytest.param('"localhost", "127.0.0.1", 0.0.0.0', ["localhost", "127.0.0.1", "0.0.0.0"], id="double-quotes"),
        pytest.param("'localhost', '127.0.0.1', 0.0.0.0", ["localhost", "127.0.0.1", "0.0.0.0"], id="single-quotes"),
        pytest.param("localhost, 127.0.0.1, 0.0.0.0", ["localhost", "127.0.0.1", "0.0.0.0"], id="no-quotes"),
        pytest.param("'a,b', c d", ["a,b", "c d"], id="protected-comma"),
        pytest.param("a\\,b, c\n", ["a,b", "c"], id="backslash"),
        pytest.param("a, c # d, e", ["a", "c"], id="D8-comment"),
    ],
)
def test_text_is_split_at_commas(text: str, expected: list[str]) -> None:
    # R37
    assert list(CommaSeparatedStrings(text)) == expected


def test_it_is_a_sequence() -> None:
    # R36
    items = CommaSeparatedStrings("a, b, a")
    assert isinstance(items, Sequence)
    assert (items[0], items[-1], items[1:], len(items), "b" in items, items.index("b")) == (
        *("a", "a"),
        *(["b", "a"], 3, True, 1),
    )


def test_an_open_quote_is_a_value_error() -> None:
    # R38
    with pytest.raises(ValueError, match="No closing quotation"):
        CommaSeparatedStrings("it's")


def test_a_sequence_is_copied() -> None:
    # R39
    source = [" a ", "b,c"]
    items = CommaSeparatedStrings(source)
    source.append("d")
    assert list(items) == [" a ", "b,c"]


def test_items_are_shown_quoted() -> None:
    # R40
    items = CommaSeparatedStrings("a, b")
    assert (repr(items), str(items)) == ("CommaSeparatedStrings(['a', 'b'])", "'a', 'b'")
    assert items != CommaSeparatedStrings("a, b")


# State


def test_a_state_keeps_its_dictionary() -> None:
    # R86
    entries: dict[str, Any] = {}
    state = State(entries)
    state.a = 1
    assert entries == {"a": 1}
    assert state._state is entries
    assert State()._state is not State()._state


def test_attributes_are_items() -> None:
    # R87
    state = State()
    state.a = 1
    state["b"] = 2
    assert (state["a"], state.b) == (1, 2)
    del state.a
    del state["b"]
    assert len(state) == 0


def test_what_is_missing() -> None:
    # R87, R88, D12
    class Kept(State):
        pass

    state = Kept()
    message = "'Kept' object has no attribute 'x'"
    with pytest.raises(AttributeError) as missing:
        _ = state.x
    assert str(missing.value) == message
    with pytest.raises(KeyError):
        _ = state["x"]
    with pytest.raises(KeyError):
        del state["x"]
    with pytest.raises(KeyError) as deleted:
        del state.x
    assert isinstance(deleted.value, AttributeError)
    assert str(deleted.value) == message


def test_a_state_is_counted_and_walked() -> None:
    # R89
    state = State({"a": 1, "b": 2})
    assert (list(state), len(state), "a" in state, "z" in state) == (["a", "b"], 2, True, False)
    assert (bool(state), bool(State())) == (True, False)


def test_the_name_of_the_dictionary_can_be_an_entry() -> None:
    # R90
    entries: dict[str, Any] = {}
    state = State(entries)
    state._state = {"x": 1}
    assert state._state is entries
    assert state["_state"] == {"x": 1}


def test_a_state_is_no_mapping() -> None:
    # R91
    assert not hasattr(State(), "keys")
    assert not hasattr(State(), "get")
    state: Any = State({"abc": 1})
    with pytest.raises(ValueError, match="sequence"):
        dict(state)
    assert State() != State()


def test_a_state_can_be_copied_and_pickled() -> None:
    # D11
    state = State({"items": [1]})
    for other in (copy.copy(state), copy.deepcopy(state), pickle.loads(pickle.dumps(state))):
        assert type(other) is State
        assert other["items"] == [1]
        other.new = 1
        assert "new" not in state
    assert copy.copy(state)["items"] is state["items"]
    assert copy.deepcopy(state)["items"] is not state["items"]


def test_a_state_without_its_dictionary_has_no_attributes() -> None:
    # D11: as unpickling makes it
    state = State.__new__(State)
    with pytest.raises(AttributeError):
        _ = state.x
