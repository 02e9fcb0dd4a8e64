"""What the shop does for one client after the other."""

from __future__ import annotations

import runpy
from typing import Any

import pytest

from starlette.testclient import TestClient

JSON = dict[str, Any]


def order(*lines: tuple[str, int], customer: str = "Ada") -> JSON:
    return {"customer": customer, "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines]}


def stock(client: TestClient, sku: str = "TEA") -> int:
    return int(client.get(f"/products/{sku}").json()["stock"])


def test_an_order_takes_from_the_stock(shop: TestClient) -> None:
    answer = shop.post("/orders", json=order(("TEA", 2), ("CUP", 1), ("TEA", 1)))
    assert (answer.status_code, answer.headers["location"]) == (201, "/orders/1")
    assert answer.json() == {
        "id": 1,
        "customer": "Ada",
        "status": "open",
        "total_cents": 3 * 450 + 1200,
        "version": 1,
        "lines": [
            {"sku": "CUP", "quantity": 1, "price_cents": 1200},
            {"sku": "TEA", "quantity": 3, "price_cents": 450},
        ],
    }
    assert shop.get("/orders/1").json() == answer.json()
    assert (stock(shop), stock(shop, "CUP")) == (7, 4)


def test_an_order_is_placed_as_a_whole_or_not_at_all(shop: TestClient) -> None:
    answer = shop.post("/orders", json=order(("CUP", 1), ("NONE", 1), ("TEA", 11)))
    assert answer.status_code == 409
    assert answer.json()["missing"] == [{"sku": "NONE", "wanted": 1}, {"sku": "TEA", "wanted": 11}]
    assert (stock(shop), stock(shop, "CUP")) == (10, 5)
    assert shop.get("/orders").json() == {"items": [], "next": None}


def test_a_price_is_that_of_the_day(shop: TestClient) -> None:
    shop.post("/orders", json=order(("TEA", 1)))
    shop.put("/products/TEA", json={"name": "Tea", "price_cents": 999, "stock": 9})
    assert shop.get("/orders/1").json()["total_cents"] == 450


def test_asking_twice_with_one_key_orders_once(shop: TestClient) -> None:
    keys = {"idempotency-key": "a-1"}
    first = shop.post("/orders", json=order(("TEA", 1)), headers=keys)
    second = shop.post("/orders", json=order(("TEA", 1)), headers=keys)
    assert (first.status_code, second.status_code) == (201, 200)
    assert (first.json(), first.headers["location"]) == (second.json(), second.headers["location"])
    other = shop.post("/orders", json=order(("TEA", 2)), headers=keys)
    assert (other.status_code, "was used" in other.json()["detail"]) == (409, True)
    assert stock(shop) == 9


def test_a_key_is_free_again_when_its_order_failed(shop: TestClient) -> None:
    keys = {"idempotency-key": "a-1"}
    assert shop.post("/orders", json=order(("TEA", 11)), headers=keys).status_code == 409
    assert shop.post("/orders", json=order(("TEA", 10)), headers=keys).status_code == 201


def test_an_order_is_paid_once(shop: TestClient) -> None:
    shop.post("/orders", json=order(("TEA", 1)))
    paid = shop.post("/orders/1/payment", json={"version": 1})
    assert (paid.status_code, paid.json()["status"], paid.json()["version"]) == (200, "paid", 2)
    for action in ("payment", "cancellation"):
        again = shop.post(f"/orders/1/{action}", json={"version": 2})
        assert (again.status_code, again.json()["detail"]) == (409, "The order is paid.")


def test_a_cancelled_order_gives_back_what_it_took(shop: TestClient) -> None:
    shop.post("/orders", json=order(("TEA", 4), ("CUP", 1)))
    stale = shop.post("/orders/1/cancellation", json={"version": 9})
    assert (stale.status_code, stale.json()["version"]) == (409, 1)
    assert shop.post("/orders/1/cancellation", json={"version": 1}).json()["status"] == "cancelled"
    assert (stock(shop), stock(shop, "CUP")) == (10, 5)


def test_lists_come_in_pages(shop: TestClient) -> None:
    for _ in range(5):
        shop.post("/orders", json=order(("TEA", 1)))
    shop.post("/orders/2/payment", json={"version": 1})
    pages = []
    after: int | None = 0
    while after is not None:
        page = shop.get("/orders", params={"limit": 2, **({"after": after} if after else {})}).json()
        pages.append([item["id"] for item in page["items"]])
        after = page["next"]
    assert pages == [[1, 2], [3, 4], [5]]
    assert [item["id"] for item in shop.get("/orders?status=paid").json()["items"]] == [2]
    first = shop.get("/products?limit=1").json()
    assert ([item["sku"] for item in first["items"]], first["next"]) == (["CUP"], "CUP")
    assert [item["sku"] for item in shop.get("/products?after=CUP").json()["items"]] == ["TEA"]


def test_all_orders_can_be_streamed(shop: TestClient) -> None:
    for customer in ("Ada", "Grace"):
        shop.post("/orders", json=order(("TEA", 1), customer=customer))
    lines = shop.get("/export", headers={"accept": "application/x-ndjson"}).text.splitlines()
    assert [shop.get(f"/orders/{number}").text for number in (1, 2)] == lines


@pytest.mark.parametrize("path", ["/products/NONE", "/orders/1", "/nowhere"])
def test_what_is_not_there(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_mistakes_are_told_one_by_one_and_in_words(client: TestClient) -> None:
    sent = {"customer": "x" * 81, "lines": [{"sku": "tea", "quantity": 0}, {"sku": "TEA", "amount": 1}], "gift": True}
    answer = client.post("/orders", json=sent)
    assert answer.status_code == 422
    assert {error["location"]: error["message"] for error in answer.json()["errors"]} == {
        "body.customer": "must have at most 80 characters",
        "body.lines[0].sku": "must match '^[A-Z0-9-]+$'",
        "body.lines[0].quantity": "must be an integer of at least 1",
        "body.lines[1].quantity": "is required",
        "body.lines[1].amount": "is not known",
        "body.gift": "is not known",
    }


def test_the_page_and_its_document(client: TestClient) -> None:
    assert client.get("/docs").headers["content-type"].startswith("text/html")
    document = client.get("/openapi.json").json()
    assert set(document["paths"]) == {
        "/products",
        "/products/{sku}",
        "/orders",
        "/orders/{id}",
        "/orders/{id}/payment",
        "/orders/{id}/cancellation",
        "/export",
    }


def test_the_shop_is_served_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[str] = []
    monkeypatch.setattr("uvicorn.run", served.append)
    runpy.run_module("examples.orders", run_name="__main__")
    assert served == ["examples.orders.app:app"]
