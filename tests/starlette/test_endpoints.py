"""`starlette.endpoints` (endpoints R1-R22, threats T17, T18.3)."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.exceptions import HTTPException, WebSocketException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected
from tests.asgi import Record, Script, body, call, http_scope, websocket_scope

CONNECT: Message = {"type": "websocket.connect"}
VERBS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"]


async def serve(endpoint: type[HTTPEndpoint], method: str = "GET", **keys: Any) -> Record:
    """Serve one request with a scope of no more than what endpoints may read (R12)."""
    sent = Record()
    await endpoint({"type": "http", "method": method, **keys}, body(), sent)
    return sent


class Everything(HTTPEndpoint):
    """Answers each verb with its name."""

    async def get(self, request: Request) -> Response:
        return PlainTextResponse(f"get {request.method}")

    async def head(self, request: Request) -> Response:
        return PlainTextResponse("head")

    def post(self, request: Request) -> Response:
        return PlainTextResponse(f"post {threading.current_thread() is threading.main_thread()}")

    async def _do_delete(self, request: Request) -> Response:
        raise AssertionError("no verb reaches this")

    put = patch = delete = options = query = trace = connect = get


class OnlyGet(HTTPEndpoint):
    async def get(self, request: Request) -> Response:
        return PlainTextResponse(f"hello {request.path_params.get('name', 'you')}")


# --- HTTPEndpoint


def test_an_endpoint_keeps_its_connection() -> None:  # endpoints R1
    scope, receive, send = http_scope(), Script(), Record()
    endpoint = OnlyGet(scope, receive, send)
    assert (endpoint.scope, endpoint.receive, endpoint.send) == (scope, receive, send)


@pytest.mark.parametrize("scope", [websocket_scope(), {"type": "lifespan"}])
def test_an_http_endpoint_needs_an_http_scope(scope: Scope) -> None:  # endpoints R2
    with pytest.raises(AssertionError) as caught:
        HTTPEndpoint(scope, Script(), Record())
    assert str(caught.value) == ""


@pytest.mark.anyio
@pytest.mark.parametrize("method", [verb for verb in VERBS if verb not in ("HEAD", "POST")])
async def test_a_verb_reaches_its_method(method: str) -> None:  # endpoints R3, R5, R12, threats T17
    sent = await serve(Everything, method)
    assert (sent.status, sent.body) == (200, f"get {method}".encode())


@pytest.mark.anyio
async def test_a_sync_method_runs_in_a_worker_thread() -> None:  # endpoints R5, threats R13
    assert (await serve(Everything, "POST")).body == b"post False"


@pytest.mark.anyio
async def test_head_runs_get_unless_there_is_a_head() -> None:  # endpoints R5, R6, threats T17
    assert (await serve(OnlyGet, "HEAD")).body == b"hello you"
    assert (await serve(Everything, "HEAD")).body == b"head"

    class Neither(OnlyGet):
        head = None

    assert (await serve(Neither, "HEAD")).status == 200  # endpoints D3


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "get", "Get", "_DO_DELETE", "DISPATCH", "__CLASS__", ""])
async def test_no_other_word_reaches_an_attribute(method: str) -> None:  # endpoints R3, threats T17
    sent = await serve(Everything, method)
    assert (sent.status, sent.body) == (405, b"Method Not Allowed")


@pytest.mark.anyio
async def test_path_parameters_are_in_the_request() -> None:  # endpoints R5
    assert (await serve(OnlyGet, path_params={"name": "Ada"})).body == b"hello Ada"


@pytest.mark.anyio
async def test_the_request_can_send_early_hints() -> None:  # endpoints R5
    class Hints(HTTPEndpoint):
        async def get(self, request: Request) -> Response:
            assert request._send is self.send
            return Response(await request.body())

    sent = Record()
    await Hints(http_scope(), body(b"a", b"b"), sent)
    assert sent.body == b"ab"


def methods(*names: str) -> type[HTTPEndpoint]:
    """Return an endpoint with these methods; a leading `-` switches the method off."""
    attributes: dict[str, Any] = {name.lstrip("-"): None if name[0] == "-" else OnlyGet.get for name in names}
    base: type[HTTPEndpoint] = OnlyGet if "-get" in names else HTTPEndpoint
    made: Any = type("Made", (base,), attributes)
    return made  # type: ignore[no-any-return]  # a class made by name


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("endpoint", "allow"),
    [
        pytest.param(methods("query", "get"), "GET, HEAD, QUERY", id="R7-in-a-fixed-order"),
        pytest.param(methods("get"), "GET, HEAD", id="R7-get-implies-head"),
        pytest.param(methods("post"), "POST", id="R7-post-does-not"),
        pytest.param(methods("head"), "HEAD", id="R3-head-alone"),
        pytest.param(methods(), "", id="R7-nothing"),
        pytest.param(methods("-get", "delete"), "DELETE", id="R4-switched-off"),
        pytest.param(Everything, ", ".join(VERBS), id="R3-all"),
    ],
)
async def test_allow_lists_the_methods(endpoint: type[HTTPEndpoint], allow: str) -> None:  # T17
    sent = await serve(endpoint, "BREW")
    assert sent.status == 405
    assert sent.header("allow") == allow
    assert sent.header("content-type") == "text/plain; charset=utf-8"
    assert ", ".join(endpoint(http_scope(), Script(), Record())._allowed_methods) == allow


@pytest.mark.anyio
async def test_inside_of_an_application_405_is_an_exception() -> None:  # endpoints R7
    with pytest.raises(HTTPException) as caught:
        await serve(OnlyGet, "POST", app=object())
    assert caught.value.status_code == 405
    assert caught.value.headers == {"Allow": "GET, HEAD"}


@pytest.mark.anyio
async def test_method_not_allowed_can_be_overridden() -> None:  # endpoints R7
    class Custom(OnlyGet):
        async def method_not_allowed(self, request: Request) -> Response:
            return PlainTextResponse(f"no {request.method}", 418)

    sent = await serve(Custom, "BREW")
    assert (sent.status, sent.body) == (418, b"no BREW")


@pytest.mark.anyio
async def test_exceptions_leave_an_endpoint() -> None:  # endpoints R10
    class Failing(HTTPEndpoint):
        async def get(self, request: Request) -> Response:
            raise HTTPException(404)

    with pytest.raises(HTTPException):
        await serve(Failing)


@pytest.mark.anyio
async def test_a_method_must_return_a_response() -> None:  # endpoints R11, threats R04.5
    class Nothing(HTTPEndpoint):
        async def get(self, request: Request) -> None: ...

    with pytest.raises(TypeError, match="'NoneType' object is not callable"):
        await serve(Nothing)


@pytest.mark.anyio
async def test_any_application_can_be_returned() -> None:  # endpoints R5
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})

    class Delegating(HTTPEndpoint):
        async def get(self, request: Request) -> Any:
            return app

    assert (await serve(Delegating)).status == 204


# --- WebSocketEndpoint


class Events(WebSocketEndpoint):
    """Notes what happens to it."""

    log: list[Any]

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        self.log = scope.setdefault("log", [])

    async def on_receive(self, websocket: WebSocket, data: Any) -> None:
        self.log.append(data)

    async def on_disconnect(self, websocket: WebSocket, close_code: int) -> None:
        self.log.append(("gone", close_code))


async def connect(endpoint: type[WebSocketEndpoint], *messages: Message) -> tuple[Record, list[Any]]:
    sent, log = Record(), list[Any]()
    await endpoint(websocket_scope(log=log), Script(CONNECT, *messages), sent)
    return sent, log


def frame(**payload: Any) -> Message:
    return {"type": "websocket.receive", **payload}


def gone(**keys: Any) -> Message:
    return {"type": "websocket.disconnect", **keys}


def encoded(kind: Any) -> type[Events]:
    return type("Encoded", (Events,), {"encoding": kind})


@pytest.mark.parametrize("scope", [http_scope(), {"type": "lifespan"}])
def test_a_websocket_endpoint_needs_a_websocket_scope(scope: Scope) -> None:  # endpoints R13
    with pytest.raises(AssertionError) as caught:
        WebSocketEndpoint(scope, Script(), Record())
    assert str(caught.value) == ""
    assert WebSocketEndpoint.encoding is None


@pytest.mark.anyio
async def test_the_defaults_accept_and_do_nothing() -> None:  # endpoints R14, R18
    sent, _ = await connect(WebSocketEndpoint, frame(text="x"), gone(code=1000))
    assert sent.types == ["websocket.accept"]


@pytest.mark.anyio
async def test_messages_are_handled_in_order() -> None:  # endpoints R15, R16
    _, log = await connect(Events, frame(text="a"), frame(bytes=b"b"), gone(code=1001))
    assert log == ["a", b"b", ("gone", 1001)]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("keys", "code"),
    [
        pytest.param({}, 1000, id="R15-missing"),
        pytest.param({"code": None}, 1000, id="R15-none"),
        pytest.param({"code": 0}, 1000, id="R15-zero"),
        pytest.param({"code": "1006"}, 1006, id="R15-text"),
        pytest.param({"code": 1001}, 1001, id="R15-number"),
    ],
)
async def test_the_close_code_is_a_number(keys: dict[str, Any], code: int) -> None:
    assert (await connect(Events, gone(**keys)))[1] == [("gone", code)]


@pytest.mark.anyio
async def test_a_failing_on_connect_is_not_followed_by_on_disconnect() -> None:  # endpoints R14
    class Refusing(Events):
        async def on_connect(self, websocket: WebSocket) -> None:
            raise ValueError("no")

    log: list[Any] = []
    with pytest.raises(ValueError, match="no"):
        await Refusing(websocket_scope(log=log), Script(CONNECT), Record())
    assert log == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("error", "code"),
    [
        pytest.param(ValueError("x"), 1011, id="R16-exception"),
        pytest.param(WebSocketDisconnect(1001), 1011, id="R16-disconnect"),
        pytest.param(WebSocketException(1008), 1011, id="R16-websocket-exception"),
        pytest.param(KeyboardInterrupt(), 1000, id="R16-base-exception"),
    ],
)
async def test_an_exception_is_reported_and_raised(error: BaseException, code: int) -> None:
    class Failing(Events):
        async def on_receive(self, websocket: WebSocket, data: Any) -> None:
            raise error

    log: list[Any] = []
    with pytest.raises(type(error)) as caught:
        await Failing(websocket_scope(log=log), Script(CONNECT, frame(text="x")), Record())
    assert caught.value is error
    assert log == [("gone", code)]


@pytest.mark.anyio
async def test_the_loop_waits_for_the_disconnect_after_the_own_close() -> None:  # endpoints R17
    class Closing(Events):
        async def on_receive(self, websocket: WebSocket, data: Any) -> None:
            await websocket.close()

    sent, log = await connect(Closing, frame(text="x"), gone(code=1001))
    assert sent.types == ["websocket.accept", "websocket.close"]
    assert log == [("gone", 1001)]


@pytest.mark.anyio
async def test_on_disconnect_may_close() -> None:  # endpoints R18
    class Polite(Events):
        async def on_disconnect(self, websocket: WebSocket, close_code: int) -> None:
            await websocket.close(code=close_code)

    sent, _ = await connect(Polite, gone(code=1001))
    assert sent.messages[-1] == {"type": "websocket.close", "code": 1001, "reason": ""}


@pytest.mark.anyio
async def test_on_connect_may_choose_a_subprotocol() -> None:  # endpoints R19
    class Choosing(Events):
        async def on_connect(self, websocket: WebSocket) -> None:
            assert websocket["subprotocols"] == []
            await websocket.accept(subprotocol="wamp")

    sent, _ = await connect(Choosing, gone())
    assert sent.messages[0]["subprotocol"] == "wamp"


@pytest.mark.anyio
async def test_without_accept_the_messages_are_still_read() -> None:  # endpoints R19
    class Silent(Events):
        async def on_connect(self, websocket: WebSocket) -> None: ...

        async def decode(self, websocket: WebSocket, message: Message) -> Any:
            return message["type"]

    sent, log = await connect(Silent, {"type": "websocket.receive", "text": "a"}, gone())
    assert sent.messages == []
    assert log == ["websocket.receive", ("gone", 1000)]  # nor is the connect message taken for data


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("encoding", "payload", "data"),
    [
        pytest.param("text", {"text": "a"}, "a", id="R20-text"),
        pytest.param("text", {"text": "", "bytes": None}, "", id="R20-empty-text"),
        pytest.param("bytes", {"bytes": b"a"}, b"a", id="R20-bytes"),
        pytest.param("bytes", {"bytes": b"", "text": None}, b"", id="R20-empty-bytes"),
        pytest.param("json", {"text": '{"a": 1}'}, {"a": 1}, id="R20-json-of-text"),
        pytest.param("json", {"bytes": '"é"'.encode(), "text": None}, "é", id="R20-json-of-bytes"),
        pytest.param("json", {"text": "Infinity"}, float("inf"), id="R20-json-of-python"),
        pytest.param(None, {"text": "", "bytes": None}, "", id="R20-any-empty-text"),
        pytest.param(None, {"text": None, "bytes": b"a"}, b"a", id="R20-any-bytes"),
    ],
)
async def test_payloads_are_decoded(encoding: str | None, payload: dict[str, Any], data: Any) -> None:
    _, log = await connect(encoded(encoding), frame(**payload), gone())
    assert log == [data, ("gone", 1000)]


MALFORMED = "Malformed JSON data received."


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("encoding", "payload", "text"),
    [
        pytest.param("text", {"bytes": b"a"}, "Expected text websocket messages, but got bytes", id="R20-text"),
        pytest.param("bytes", {"text": "a"}, "Expected bytes websocket messages, but got text", id="R20-bytes"),
        pytest.param("json", {"text": "{"}, MALFORMED, id="R20-broken-json"),
        pytest.param("json", {"text": "", "bytes": b"1"}, MALFORMED, id="R20-empty-text-is-text"),
        pytest.param("json", {"bytes": b"\xff"}, MALFORMED, id="D2-T18.3-invalid-utf-8"),
        pytest.param("json", {"text": "[" * 100_000}, MALFORMED, id="T18.3-too-deep"),
        pytest.param("json", {"text": "9" * 5000}, MALFORMED, id="T18.3-too-many-digits"),
        pytest.param("text", {"text": None}, "Expected text websocket messages, but got bytes", id="T18.3-no-text"),
        pytest.param("bytes", {}, "Expected bytes websocket messages, but got text", id="T18.3-no-bytes"),
        pytest.param("json", {}, "Expected a websocket message with text or bytes", id="D1-T18.3-no-json"),
        pytest.param(None, {"text": None}, "Expected a websocket message with text or bytes", id="D1-T18.3-nothing"),
    ],
)
async def test_a_payload_that_does_not_fit_closes_first(encoding: Any, payload: dict[str, Any], text: str) -> None:
    sent, log = Record(), list[Any]()
    with pytest.raises(RuntimeError) as caught:
        await encoded(encoding)(websocket_scope(log=log), Script(CONNECT, frame(**payload)), sent)
    assert str(caught.value) == text
    assert sent.messages[-1] == {"type": "websocket.close", "code": 1003, "reason": ""}
    assert log == [("gone", 1011)]  # endpoints R22


async def transcript(endpoint: type[WebSocketEndpoint], payload: dict[str, Any]) -> list[Any]:
    sent, log = Record(), list[Any]()
    try:
        await endpoint(websocket_scope(log=log), Script(CONNECT, frame(**payload), gone()), sent)
    except Exception as exc:
        log.append((type(exc), str(exc), type(exc.__cause__)))
    return [*sent.messages, *log]


@pytest.mark.anyio
@pytest.mark.parametrize("encoding", ["text", "bytes", "json", None, "xml"])
@pytest.mark.parametrize("payload", [{"text": "1"}, {"bytes": b"1"}, {"text": "{", "bytes": None}, {"text": None}, {}])
async def test_an_overridden_decode_is_called_and_makes_no_other_difference(
    encoding: Any, payload: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Message] = []

    class Overriding(encoded(encoding)):  # type: ignore[misc]
        async def decode(self, websocket: WebSocket, message: Message) -> Any:
            seen.append(message)
            return await super().decode(websocket, message)

    plain = await transcript(encoded(encoding), payload)
    assert await transcript(Overriding, payload) == plain
    assert len(seen) == 1

    original = WebSocketEndpoint.decode

    async def patched(self: WebSocketEndpoint, websocket: WebSocket, message: Message) -> Any:
        seen.append(message)
        return await original(self, websocket, message)

    monkeypatch.setattr(WebSocketEndpoint, "decode", patched)
    assert await transcript(encoded(encoding), payload) == plain
    assert len(seen) == 2


@pytest.mark.anyio
async def test_the_encoding_may_change_between_messages() -> None:
    class Changing(Events):
        encoding = "text"

        async def on_receive(self, websocket: WebSocket, data: Any) -> None:
            await super().on_receive(websocket, data)
            self.encoding = "json"

    assert (await connect(Changing, frame(text="1"), frame(text="1"), gone()))[1] == ["1", 1, ("gone", 1000)]


@pytest.mark.anyio
async def test_an_unknown_encoding_is_an_assertion_error() -> None:  # endpoints R20
    with pytest.raises(AssertionError) as caught:
        await connect(encoded("xml"), frame(text="x"))
    assert str(caught.value) == "Unsupported 'encoding' attribute xml"


@pytest.mark.anyio
async def test_decode_can_be_called_directly() -> None:  # endpoints R21
    sent = Record()
    scope = websocket_scope()
    websocket = WebSocket(scope, Script(), sent)
    endpoint = encoded("text")(scope, Script(), sent)
    assert await endpoint.decode(websocket, frame(text="x")) == "x"
    with pytest.raises(RuntimeError, match="Expected text"):
        await endpoint.decode(websocket, frame(bytes=b"x"))
    assert sent.types == ["websocket.close"]
    with pytest.raises(WebSocketDisconnected):
        await endpoint.decode(websocket, frame(bytes=b"x"))


@pytest.mark.anyio
async def test_the_class_is_an_application() -> None:  # endpoints R1, R9
    sent = await call(OnlyGet)
    assert sent.body == b"hello you"


@pytest.mark.anyio
async def test_a_route_leaves_all_verbs_to_the_class_unless_it_names_some() -> None:  # endpoints R8
    class Page(HTTPEndpoint):
        async def get(self, request: Request) -> Response:
            return PlainTextResponse("get")

        async def post(self, request: Request) -> Response:
            return PlainTextResponse("post")

    assert Route("/", Page).methods is None
    assert (await call(Starlette(routes=[Route("/", Page)]), http_scope(method="POST"))).body == b"post"
    narrowed = await call(Starlette(routes=[Route("/", Page, methods=["GET"])]), http_scope(method="POST"))
    assert (narrowed.status, narrowed.header("allow")) == (405, "GET, HEAD")
