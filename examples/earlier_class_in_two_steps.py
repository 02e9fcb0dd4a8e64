"""A class of ASGI 2: made of a scope, called with the rest. Run: `uvicorn examples.earlier_class_in_two_steps:app`."""

from typing import Any

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send


class App:
    def __init__(self, scope: Scope) -> None:
        assert scope["type"] == "http", "there is nothing to start or to stop"
        self.scope = scope

    async def __call__(self, receive: Receive, send: Send) -> None:
        response: Any = PlainTextResponse("Hello, world!")  # for type checkers, a response takes the scope as well
        await response(receive, send)


app: Any = App  # uvicorn sees that it takes the scope alone

# Any server can serve it below an application of today.
mounted = Starlette()
mounted.mount("/", app)

has_lifespan = False


def check(client: TestClient) -> None:
    assert client.get("/anywhere").text == "Hello, world!"
    assert TestClient(mounted).get("/anywhere").text == "Hello, world!"
