"""The list of routes counts every change and is a list in all else."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest

from starlette._routing.route_list import RouteList


def _set_item(items: RouteList[int]) -> None:
    items[0] = 9


def _set_slice(items: RouteList[int]) -> None:
    items[:] = [7, 8]


def _delete(items: RouteList[int]) -> None:
    del items[0]


def _add(items: RouteList[int]) -> None:
    items += [4]


def _multiply(items: RouteList[int]) -> None:
    items *= 2


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(lambda items: items.append(4), [3, 1, 2, 4], id="append"),
        pytest.param(lambda items: items.extend([4, 5]), [3, 1, 2, 4, 5], id="extend"),
        pytest.param(lambda items: items.insert(0, 4), [4, 3, 1, 2], id="insert"),
        pytest.param(lambda items: items.remove(1), [3, 2], id="remove"),
        pytest.param(lambda items: items.pop(), [3, 1], id="pop"),
        pytest.param(lambda items: items.pop(0), [1, 2], id="pop-at"),
        pytest.param(lambda items: items.clear(), [], id="clear"),
        pytest.param(lambda items: items.sort(), [1, 2, 3], id="sort"),
        pytest.param(lambda items: items.sort(key=lambda item: -item), [3, 2, 1], id="sort-by-key"),
        pytest.param(lambda items: items.reverse(), [2, 1, 3], id="reverse"),
        pytest.param(_set_item, [9, 1, 2], id="set-item"),
        pytest.param(_set_slice, [7, 8], id="set-slice"),
        pytest.param(_delete, [1, 2], id="delete"),
        pytest.param(_add, [3, 1, 2, 4], id="add-in-place"),
        pytest.param(_multiply, [3, 1, 2, 3, 1, 2], id="multiply-in-place"),
    ],
)
def test_every_change_is_counted(change: Callable[[RouteList[int]], object], expected: list[int]) -> None:
    items = RouteList([3, 1, 2])
    before = items.version
    change(items)
    assert items == expected
    assert items.version > before


def test_reading_is_not_counted() -> None:
    items = RouteList([3, 1, 2])
    assert (items[0], len(items), 1 in items, items[1:], [*items, 4]) == (3, 3, True, [1, 2], [3, 1, 2, 4])
    assert items.version == 0


def test_copies_and_pickles_are_lists_that_count() -> None:
    items = RouteList([1])
    items.append(2)
    for twin in (copy.copy(items), copy.deepcopy(items), pickle.loads(pickle.dumps(items))):
        assert type(twin) is RouteList
        assert twin == [1, 2]
        before = twin.version
        twin.append(3)
        assert twin.version > before
        assert items == [1, 2]
