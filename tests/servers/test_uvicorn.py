"""What needs a wire: streamed bodies in both directions, clients that leave, and the lifespan, on uvicorn."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import httpx
import pytest

from tests.servers.support import Server, eventually, serve, uvicorn

pytestmark = pytest.mark.server

APPLICATION = "tests.servers.application:app"


@pytest.fixture(params=["h11", "httptools"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serve(uvicorn(APPLICATION, "--http", request.param)) as running:
        yield running


def noted(server: Server, event: str) -> bool:
    """Tell whether the application notes `event`, sooner or later."""
    return eventually(lambda: event in httpx.get(f"{server.url}/events", timeout=20).json(), server.process)


def test_a_streamed_response_arrives_whole_and_its_background_task_runs(server: Server) -> None:
    with httpx.stream("GET", f"{server.url}/numbers", timeout=20) as response:
        assert response.headers["transfer-encoding"] == "chunked"
        assert [int(line) for line in response.iter_lines()] == list(range(1000))
    assert noted(server, "background task ran")


def test_a_streamed_request_body_is_read_while_it_arrives(server: Server) -> None:
    chunks = [bytes([number % 256]) * 10_000 for number in range(200)]
    received = httpx.post(f"{server.url}/digest", content=iter(chunks), timeout=20).json()
    assert received == {"size": 2_000_000, "sha256": hashlib.sha256(b"".join(chunks)).hexdigest()}


def test_the_generator_ends_when_the_client_leaves(server: Server) -> None:  # threats R02, R14
    with server.connect() as connection:
        connection.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert noted(server, "generator closed")


def test_the_handler_learns_that_the_client_left_while_sending(server: Server) -> None:  # threats R02
    with server.connect() as connection:
        connection.sendall(b"POST /digest HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + b"x" * 100)
        assert noted(server, "body began")
    assert noted(server, "client left while sending")


def test_the_lifespan_begins_before_the_first_request_and_ends_with_the_server(server: Server) -> None:  # threats R12
    assert httpx.get(f"{server.url}/events", timeout=20).json() == ["startup"]
    assert "lifespan: shutdown" not in server.log
    assert server.stop() == 0, server.log
    log = server.log
    assert log.index("lifespan: startup") < log.index("GET /events") < log.index("lifespan: shutdown")
