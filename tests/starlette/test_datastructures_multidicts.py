"""`ImmutableMultiDict`, `MultiDict` and `QueryParams` (datastructures R41-R58)."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette.datastructures import FormData, Headers, ImmutableMultiDict, MultiDict, QueryParams

PAIRS = [("a", "1"), ("b", "2"), ("a", "3")]
MULTIDICTS: list[type[ImmutableMultiDict[Any, Any]]] = [ImmutableMultiDict, MultiDict, QueryParams, FormData]
every_multidict = pytest.mark.parametrize("cls", MULTIDICTS)


def pairs_of(multidict: Any) -> list[tuple[Any, Any]]:
    """Return the pairs, after making sure that the dictionary belongs to them."""
    pairs: list[tuple[Any, Any]] = multidict.multi_items()
    assert dict(multidict.items()) == dict(pairs)
    return pairs


@every_multidict
@pytest.mark.parametrize(
    ("make", "expected"),
    [
        pytest.param(lambda: ((), {}), [], id="nothing"),
        pytest.param(lambda: ((None,), {}), [], id="none"),
        pytest.param(lambda: ((PAIRS,), {}), PAIRS, id="list"),
        pytest.param(lambda: (((pair for pair in PAIRS),), {}), PAIRS, id="generator"),
        pytest.param(lambda: (({"a": "1"},), {"b": "2"}), PAIRS[:2], id="mapping-and-keywords"),
        pytest.param(lambda: (([("a", "1")],), {"a": "2"}), [("a", "1"), ("a", "2")], id="keywords-do-not-replace"),
        pytest.param(lambda: ((MultiDict(PAIRS),), {}), PAIRS, id="multidict"),
        pytest.param(lambda: ((Headers(raw=[(b"a", b"1"), (b"a", b"2")]),), {}), [("a", "1"), ("a", "2")], id="fields"),
    ],
)
def test_what_it_is_made_of(
    cls: Callable[..., ImmutableMultiDict[Any, Any]],
    make: Callable[[], tuple[tuple[Any, ...], dict[str, Any]]],
    expected: list[tuple[str, str]],
) -> None:
    # R41, R54, R67
    args, kwargs = make()
    assert pairs_of(cls(*args, **kwargs)) == expected


@every_multidict
def test_two_positional_arguments_are_an_assertion_error(cls: Any) -> None:
    # R41
    with pytest.raises(AssertionError) as caught:
        cls({}, {})
    assert str(caught.value) == "Too many arguments."


@every_multidict
def test_the_source_is_copied(cls: Any) -> None:
    # R42
    source = list(PAIRS)
    multidict = cls(source)
    source.append(("c", "4"))
    multidict.multi_items().append(("c", "4"))
    assert pairs_of(multidict) == PAIRS
    assert multidict._list == PAIRS
    assert multidict._dict == {"a": "3", "b": "2"}


def test_keys_may_be_any_hashable() -> None:
    # R42
    multidict = ImmutableMultiDict([(1, "a"), (("x", 2), "b"), (None, "c")])
    assert (multidict[1], multidict[("x", 2)], multidict[None]) == ("a", "b", "c")


@every_multidict
def test_as_a_mapping_it_has_the_last_values(cls: Any) -> None:
    # R43, R44, R47
    multidict = cls(PAIRS)
    assert issubclass(cls, Mapping)
    assert not issubclass(cls, dict)
    assert (multidict["a"], multidict.get("a"), multidict.get("z"), multidict.get("z", "d")) == ("3", "3", None, "d")
    assert ("a" in multidict, "A" in multidict, len(multidict)) == (True, False, 2)
    assert (list(multidict), list(multidict.keys())) == (["a", "b"], ["a", "b"])
    assert (list(multidict.values()), list(multidict.items())) == (["3", "2"], [("a", "3"), ("b", "2")])
    assert (multidict.getlist("a"), multidict.getlist("z")) == (["1", "3"], [])
    assert dict(multidict) == {"a": "3", "b": "2"}
    with pytest.raises(KeyError) as caught:
        multidict["z"]
    assert caught.value.args == ("z",)


def test_views_are_live() -> None:
    # R43
    multidict = MultiDict(a=1)
    keys, values, items = multidict.keys(), multidict.values(), multidict.items()
    multidict["b"] = 2
    assert (list(keys), list(values), list(items)) == (["a", "b"], [1, 2], [("a", 1), ("b", 2)])


@every_multidict
def test_equality_is_by_key(cls: Any) -> None:
    # R45
    assert cls(PAIRS) == cls(PAIRS)
    assert cls(a="1", b="2") == cls(b="2", a="1")
    assert cls([("a", "1"), ("a", "2")]) != cls([("a", "2"), ("a", "1")])
    assert cls(a="1") != cls(a="1", b="1")
    assert cls(a="1", b="1") != cls(a="1", c="1")
    assert cls(a="1") != {"a": "1"}
    assert cls(a="1") != "a=1"
    with pytest.raises(TypeError):
        hash(cls())


def test_different_classes_are_never_equal() -> None:
    # R45
    for left in MULTIDICTS:
        for right in MULTIDICTS:
            assert (left(a="1") == right(a="1")) is (left is right)
    assert ImmutableMultiDict.__eq__(ImmutableMultiDict(a="1"), MultiDict(a="1"))


def test_neither_keys_nor_values_need_an_order() -> None:
    # R45, D7
    left: ImmutableMultiDict[Any, Any] = ImmutableMultiDict([(1, object), ("a", 1j), ("a", None)])
    assert left == ImmutableMultiDict([("a", 1j), ("a", None), (1, object)])
    assert left != ImmutableMultiDict([("a", None), ("a", 1j), (1, object)])


def test_repr_has_all_pairs() -> None:
    # R46
    assert repr(MultiDict(PAIRS)) == str(MultiDict(PAIRS)) == f"MultiDict({PAIRS!r})"
    assert repr(ImmutableMultiDict()) == "ImmutableMultiDict([])"
    assert repr(FormData(PAIRS)) == f"FormData({PAIRS!r})"  # R67


def test_it_can_be_subscribed() -> None:
    # R47
    assert ImmutableMultiDict[str, int].__args__ == (str, int)  # type: ignore[attr-defined]


@every_multidict
def test_it_can_be_copied_and_pickled(cls: Any) -> None:
    multidict = cls(PAIRS)
    for other in (copy.copy(multidict), copy.deepcopy(multidict), pickle.loads(pickle.dumps(multidict))):
        assert type(other) is cls
        assert pairs_of(other) == PAIRS


@every_multidict
def test_get_follows_a_subclass_with_another_lookup(cls: Any) -> None:
    class Shouting(cls):  # type: ignore[misc]
        def __getitem__(self, key: Any) -> Any:
            return super().__getitem__(key).upper()

    class Whispering(Shouting):
        def get(self, key: Any, default: Any = None) -> Any:
            return "whisper"

    assert Shouting(a="x").get("a") == "X"
    assert Shouting(a="x").get("b", "d") == "d"
    assert Whispering(a="x").get("a") == "whisper"


# MultiDict


@pytest.mark.parametrize(
    ("change", "pairs", "result"),
    [
        pytest.param(lambda d: d.__setitem__("a", 9), [("b", "2"), ("a", 9)], None, id="R48-set"),
        pytest.param(lambda d: d.__setitem__("c", 9), [*PAIRS, ("c", 9)], None, id="R48-set-new"),
        pytest.param(lambda d: d.__delitem__("a"), [("b", "2")], None, id="R48-del"),
        pytest.param(lambda d: d.pop("a"), [("b", "2")], "3", id="R49-pop-the-last-value"),
        pytest.param(lambda d: d.pop("z"), PAIRS, None, id="R49-pop-missing"),
        pytest.param(lambda d: d.pop("z", 5), PAIRS, 5, id="R49-pop-default"),
        pytest.param(lambda d: d.popitem(), [("a", "1"), ("a", "3")], ("b", "2"), id="R49-popitem"),
        pytest.param(lambda d: d.poplist("a"), [("b", "2")], ["1", "3"], id="R49-poplist"),
        pytest.param(lambda d: d.poplist("z"), PAIRS, [], id="R49-poplist-missing"),
        pytest.param(lambda d: d.clear(), [], None, id="R50-clear"),
        pytest.param(lambda d: d.setdefault("a", 9), PAIRS, "3", id="R50-setdefault-there"),
        pytest.param(lambda d: d.setdefault("c", 9), [*PAIRS, ("c", 9)], 9, id="R50-setdefault"),
        pytest.param(lambda d: d.setdefault("c"), [*PAIRS, ("c", None)], None, id="R50-setdefault-none"),
        pytest.param(lambda d: d.setlist("a", (5, 6)), [("b", "2"), ("a", 5), ("a", 6)], None, id="R50-setlist"),
        pytest.param(lambda d: d.setlist("a", []), [("b", "2")], None, id="R50-setlist-empty"),
        pytest.param(lambda d: d.setlist("z", []), PAIRS, None, id="R50-setlist-empty-missing"),
        pytest.param(lambda d: d.append("b", 9), [*PAIRS, ("b", 9)], None, id="R50-append"),
        pytest.param(
            lambda d: d.update([("a", 5), ("a", 6)], c=1),
            [("b", "2"), ("a", 5), ("a", 6), ("c", 1)],
            None,
            id="R51-update",
        ),
        pytest.param(lambda d: d.update(None), PAIRS, None, id="R51-update-with-nothing"),
        pytest.param(lambda d: d.update(d), PAIRS, None, id="R51-update-with-itself"),
        pytest.param(lambda d: d.update({"b": 7}), [("a", "1"), ("a", "3"), ("b", 7)], None, id="R51-update-mapping"),
    ],
)
def test_a_multidict_can_be_changed(
    change: Callable[[MultiDict], Any], pairs: list[tuple[str, Any]], result: Any
) -> None:
    multidict = MultiDict(PAIRS)
    assert change(multidict) == result
    assert pairs_of(multidict) == pairs


def test_the_place_of_a_key_stays() -> None:
    # R48
    multidict = MultiDict(PAIRS)
    multidict["a"] = 9
    multidict.update(a=10)
    assert list(multidict) == ["a", "b"]


def test_what_is_missing_is_a_key_error() -> None:
    # R48, R49
    multidict = MultiDict(PAIRS)
    with pytest.raises(KeyError, match="z"):
        del multidict["z"]
    assert pairs_of(multidict) == PAIRS
    with pytest.raises(KeyError):
        MultiDict().popitem()


def test_update_takes_one_positional_argument() -> None:
    # R52
    with pytest.raises(AssertionError) as caught:
        MultiDict().update(1, 2)  # type: ignore[arg-type]
    assert str(caught.value) == "Too many arguments."


def test_it_is_no_mutable_mapping() -> None:
    # R53
    assert not issubclass(MultiDict, MutableMapping)


# QueryParams


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("a=123&abc&def&b=456", [("a", "123"), ("abc", ""), ("def", ""), ("b", "456")], id="R55-text"),
        pytest.param(b"a=1&a=%C3%A4", [("a", "1"), ("a", "ä")], id="R54-bytes"),
        pytest.param(b"a=\xe4", [("a", "ä")], id="R54-bytes-are-latin-1"),
        pytest.param("", [], id="R54-empty-text"),
        pytest.param(b"", [], id="R54-empty-bytes"),
        pytest.param({"a": 1, "b": None}, [("a", "1"), ("b", "None")], id="R56-mapping"),
        pytest.param([(1, True), ("c", [1])], [("1", "True"), ("c", "[1]")], id="R56-list"),
    ],
)
def test_query_params_are_strings(source: Any, expected: list[tuple[str, str]]) -> None:
    assert pairs_of(QueryParams(source)) == expected
    assert pairs_of(QueryParams(source, x=2)) == [*expected, ("x", "2")]  # R54


def test_query_params_encode_themselves() -> None:
    # R57
    query = QueryParams("a=123&a=456&b=789")
    assert (str(query), repr(query)) == ("a=123&a=456&b=789", "QueryParams('a=123&a=456&b=789')")
    assert str(QueryParams("a b=c d&ä=ö")) == "a+b=c+d&%C3%A4=%C3%B6"


def test_query_params_are_equal_by_their_pairs() -> None:
    # R58
    query = QueryParams("a=123&b=456")
    assert QueryParams({"a": "123", "b": "456"}) == query == QueryParams({"b": "456", "a": "123"})
    assert QueryParams() == QueryParams({})
    assert QueryParams("a=1&a=2") != QueryParams("a=2&a=1")
    assert QueryParams(query) == query
    assert query != "a=123&b=456"


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=40))
def test_any_query_can_be_read_and_written_again(query: bytes) -> None:
    # R55, T10.1, T16.3
    params = QueryParams(query)
    assert params.multi_items() == parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    assert QueryParams(str(params)) == params


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["set", "append", "pop", "poplist", "setlist", "update", "setdefault", "popitem"]),
            st.sampled_from("abc"),
            st.lists(st.integers(0, 3), max_size=2),
        ),
        max_size=12,
    )
)
def test_the_dictionary_follows_the_list_through_any_changes(steps: list[tuple[str, str, list[int]]]) -> None:
    multidict = MultiDict()
    for kind, key, values in steps:
        match kind:
            case "set":
                multidict[key] = len(values)
            case "append":
                multidict.append(key, len(values))
            case "pop":
                multidict.pop(key)
            case "poplist":
                multidict.poplist(key)
            case "setlist":
                multidict.setlist(key, values)
            case "update":
                multidict.update([(key, value) for value in values])
            case "setdefault":
                multidict.setdefault(key, values)
            case _:
                if multidict:
                    multidict.popitem()
        pairs_of(multidict)


# Seams


@pytest.mark.parametrize("cls", [QueryParams, FormData])
@pytest.mark.parametrize("name", ["__getitem__", "get", "keys"])
def test_lookups_may_be_replaced_on_the_subclass(cls: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original: Callable[..., Any] = getattr(cls, name)
    seen: list[tuple[Any, ...]] = []

    def recording(self: Any, *args: Any) -> Any:
        seen.append(args)
        return original(self, *args)

    monkeypatch.setattr(cls, name, recording, raising=False)
    multidict = cls(PAIRS)
    calls: dict[str, Callable[[], Any]] = {
        "__getitem__": lambda: multidict["a"],
        "get": lambda: multidict.get("a"),
        "keys": lambda: list(multidict.keys()),
    }
    assert calls[name]() in ("3", ["a", "b"])
    assert len(seen) == 1
