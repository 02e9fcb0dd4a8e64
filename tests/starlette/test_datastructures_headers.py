"""`Headers` and `MutableHeaders` (datastructures R69-R85, threats T03, T25)."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette.datastructures import Headers, MutableHeaders

RAW = [(b"a", b"123"), (b"a", b"456"), (b"b", b"789")]
BOTH: list[Any] = [Headers, MutableHeaders]
both = pytest.mark.parametrize("cls", BOTH)


# Construction


@both
@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"headers": {}, "raw": []}, 'Cannot set both "headers" and "raw".'),
        ({"headers": {}, "scope": {}}, 'Cannot set both "headers" and "scope".'),
        ({"raw": [], "scope": {}}, 'Cannot set both "raw" and "scope".'),
    ],
)
def test_two_sources_are_an_assertion_error(cls: Any, keys: dict[str, Any], message: str) -> None:
    # R69
    with pytest.raises(AssertionError) as caught:
        cls(**keys)
    assert str(caught.value) == message
    assert cls().raw == []


@both
def test_a_mapping_is_encoded(cls: Any) -> None:
    # R70
    assert cls({"A": "1", "a": "2", "B": "ä"}).raw == [(b"a", b"1"), (b"a", b"2"), (b"b", b"\xe4")]
    assert cls(Headers(raw=RAW)).raw == RAW
    with pytest.raises(UnicodeEncodeError):
        cls({"a": "中"})
    with pytest.raises(UnicodeEncodeError):
        cls({"中": "a"})
    with pytest.raises(AttributeError):
        cls({"a": 1})


@both
def test_a_raw_list_is_shared(cls: Any) -> None:
    # R71
    raw = [(b"A", b"1"), (b"b", b"2")]
    headers = cls(raw=raw)
    assert headers._list is raw
    assert ("a" in headers, "A" in headers, headers.get("a")) == (False, False, None)
    raw.append((b"c", b"3"))
    assert headers["c"] == "3"


@both
def test_the_list_of_a_scope_is_replaced_and_shared(cls: Any) -> None:
    # R72
    given_headers = ((b"a", b"1"),)
    scope: dict[str, Any] = {"headers": given_headers}
    first = cls(scope=scope)
    assert first._list is scope["headers"]
    assert isinstance(scope["headers"], list)
    second = MutableHeaders(scope=scope)
    second["a"] = "2"
    assert scope["headers"] == [(b"a", b"2")]
    assert first["a"] == "1"
    with pytest.raises(KeyError):
        cls(scope={})


def test_a_field_appended_to_the_list_is_one_of_the_scope() -> None:
    # The private list that middlewares append to.
    scope: dict[str, Any] = {"headers": []}
    Headers(scope=scope)._list.append((b"x-id", b"1"))
    assert Headers(scope=scope)["X-Id"] == "1"


# Reading


@both
def test_lookups_ignore_case_and_give_the_first_value(cls: Any) -> None:
    # R73
    headers = cls(raw=RAW)
    assert (headers["A"], headers["a"], headers.get("A"), headers.get("z"), headers.get("z", 5)) == (
        *["123"] * 3,
        None,
        5,
    )
    assert ("A" in headers, "z" in headers) == (True, False)
    assert (headers.getlist("A"), headers.getlist("z")) == (["123", "456"], [])
    with pytest.raises(KeyError) as caught:
        headers["Zed"]
    assert caught.value.args == ("Zed",)


@both
def test_lists_have_an_entry_for_each_field(cls: Any) -> None:
    # R74
    headers = cls(raw=RAW)
    assert headers.keys() == list(headers) == ["a", "a", "b"]
    assert headers.values() == ["123", "456", "789"]
    assert headers.items() == [("a", "123"), ("a", "456"), ("b", "789")]
    assert len(headers) == 3
    assert dict(headers) == {"a": "123", "b": "789"}
    assert isinstance(headers, Mapping)
    assert Headers(raw=[(b"a", b"\xe4")]).values() == ["ä"]


@both
@pytest.mark.parametrize("key", ["中", b"a", 1, None, [], ("a",)])
def test_a_key_that_no_field_can_have_is_absent(cls: Any, key: Any) -> None:
    # D9
    headers = cls(raw=RAW.copy())
    assert (headers.get(key), headers.get(key, 5), key in headers, headers.getlist(key)) == (None, 5, False, [])
    with pytest.raises(KeyError):
        headers[key]


def test_raw_is_a_copy_only_where_it_cannot_be_changed() -> None:
    # R75, R81
    headers, mutable = Headers(raw=RAW), MutableHeaders(raw=RAW.copy())
    assert headers.raw == RAW
    assert headers.raw is not headers.raw
    assert mutable.raw is mutable.raw is mutable._list
    mutable.raw.append((b"c", b"1"))
    mutable.raw.extend([(b"d", b"2")])
    assert (mutable["c"], mutable["D"]) == ("1", "2")


@both
def test_equality_ignores_order(cls: Any) -> None:
    # R76
    for other in BOTH:
        assert cls(raw=RAW) == other(raw=RAW)
        assert cls(raw=RAW) == other(raw=RAW[::-1])
        assert cls(raw=RAW) != other(raw=RAW[:2])
        assert cls(raw=[*RAW, RAW[0]]) != other(raw=[*RAW, RAW[2]])
    assert cls(raw=[[b"a", b"1"]]) == cls({"a": "1"})
    assert cls({"a": "1"}) != {"a": "1"}
    with pytest.raises(TypeError):
        hash(cls())


def test_repr_is_a_mapping_unless_a_name_repeats() -> None:
    # R77
    assert repr(Headers({"a": "123", "b": "789"})) == "Headers({'a': '123', 'b': '789'})"
    assert repr(Headers(raw=RAW)) == f"Headers(raw={RAW!r})"
    assert repr(MutableHeaders()) == "MutableHeaders({})"


@both
def test_a_mutable_copy_is_independent(cls: Any) -> None:
    # R78
    headers = cls(raw=RAW.copy())
    other = headers.mutablecopy()
    other["a"] = "x"
    assert type(other) is MutableHeaders
    assert (headers.raw, other.raw) == (RAW, [(b"a", b"x"), (b"b", b"789")])


def test_headers_cannot_be_merged() -> None:
    # R79
    with pytest.raises(TypeError):
        Headers() | {}  # type: ignore[operator]


@both
def test_it_can_be_copied_and_pickled(cls: Any) -> None:
    headers = cls(raw=RAW)
    for other in (copy.copy(headers), copy.deepcopy(headers), pickle.loads(pickle.dumps(headers))):
        assert type(other) is cls
        assert other == headers


@both
def test_get_follows_a_subclass_with_another_lookup(cls: Any) -> None:
    class Shouting(cls):  # type: ignore[misc]
        def __getitem__(self, key: str) -> str:
            return str(super().__getitem__(key).upper())

    class Whispering(Shouting):
        def get(self, key: str, default: Any = None) -> Any:
            return "whisper"

    assert Shouting({"a": "x"}).get("a") == "X"
    assert Shouting({"a": "x"}).get("b", "d") == "d"
    assert Whispering({"a": "x"}).get("a") == "whisper"


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.binary(max_size=4), st.binary(max_size=4)), max_size=6), st.text(max_size=3))
def test_no_field_and_no_key_makes_reading_fail(raw: list[tuple[bytes, bytes]], key: str) -> None:
    headers = Headers(raw=raw)
    assert len(headers) == len(headers.items()) == len(headers.keys()) == len(headers.values())
    assert (headers.get(key) is not None) is (key in headers) is bool(headers.getlist(key))
    assert headers == Headers(raw=raw[::-1])
    assert repr(headers)
    first: dict[str, str] = {}
    for name, value in headers.items():
        first.setdefault(name, value)
    assert {name: headers.get(name) for name in headers if name == name.lower()} == {
        name: value for name, value in first.items() if name == name.lower()
    }


# Long lists (T25): an index takes over, and must not be seen.

LONG = [(b"n%d" % (number % 150), b"v%d" % number) for number in range(300)]


def naive(fields: list[tuple[bytes, bytes]]) -> dict[str, str]:
    first: dict[str, str] = {}
    for name, value in fields:
        first.setdefault(name.decode(), value.decode())
    return first


@both
def test_a_long_list_gives_first_values_too(cls: Any) -> None:
    # T25, R73
    headers = cls(raw=LONG.copy())
    assert (headers["N3"], headers.get("N3"), "N3" in headers) == ("v3", "v3", True)
    assert dict(headers) == naive(LONG)
    with pytest.raises(KeyError) as caught:
        headers["Other"]
    assert caught.value.args == ("Other",)


def drop_first(headers: MutableHeaders) -> None:
    del headers.raw[0]


def swap_ends(headers: MutableHeaders) -> None:
    headers.raw[0], headers.raw[-1] = headers.raw[-1], headers.raw[0]


def rename_in_place(headers: MutableHeaders) -> None:
    headers.raw[5] = (b"new", b"value")


def delete_and_append(headers: MutableHeaders) -> None:
    del headers["n0"]
    for number in range(2):
        headers.append("late", str(number))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda headers: headers.__setitem__("n7", "x"), id="set"),
        pytest.param(lambda headers: headers.append("n7", "x"), id="append"),
        pytest.param(drop_first, id="drop-first"),
        pytest.param(swap_ends, id="swap-ends"),
        pytest.param(rename_in_place, id="rename-in-place"),
        pytest.param(delete_and_append, id="same-length"),
    ],
)
def test_a_change_is_seen_after_lookups_in_a_long_list(change: Callable[[MutableHeaders], None]) -> None:
    # T25: the index must not outlive what it was made from.
    headers = MutableHeaders(raw=LONG.copy())
    assert dict(headers) == naive(LONG)
    change(headers)
    assert {name: headers[name] for name in headers} == naive(headers.raw)


@pytest.mark.parametrize("cls", BOTH)
def test_the_steps_of_reading_all_fields_grow_with_their_number(cls: Any) -> None:
    # T25: counted comparisons of names, not seconds.
    class Name(bytes):
        compared = 0

        def __eq__(self, other: object) -> bool:
            Name.compared += 1
            return bytes.__eq__(self, other)

        __hash__ = bytes.__hash__

    def steps(count: int) -> int:
        headers = cls(raw=[(Name(b"n%d" % number), b"") for number in range(count)])
        Name.compared = 0
        assert len(dict(headers)) == count
        return Name.compared

    assert steps(2000) <= 2 * steps(1000) + 100


# Changing


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(lambda h: h.__setitem__("B", "x"), [*RAW[:2], (b"b", b"x")], id="R80-in-place"),
        pytest.param(lambda h: h.__setitem__("A", "x"), [(b"a", b"x"), RAW[2]], id="R80-others-go"),
        pytest.param(lambda h: h.__setitem__("C", "x"), [*RAW, (b"c", b"x")], id="R80-new"),
        pytest.param(lambda h: h.__delitem__("A"), RAW[2:], id="R80-delete-all"),
        pytest.param(lambda h: h.__delitem__("z"), RAW, id="R80-delete-missing"),
        pytest.param(lambda h: h.__delitem__("中"), RAW, id="D9-delete-impossible"),
        pytest.param(lambda h: h.append("A", "x"), [*RAW, (b"a", b"x")], id="R82-append"),
        pytest.param(lambda h: h.update({"A": "x", "c": "y"}), [(b"a", b"x"), RAW[2], (b"c", b"y")], id="R82-update"),
        pytest.param(lambda h: h.update(Headers(raw=RAW)), [(b"a", b"456"), RAW[2]], id="R82-update-repeats"),
    ],
)
def test_headers_can_be_changed_in_place(
    change: Callable[[MutableHeaders], Any], expected: list[tuple[bytes, bytes]]
) -> None:
    raw = RAW.copy()
    change(MutableHeaders(raw=raw))
    assert raw == expected


def test_setdefault_returns_what_is_there() -> None:
    # R82
    headers = MutableHeaders(raw=RAW.copy())
    assert headers.setdefault("A", "x") == "123"
    assert headers.raw == RAW
    assert headers.setdefault("C", "x") == "x"
    assert headers.raw == [*RAW, (b"c", b"x")]


def test_merging() -> None:
    # R83
    headers = MutableHeaders({"a": "1"})
    same = headers
    merged = headers | {"A": "3", "b": "4"}
    assert type(merged) is MutableHeaders
    assert (dict(merged), dict(headers)) == ({"a": "3", "b": "4"}, {"a": "1"})
    headers |= {"c": "5"}
    assert headers is same
    assert dict(headers) == {"a": "1", "c": "5"}


@pytest.mark.parametrize("operand", [[], None, "a"])
def test_merging_wants_a_mapping(operand: Any) -> None:
    # R83
    headers = MutableHeaders()
    message = f"Expected a mapping but got {type(operand).__name__}"
    with pytest.raises(TypeError, match=message):
        _ = headers | operand
    with pytest.raises(TypeError, match=message):
        headers |= operand
    with pytest.raises(TypeError):
        {} | headers  # type: ignore[operator]


def test_vary_collects_everything_in_one_field() -> None:
    # R84
    headers = MutableHeaders(raw=[(b"vary", b"a"), (b"b", b"c"), (b"vary", b"d, e")])
    headers.add_vary_header("x")
    headers.add_vary_header("x")
    assert headers.raw == [(b"vary", b"a, d, e, x, x"), (b"b", b"c")]
    headers = MutableHeaders()
    headers.add_vary_header("Cookie")
    assert headers.raw == [(b"vary", b"Cookie")]


@pytest.mark.parametrize("name", ["pop", "popitem", "clear"])
def test_there_is_no(name: str) -> None:
    # R85
    assert not hasattr(MutableHeaders, name)


SETTERS: dict[str, Callable[[MutableHeaders, str, str], Any]] = {
    "set": lambda headers, name, value: headers.__setitem__(name, value),
    "append": lambda headers, name, value: headers.append(name, value),
    "setdefault": lambda headers, name, value: headers.setdefault(name, value),
    "update": lambda headers, name, value: headers.update({name: value}),
    "update-many": lambda headers, name, value: headers.update({f"x{n}": "" for n in range(100)} | {name: value}),
    "merge": lambda headers, name, value: headers | {name: value},
    "merge-in-place": lambda headers, name, value: headers.__ior__({name: value}),
    "vary": lambda headers, name, value: headers.add_vary_header(name + value),
    "init": lambda headers, name, value: MutableHeaders({name: value}),
}


@pytest.mark.parametrize("setter", SETTERS)
@pytest.mark.parametrize("character", ["\r", "\n", "\0"])
def test_no_way_of_setting_lets_a_response_be_split(setter: str, character: str) -> None:
    # T03
    for name, value in [(f"n{character}x", "v"), ("n", f"v{character}x: y")]:
        headers = MutableHeaders({"a": "1"})
        with pytest.raises(ValueError, match="CR, LF or NUL"):
            SETTERS[setter](headers, name, value)
        assert not any(octet in part for field in headers.raw for part in field for octet in (0, 10, 13))


@pytest.mark.parametrize("setter", SETTERS)
def test_a_value_outside_of_latin_1_is_an_encoding_error(setter: str) -> None:
    # T03, R70
    headers = MutableHeaders()
    with pytest.raises(UnicodeEncodeError):
        SETTERS[setter](headers, "n", "中")
    assert not headers.get("n")


def test_a_long_update_does_what_single_steps_do() -> None:
    # T25, R82
    source = Headers(raw=LONG)
    fast, slow = (MutableHeaders(raw=[(b"n3", b"a"), (b"x", b"b"), (b"n3", b"c"), (b"n1", b"d")]) for _ in range(2))
    shared = fast.raw
    fast.update(source)
    for name, value in source.items():
        slow[name] = value
    assert fast.raw == slow.raw
    assert fast.raw is shared


# Seams


@pytest.mark.parametrize("name", ["__getitem__", "get", "keys"])
def test_lookups_may_be_replaced_on_the_class(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original: Callable[..., Any] = getattr(Headers, name)
    seen: list[tuple[Any, ...]] = []

    def recording(self: Headers, *args: Any) -> Any:
        seen.append(args)
        return original(self, *args)

    monkeypatch.setattr(Headers, name, recording)
    headers = MutableHeaders(raw=RAW)
    calls: dict[str, Callable[[], Any]] = {
        "__getitem__": lambda: headers["a"],
        "get": lambda: headers.get("a"),
        "keys": lambda: headers.keys(),
    }
    assert calls[name]() in ("123", ["a", "a", "b"])
    assert len(seen) == 1


@pytest.mark.parametrize("count", [1, 100])
def test_setting_may_be_replaced_on_the_class_and_update_goes_through_it(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = MutableHeaders.__setitem__
    seen: list[str] = []

    def recording(self: MutableHeaders, key: str, value: str) -> None:
        seen.append(key)
        original(self, key, value)

    monkeypatch.setattr(MutableHeaders, "__setitem__", recording)
    headers = MutableHeaders()
    headers.update({f"n{number}": "v" for number in range(count)})
    assert (len(seen), len(headers)) == (count, count)
