"""Many clients at once, over real sockets, and what goes wrong in between: nothing is lost and nothing half-written."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.examples.orders.test_shop import order
from tests.postgresql import Cluster
from tests.servers.support import HOST, Server, eventually, serve, uvicorn

pytestmark = pytest.mark.server

APPLICATION = "examples.orders.app:app"
CLIENTS = 12

# Attempts of a client whose requests fail.
ATTEMPTS = 1000


def ask(server: Server, method: str, path: str, content: Any = None, **headers: str) -> tuple[int, Any]:
    """Send one request on a connection of its own; return the status and the content."""
    connection = http.client.HTTPConnection(HOST, server.port, timeout=60)
    try:
        fields = {
            "content-type": "application/json",
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        connection.request(method, path, None if content is None else json.dumps(content), fields)
        response = connection.getresponse()
        data = response.read()
        return response.status, data if path == "/export" else json.loads(data)
    finally:
        connection.close()


def insist(server: Callable[[], Server], key: str, content: Any) -> tuple[int, Any]:
    """Ask with the same key until there is an answer that is no failure of the server."""
    for _ in range(ATTEMPTS):
        try:
            status, answer = ask(server(), "POST", "/orders", content, idempotency_key=key)
        except (OSError, http.client.HTTPException):
            threading.Event().wait(0.05)  # there may be no server at the moment
            continue
        if status != 503:
            return status, answer
    raise AssertionError(f"no answer to {key} in {ATTEMPTS} attempts")


def offer(server: Server, stock: int) -> None:
    assert ask(server, "PUT", "/products/TEA", {"name": "Tea", "price_cents": 450, "stock": stock})[0] == 200


def books(server: Server, offered: int) -> list[dict[str, Any]]:
    """Return all orders, after a look whether they and the stock add up."""
    status, content = ask(server, "GET", "/export", accept="application/x-ndjson")
    assert status == 200
    found = [json.loads(line) for line in content.splitlines()]
    assert all(entry["lines"] for entry in found)
    assert all(entry["total_cents"] == sum(x["quantity"] * x["price_cents"] for x in entry["lines"]) for entry in found)
    sold = sum(x["quantity"] for entry in found if entry["status"] != "cancelled" for x in entry["lines"])
    stock = ask(server, "GET", "/products/TEA")[1]["stock"]
    assert stock >= 0
    assert stock + sold == offered
    return found


@pytest.fixture
def server(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    with serve(uvicorn(APPLICATION)) as running:
        yield running


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(CLIENTS) as executor:
        yield executor


def test_no_more_is_sold_than_there_is(server: Server, pool: ThreadPoolExecutor) -> None:
    offer(server, 30)
    answers = list(pool.map(lambda n: insist(lambda: server, f"k{n}", order(("TEA", 1 + n % 2))), range(48)))
    assert {status for status, _ in answers} == {201, 409}
    placed = {answer["id"] for status, answer in answers if status == 201}
    assert {entry["id"] for entry in books(server, 30)} == placed


def test_one_key_orders_once_however_many_ask(server: Server, pool: ThreadPoolExecutor) -> None:
    offer(server, 30)
    answers = list(pool.map(lambda _: insist(lambda: server, "same", order(("TEA", 1))), range(CLIENTS)))
    assert sorted(status for status, _ in answers) == [200] * (CLIENTS - 1) + [201]
    assert {answer["id"] for _, answer in answers} == {books(server, 30)[0]["id"]}


def test_an_order_ends_in_one_way_only(server: Server, pool: ThreadPoolExecutor) -> None:
    offer(server, 30)
    number = insist(lambda: server, "one", order(("TEA", 3)))[1]["id"]

    def end(which: int) -> int:
        action = ("payment", "cancellation")[which % 2]
        return ask(server, "POST", f"/orders/{number}/{action}", {"version": 1})[0]

    statuses = sorted(pool.map(end, range(CLIENTS)))
    assert statuses == [200] + [409] * (CLIENTS - 1)
    books(server, 30)


def send_order(server: Server, key: str) -> socket.socket:
    """Send an order, and return its connection without waiting for the answer."""
    content = json.dumps(order(("TEA", 1))).encode()
    head = f"POST /orders HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nIdempotency-Key: {key}\r\n"
    connection = server.connect()
    connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
    return connection


def test_clients_that_leave_can_come_back_and_ask_again(server: Server, pool: ThreadPoolExecutor) -> None:
    offer(server, 100)
    keys = [f"k{number}" for number in range(24)]
    list(pool.map(lambda key: send_order(server, key).close(), keys))
    # Whether the first attempt was made or rolled back, after the second there is one order.
    answers = list(pool.map(lambda key: insist(lambda: server, key, order(("TEA", 1))), keys))
    assert {status for status, _ in answers} <= {200, 201}
    assert len({answer["id"] for _, answer in answers}) == len(books(server, 100)) == len(keys)


def test_an_order_whose_client_leaves_while_it_waits_is_not_placed(
    postgresql: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgresql.create_database()
    monkeypatch.setenv("DATABASE_URL", url)

    def sessions(state: str) -> int:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        return int(postgresql.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {others} AND {state}", url))

    with serve(uvicorn(APPLICATION)) as server:
        offer(server, 10)
        with postgresql.session(url) as other:
            other.send("BEGIN; UPDATE products SET stock = stock;")
            connection = send_order(server, "k")
            assert eventually(lambda: sessions("wait_event_type = 'Lock'") == 1, server.process)
            connection.close()
            # The server has seen the end of that connection when it answers on another that came later.
            assert ask(server, "GET", "/products/TEA")[0] == 200
            other.send("COMMIT;")
            assert eventually(lambda: sessions("state <> 'idle'") == 0, server.process)
        assert books(server, 10) == []


def test_what_was_confirmed_survives_the_sudden_end_of_the_server(
    database_url: str, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    keys = [f"k{number}" for number in range(60)]
    with serve(uvicorn(APPLICATION)) as first:
        current = first
        offer(first, 100)
        enough = threading.Semaphore(0)

        def place(key: str) -> Any:
            status, answer = insist(lambda: current, key, order(("TEA", 1)))
            enough.release()
            return status, answer

        waiting = [pool.submit(place, key) for key in keys]
        for _ in range(10):
            assert enough.acquire(timeout=60)
        first.process.kill()
        first.process.wait()
        with serve(uvicorn(APPLICATION)) as second:
            current = second
            answers = [future.result() for future in waiting]
            assert {status for status, _ in answers} <= {200, 201}
            assert {answer["id"] for _, answer in answers} == {entry["id"] for entry in books(second, 100)}
            assert len(books(second, 100)) == len(keys)


def test_nothing_is_lost_when_the_database_drops_its_connections(
    postgresql: Cluster, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgresql.create_database()
    name = url.rpartition("/")[2]
    monkeypatch.setenv("DATABASE_URL", url)
    keys = [f"k{number}" for number in range(60)]
    with serve(uvicorn(APPLICATION)) as server:
        offer(server, 100)
        waiting = [pool.submit(insist, lambda: server, key, order(("TEA", 1))) for key in keys]
        for _ in range(4):
            postgresql.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        answers = [future.result() for future in waiting]
        assert {status for status, _ in answers} <= {200, 201}
        assert {answer["id"] for _, answer in answers} == {entry["id"] for entry in books(server, 100)}
        assert len(books(server, 100)) == len(keys)
