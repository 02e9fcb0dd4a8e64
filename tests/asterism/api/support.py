"""Clients of one typed endpoint, and what their problems say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asterism.api import endpoint
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient


def client(function: Callable[..., Any], path: str = "/", **options: Any) -> TestClient:
    """Return a client of an application that serves a function for every method."""
    methods = ["GET", "POST", "PUT", "DELETE"]
    return TestClient(Starlette(routes=[Route(path, endpoint(function, **options), methods=methods)]))


def errors(response: Any) -> list[tuple[str, str, str]]:
    """Return the errors of a 422: location, message and kind of each."""
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    return [(error["location"], error["message"], error["kind"]) for error in response.json()["errors"]]
