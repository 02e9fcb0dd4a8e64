"""An application that fails, before and after its answer began: the client sees it, and the log has it once."""

from __future__ import annotations

import re

import pytest

from tests.faults.harness import Target, dechunked, handshake, new_key, read_all, request, unharmed

pytestmark = pytest.mark.server

# Where it fails, what the log ends with, and what the client gets: an answer of 500, a broken one, or a whole one.
FAILURES = {
    "before": ("Fault: {key}", "error"),
    "thread-handler": ("Fault: {key}", "error"),
    "group": ("ExceptionGroup", "error"),
    "first": ("Fault: {key}", "broken"),
    "stream": ("Fault: {key}", "broken"),
    "thread-stream": ("Fault: {key}", "broken"),
    "oserror": ("OSError: Fault: {key}", "broken"),
    "background": ("Fault: {key}", "whole"),
}


@pytest.mark.parametrize("where", FAILURES)
@pytest.mark.parametrize("prefix", ["", "/base"], ids=["plain", "BaseHTTPMiddleware"])
def test_a_failure_is_seen_and_logged_once(target: Target, prefix: str, where: str) -> None:  # threats R04.1, R04.4
    text, seen = FAILURES[where]
    key = new_key()
    with unharmed(target, {text.format(key=key): 1}):
        connection = target.connect()
        connection.sendall(request("GET", f"{prefix}/fail/{where}?key={key}", b"", "Connection: close"))
        answer, _ = read_all(connection)
        connection.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b" ")[1]
    if seen == "error":
        assert (status, body) == (b"500", b"Internal Server Error")
    elif seen == "whole":
        assert (status, body) == (b"200", b"sent")
    elif status == b"500":
        # Granian keeps the start until the first piece of the body, so it can still answer.
        assert (target.name, where) == ("granian", "first")
    else:
        assert status == b"200"
        assert not dechunked(body)[1], "what broke off was presented as complete"
    assert b"Traceback" not in answer
    assert key.encode() not in answer


def test_a_middleware_that_fails_with_an_answer_in_its_hands_closes_it(target: Target) -> None:
    key = new_key()
    with unharmed(target, {f"Fault: {key}": 1}):
        connection = target.connect()
        connection.sendall(request("GET", f"/after/stream/async?chunks=9&key={key}", b"", "Connection: close"))
        answer, _ = read_all(connection)
        connection.close()
        assert answer.startswith(b"HTTP/1.1 500 ")


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_websocket_handler_that_fails_is_logged_once(target: Target, where: str) -> None:
    if where == "before" and target.kind.keeps_failed:
        pytest.skip("the server neither answers nor closes the connection")
    key = new_key()
    with unharmed(target, {f"Fault: {key}": 1}):
        connection = target.connect()
        connection.sendall(handshake(f"/fail/{where}?key={key}"))
        answer, _ = read_all(connection)
        connection.close()
    # Before the handshake it is refused, after it the connection ends.
    assert re.match(rb"HTTP/1.1 (?:500|403) " if where == "before" else rb"HTTP/1.1 101 ", answer), answer


def test_a_connection_serves_on_after_a_failure_or_is_closed(target: Target) -> None:
    keys = [new_key() for _ in range(3)]
    with unharmed(target, {f"Fault: {key}": 1 for key in keys}):
        for key in keys:
            connection = target.connect()
            connection.sendall(request("GET", f"/fail/before?key={key}"))
            connection.sendall(request("GET", "/workers", b"", "Connection: close"))
            answer, _ = read_all(connection)
            connection.close()
            first, _, second = answer.partition(b"\r\n\r\nInternal Server Error")
            assert first.startswith(b"HTTP/1.1 500 ")
            # Uvicorn closes it.
            assert second == b"" or second.startswith(b"HTTP/1.1 200 ")
