"""What docstrings say: prose for people, YAML for the document."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from asterism.api import endpoint
from asterism.openapi._docstrings import Documentation, read_docstring
from starlette.responses import Response
from starlette.routing import Route
from tests.asterism.openapi.support import document_of


def documented(text: str | None) -> Callable[..., Any]:
    def function(request: Any) -> Response:
        return Response()

    function.__doc__ = text
    return function


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(None, Documentation(), id="none"),
        pytest.param(
            "Show\n    it.\n\n    More.\n\n    Again.\n", Documentation("Show it.", "More.\n\nAgain."), id="prose"
        ),
        pytest.param("Note: it is slow.", Documentation("Note: it is slow."), id="prose-that-is-yaml"),
        pytest.param("A: b: c", Documentation("A: b: c"), id="prose-that-is-broken-yaml"),
        pytest.param("Show.\n---\ntags: [a]", Documentation("Show.", "", {"tags": ["a"]}), id="yaml-after-dashes"),
        pytest.param(
            "Show.\n\n| a |\n| --- |\n---\nb\n---\nx-a: 1",
            Documentation("Show.", "| a |\n| --- |\n---\nb", {"x-a": 1}),
            id="the-last-line-of-dashes-counts",
        ),
        pytest.param(
            "responses:\n  200:\n    description: Fine.",
            Documentation("", "", {"responses": {"200": {"description": "Fine."}}}),
            id="yaml-alone",
        ),
        pytest.param(
            "---\nx-a: {true: [{1: 2}], false: 3}",
            Documentation(members={"x-a": {"true": [{"1": 2}], "false": 3}}),
            id="keys",
        ),
    ],
)
def test_docstrings(text: str | None, expected: Documentation) -> None:
    assert read_docstring(documented(text)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "---\na: b: c", r"the YAML in the docstring of .*documented.* cannot be read: mapping", id="broken"
        ),
        pytest.param("---\njust text", r"what follows --- in .* must be a mapping", id="no-mapping"),
    ],
)
def test_yaml_that_cannot_be_used_names_the_function(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_docstring(documented(text))


def test_without_pyyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ImportError, match='has YAML, which needs pyyaml: install the "full" extra'):
        read_docstring(documented("---\ntags: [a]"))
    assert read_docstring(documented("Note: prose.")) == Documentation("Note: prose.")


async def typed(id: int) -> int:
    """Show an item.

    It may be gone.
    ---
    tags: [items]
    parameters:
      - name: id
        in: path
        required: true
        description: From YAML.
        schema: {type: integer}
    responses:
      200:
        description: Here it is.
      404:
        description: It is gone.
    """
    return id


def test_yaml_of_a_typed_endpoint_adds_to_what_its_signature_says() -> None:
    operation = document_of([Route("/{id}", endpoint(typed, extra={"x-more": True}))])["paths"]["/{id}"]["get"]
    assert (operation["summary"], operation["description"]) == ("Show an item.", "It may be gone.")
    assert (operation["tags"], operation["x-more"]) == (["items"], True)
    assert [parameter["description"] for parameter in operation["parameters"]] == ["From YAML."]
    assert list(operation["responses"]) == ["200", "422", "404"]
    success = operation["responses"]["200"]
    assert (success["description"], "content" in success) == ("Here it is.", True)
