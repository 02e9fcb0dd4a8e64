"""Middleware that is added after construction. Run: `uvicorn examples.earlier_middleware:app`."""

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class SimpleMiddleware:
    def __init__(self, app: ASGIApp, name: str = "simple") -> None:
        self.app = app
        self.name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("X-Passed", self.name)
            await send(message)

        await self.app(scope, receive, send_with_header)


app = Starlette()
app.add_middleware(SimpleMiddleware)
app.add_middleware(SimpleMiddleware, name="outer")


@app.route("/")
async def homepage(request: Request) -> PlainTextResponse:
    return PlainTextResponse("Hello, world!")


def check(client: TestClient) -> None:
    response = client.get("/")
    assert response.text == "Hello, world!"
    assert response.headers.get_list("x-passed") == ["simple", "outer"]
