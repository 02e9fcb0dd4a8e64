"""WebSockets over a wire: a real client and each of the servers that people run."""

from __future__ import annotations

import json
import socket
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_to

from tests.servers.support import HOST, Server, broke_down, eventually, serve, uvicorn

pytestmark = pytest.mark.server

APPLICATION = "tests.servers.websocket_application:app"

# Seconds that any step of a test may take.
DEADLINE = 5


def hypercorn(worker: str) -> Callable[[int], Sequence[str]]:
    options = [APPLICATION, "--worker-class", worker, "--graceful-timeout", "2"]
    return lambda port: [sys.executable, "-m", "hypercorn", *options, "--bind", f"{HOST}:{port}"]


def granian(port: int) -> Sequence[str]:
    options = ["--interface", "asgi", "--host", HOST, "--port", str(port), "--workers-kill-timeout", "5"]
    return [sys.executable, "-m", "granian", *options, APPLICATION]


# Its name, the modules it needs, and the command.
SERVERS = {
    "uvicorn-websockets": (["uvicorn", "websockets"], uvicorn(APPLICATION, "--ws", "websockets")),
    "uvicorn-sansio": (["uvicorn", "websockets"], uvicorn(APPLICATION, "--ws", "websockets-sansio")),
    "uvicorn-wsproto": (["uvicorn", "wsproto"], uvicorn(APPLICATION, "--ws", "wsproto")),
    "hypercorn-asyncio": (["hypercorn"], hypercorn("asyncio")),
    "hypercorn-trio": (["hypercorn", "trio"], hypercorn("trio")),
    "granian": (["granian"], granian),
}


@contextmanager
def running(name: str) -> Iterator[Server]:
    modules, command = SERVERS[name]
    for module in modules:
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    with serve(command) as server:
        yield server


@pytest.fixture(scope="module", params=SERVERS)
def start(request: pytest.FixtureRequest) -> Iterator[Callable[[], Server]]:
    """A function that returns the running server of the parameter, a fresh one where the last broke down."""
    with ExitStack() as stack:
        servers: list[Server] = []

        def started() -> Server:
            if not servers or broke_down(servers[-1]):
                servers.append(stack.enter_context(running(request.param)))
            return servers[-1]

        yield started


@pytest.fixture
def server(start: Callable[[], Server]) -> Server:
    return start()


@contextmanager
def opened(server: Server, path: str, **options: Any) -> Iterator[ClientConnection]:
    options = {"open_timeout": DEADLINE, "close_timeout": DEADLINE, "proxy": None, **options}
    with connect_to(f"ws://{HOST}:{server.port}{path}", **options) as connection:
        assert isinstance(connection, ClientConnection)
        yield connection


def read(connection: ClientConnection) -> Any:
    return connection.recv(timeout=DEADLINE)


def closed_with(connection: ClientConnection) -> tuple[int, str]:
    """Return the code and the reason of the server's close frame, which must be what comes next."""
    with pytest.raises(ConnectionClosed) as closed:
        read(connection)
    frame = closed.value.rcvd
    return (frame.code, frame.reason) if frame is not None else (1006, "")


def refused(server: Server, path: str) -> tuple[int, dict[str, str], bytes]:
    """Return the HTTP response to a handshake that is not accepted."""
    with pytest.raises(InvalidStatus) as refusal, opened(server, path):
        pass
    response = refusal.value.response
    return response.status_code, {name.lower(): value for name, value in response.headers.raw_items()}, response.body


def noted(server: Server, *events: str) -> bool:
    """Tell whether the application notes one of `events`, sooner or later."""

    def found() -> bool:
        return not set(events).isdisjoint(httpx.get(f"{server.url}/events", timeout=DEADLINE).json())

    return eventually(found, server.process, DEADLINE)


def loses_close_codes(server: Server) -> bool:
    """Tell whether the server says 1006 however the client closed, as Hypercorn does."""
    return "hypercorn" in str(server.process.args)


@pytest.mark.parametrize("path", ["/echo", "/both", "/router/echo"])
def test_functions_answer_text(server: Server, path: str) -> None:
    with opened(server, path) as connection:
        for text in ("hello", "", "♥" * 10_000):
            connection.send(text)
            assert read(connection) == text


def test_handshake_is_seen(server: Server) -> None:
    headers = {"Cookie": "a=1; b=2", "X-Test": "yes"}
    for prefix in ("", "/router"):
        with opened(server, f"{prefix}/facts/bl%C3%BCe?x=1&x=%26", additional_headers=headers) as connection:
            seen = json.loads(read(connection))
            assert closed_with(connection) == (1000, "")
        assert seen["room"] == "blüe"
        assert seen["query"] == [["x", "1"], ["x", "&"]]
        assert (seen["cookies"], seen["header"]) == ({"a": "1", "b": "2"}, "yes")


def test_a_mounted_application_gets_the_connection(server: Server) -> None:
    with opened(server, "/router/plain/x") as connection:
        assert read(connection) == "/router/plain /router/plain/x"
        assert closed_with(connection) == (1000, "")


def test_json_travels_in_binary_frames(server: Server) -> None:
    with opened(server, "/binary-json") as connection:
        connection.send(b'{"a": ["\xc3\xa9", null]}')
        assert read(connection) == b'{"a":["\xc3\xa9",null]}'


@pytest.mark.parametrize(
    ("path", "sent", "answer", "wrong", "name"),
    [
        pytest.param("/text", "a", "str a", b"a", "Text", id="text"),
        pytest.param("/bytes", b"\x00\xff", b"\xff\x00", "a", "Bytes", id="bytes"),
        pytest.param("/json", "[1]", '{"got":[1]}', "[1", "Json", id="json"),
        pytest.param("/json", b"[1]", '{"got":[1]}', b"\xff", "Json", id="json-in-bytes"),
    ],
)
def test_classes_get_what_their_encoding_says(
    server: Server, path: str, sent: str | bytes, answer: str | bytes, wrong: str | bytes, name: str
) -> None:  # threats T18.3
    with opened(server, path) as connection:
        connection.send(sent)
        assert read(connection) == answer
    assert noted(server, f"{name} {1006 if loses_close_codes(server) else 1000}")
    with opened(server, path) as connection:
        connection.send(wrong)
        assert closed_with(connection)[0] == 1003
    assert noted(server, f"{name} 1011")


def test_the_subprotocol_that_was_chosen_arrives(server: Server) -> None:
    with opened(server, "/subprotocol", subprotocols=["first", "second"]) as connection:
        assert json.loads(read(connection)) == ["first", "second"]
        assert connection.subprotocol == "second"
    with opened(server, "/subprotocol") as connection:
        assert json.loads(read(connection)) == []
        assert connection.subprotocol is None


def test_headers_of_the_acceptance_arrive(server: Server) -> None:
    if "granian" in str(server.process.args):
        pytest.skip("Granian leaves out the headers of an acceptance")
    with opened(server, "/subprotocol") as connection:
        assert connection.response is not None
        headers = connection.response.headers
        assert headers["x-accepted"] == "yes"
        assert headers.get_all("set-cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize(
    ("path", "code", "reason"),
    [
        pytest.param("/closing/1000", 1000, "", id="normal"),
        pytest.param("/closing/4321?reason=gone%20home", 4321, "gone home", id="own-code"),
        pytest.param("/closing/1008?reason=" + "x" * 200, 1008, "x" * 123, id="reason-is-cut"),  # threats T18.4
        pytest.param("/closing/1008?reason=" + "%E2%99%A5" * 60, 1008, "♥" * 41, id="reason-is-cut-at-a-character"),
        pytest.param("/raising", 4001, "no more", id="exception"),
    ],
)
def test_the_server_closes_with_code_and_reason(
    server: Server, request: pytest.FixtureRequest, path: str, code: int, reason: str
) -> None:
    with opened(server, path) as connection:
        assert closed_with(connection) == (code, reason)


def test_an_exception_closes_the_connection_and_reaches_the_log(server: Server) -> None:
    with opened(server, "/failing") as connection:
        # Granian sends a close frame without a code, which the client calls 1005.
        assert closed_with(connection)[0] in (1011, 1006, 1005)
    assert eventually(lambda: "ZeroDivisionError" in server.log, server.process)


def test_the_application_learns_how_the_client_closed(server: Server) -> None:
    with opened(server, "/close-code?note=bye") as connection:
        connection.close(4567, "bye ♥")
    # Not every server passes the reason on.
    assert noted(server, "bye: 1006 " if loses_close_codes(server) else "bye: 4567 bye ♥", "bye: 4567 ")


def test_a_connection_that_is_not_accepted_is_refused(server: Server) -> None:
    for path in ("/refusing", "/nowhere", "/page", "/router/nowhere"):
        assert refused(server, path)[0] == 403, path


def test_denial_responses_arrive_whole(server: Server) -> None:
    status, headers, body = refused(server, "/denying")
    assert (status, headers["x-why"], body) == (401, "because", b"not you")
    status, headers, body = refused(server, "/exception-before")
    assert (status, headers["x-price"], body) == (402, "9", b"pay first")


def test_http_on_a_websocket_path_is_not_found(server: Server) -> None:
    for path in ("/echo", "/text", "/router/echo"):
        assert httpx.get(server.url + path, timeout=DEADLINE).status_code == 404
    assert httpx.get(f"{server.url}/both", timeout=DEADLINE).text == "a page"


def abort(connection: socket.socket) -> None:
    """Reset the connection: no close frame, no FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@contextmanager
def raw(server: Server, path: str) -> Iterator[socket.socket]:
    """Open a WebSocket by hand, with the response to the handshake read."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {HOST}:{server.port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    with server.connect() as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            byte = connection.recv(1)
            assert byte, answer
            answer += byte
        assert answer.startswith(b"HTTP/1.1 101 ")
        yield connection


def frame(opcode: int, payload: bytes) -> bytes:
    """A short frame of a client, with a mask of zeros (RFC 6455 §5.2)."""
    assert len(payload) < 126
    return bytes([0x80 | opcode, 0x80 | len(payload)]) + bytes(4) + payload


def test_clients_that_vanish_end_the_application(server: Server) -> None:  # threats T18.1, R02
    with raw(server, "/close-code?note=vanished") as connection:
        abort(connection)
    assert noted(server, "vanished: 1006 ", "vanished: 1005 ")
    with raw(server, "/pour") as connection:
        assert len(connection.recv(65536)) > 0
        abort(connection)
    assert noted(server, "pour ended")


def test_clients_that_vanish_in_the_handshake_harm_nobody(server: Server) -> None:
    for cut in (1, 20, 100):
        with server.connect() as connection:
            head = (
                f"GET /echo HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Ver"
            )
            connection.sendall(head.encode()[:cut])
            abort(connection)
    with opened(server, "/echo") as connection_:
        connection_.send("still here")
        assert read(connection_) == "still here"


def test_what_comes_while_closing_is_ignored(server: Server) -> None:
    with raw(server, "/closing/4000") as connection:
        # The server closes at once; the client goes on sending, and only then answers.
        received = b""
        connection.settimeout(30)  # a server whose queue is full gives up the client's answer after ten
        try:
            for _ in range(100):
                connection.sendall(frame(1, b"late"))
            while not received.endswith(b"\x88\x02\x0f\xa0"):
                chunk = connection.recv(65536)
                assert chunk, received
                received += chunk
            connection.sendall(frame(1, b"later") + frame(8, b"\x0f\xa0"))
            while connection.recv(65536):
                pass
        except ConnectionError:
            pass  # the server does not wait for the answer, or for anything more
    with opened(server, "/echo") as healthy:
        healthy.send("still here")
        assert read(healthy) == "still here"


def test_a_flood_is_read_to_its_end(server: Server) -> None:
    with opened(server, "/count") as connection:
        for _ in range(2000):
            connection.send(b"x" * 1000)
        connection.send("end")
        assert json.loads(read(connection)) == [2000, 2_000_000]


def test_a_client_that_does_not_read_holds_up_nobody(server: Server) -> None:  # threats R08
    with ExitStack() as clients:
        clients.enter_context(raw(server, "/pour"))
        connection = clients.enter_context(opened(server, "/echo"))
        for number in range(100):
            connection.send(str(number))
            assert read(connection) == str(number)
        connection.close()


@pytest.mark.parametrize("name", SERVERS)
def test_the_server_stops_with_open_connections(name: str) -> None:  # threats R12
    if name == "hypercorn-asyncio" and sys.version_info >= (3, 12, 1):
        pytest.skip("hypercorn awaits `asyncio.Server.wait_closed`, which waits for open connections since 3.12.1")
    with running(name) as server, ExitStack() as connections:
        opens = [connections.enter_context(opened(server, "/echo")) for _ in range(10)]
        for connection in opens:
            connection.send("here")
            assert read(connection) == "here"
        assert server.stop() == 0, server.log
        for connection in opens:
            assert closed_with(connection)[0] in (1001, 1006, 1011, 1012)
        # Hypercorn may complain of its own transports; nothing of ours is in a traceback.
        assert "src/starlette" not in server.log
