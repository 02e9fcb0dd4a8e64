"""Replacing and following references, and merging what people wrote into what was found."""

from __future__ import annotations

from typing import Any

import pytest

from asterism.openapi._references import inlined, merged, reachable, replaced


def test_references_become_what_they_refer_to() -> None:
    schemas = {"#a": {"type": "string", "title": "A"}}
    value = [{"$ref": "#a", "title": "B"}, {"$ref": "#b"}, {"$ref": 3}, "#a"]
    assert inlined(value, schemas) == [{"type": "string", "title": "B"}, {"$ref": "#b"}, {"$ref": 3}, "#a"]


def test_texts_are_replaced_everywhere() -> None:
    assert replaced({"a": ["x", {"b": "x"}], "x": 1}, {"x": "y"}) == {"a": ["y", {"b": "y"}], "x": 1}


def test_only_what_is_referred_to_is_reachable() -> None:
    components = {"A": {"items": {"$ref": "#/B"}}, "B": {"$ref": "#/A"}, "C": {}}
    assert reachable({"a": [{"$ref": "#/A"}], "b": "#/Z", "c": 1}, "#/", components) == {"A", "B"}


@pytest.mark.parametrize(
    ("base", "over", "expected"),
    [
        pytest.param({"a": 1}, {"a": 2, "b": 3}, {"a": 2, "b": 3}, id="replaced"),
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, {"a": {"b": 3, "c": 2}}, id="objects-are-merged"),
        pytest.param({"a": [1]}, {"a": [2]}, {"a": [2]}, id="lists-are-replaced"),
        pytest.param(
            {"parameters": [{"name": "a", "in": "path", "x": 1}, {"name": "b", "in": "path"}]},
            {"parameters": [{"name": "a", "in": "path", "x": 2}, {"name": "a", "in": "query"}, {"$ref": "#/p"}]},
            {
                "parameters": [
                    {"name": "b", "in": "path"},
                    {"name": "a", "in": "path", "x": 2},
                    {"name": "a", "in": "query"},
                    {"$ref": "#/p"},
                ]
            },
            id="parameters-are-joined",
        ),
        pytest.param({"parameters": [1]}, {"parameters": None}, {"parameters": None}, id="no-list"),
    ],
)
def test_merging(base: dict[str, Any], over: dict[str, Any], expected: dict[str, Any]) -> None:
    before = str(base)
    assert merged(base, over) == expected
    assert str(base) == before
