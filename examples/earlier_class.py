"""A class as the application, with no framework around it. Run: `uvicorn examples.earlier_class:app`."""

from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send


class App:
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http", "there is nothing to start or to stop"
        response = PlainTextResponse("Hello, world!")
        await response(scope, receive, send)


app = App()

has_lifespan = False


def check(client: TestClient) -> None:
    response = client.get("/anywhere")
    assert response.text == "Hello, world!"
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
