"""Whatever is sent: no answer is a failure of the server, and each is what the document of the shop says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from starlette.testclient import TestClient
from tests.servers.support import ROOT, serve, uvicorn

PATHS = ["/products", "/products/TEA", "/orders", "/orders/1", "/orders/1/payment", "/orders/1/cancellation", "/export"]

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text() | st.sampled_from(["TEA", "\x00", "\ud800", "9" * 400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["customer", "lines", "sku", "quantity", "name", "price_cents", "stock", "version"])

# A client of the test is one for all examples; what they store is theirs to find.
HOSTILE = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@HOSTILE
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=st.sampled_from(PATHS),
    body=st.binary(max_size=200),
    kind=st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain", "\x80"]),
    query=st.binary(max_size=40),
)
@example(method="POST", path="/orders", body=b"\xff\xfe", kind="application/json", query=b"")
@example(method="POST", path="/orders", body=b"[" * 100_000, kind="application/json", query=b"")
@example(method="GET", path="/orders", body=b"", kind="text/plain", query=b"after=%00&limit=%ff")
def test_any_bytes_have_an_answer(
    shop: TestClient, method: str, path: str, body: bytes, kind: str, query: bytes
) -> None:
    url = f"{path}?{quote(query, safe='&=%+;,[]')}"  # clients send no other bytes
    answer = shop.request(method, url, content=body, headers={b"content-type": kind.encode("latin-1")})
    assert answer.status_code < 500, answer.text


@HOSTILE
@given(
    path=st.sampled_from(["/orders", "/orders/1/payment"]),
    body=st.dictionaries(NAMES, VALUES | st.lists(st.dictionaries(NAMES, VALUES, max_size=3), max_size=3), max_size=4),
    key=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=120),
)
@example(path="/orders", body={"customer": "\x00", "lines": [{"sku": "TEA", "quantity": 1}]}, key="a")
@example(path="/orders", body={"customer": "\U0001f600", "lines": [{"sku": "TEA", "quantity": 1}]}, key="b")
@example(path="/orders", body={"customer": "x", "lines": [{"sku": "TEA", "quantity": 2**70}]}, key="c")
@example(path="/orders/1/payment", body={"version": 2**63}, key="d")
def test_any_content_has_an_answer(shop: TestClient, path: str, body: dict[str, object], key: str) -> None:
    headers = {b"idempotency-key": key.strip().encode("latin-1"), b"content-type": b"application/json"}
    answer = shop.post(path, content=json.dumps(body), headers=headers)
    assert answer.status_code < 500, answer.text


@HOSTILE
@given(after=st.text(), limit=st.text() | st.integers().map(str), sku=st.text(min_size=1))
@example(after="\x00", limit="1", sku="\x00")
@example(after=str(2**63), limit="9" * 5000, sku="%00")
def test_any_text_in_a_url_has_an_answer(shop: TestClient, after: str, limit: str, sku: str) -> None:
    for path in ("/orders", "/products"):
        assert shop.get(path, params={"after": scalar(after), "limit": scalar(limit)}).status_code < 500
    assert shop.get("/products/" + "".join(f"%{byte:02x}" for byte in scalar(sku).encode())).status_code < 500


def scalar(text: str) -> str:
    """Return text without lone surrogates, which no URL can have."""
    return text.encode("utf-8", "replace").decode()


@pytest.mark.server
def test_schemathesis_finds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'orders.db'}")
    program = Path(sys.executable).with_name("schemathesis")
    options = [
        "--seed=1",
        "--max-examples=10",
        "--checks=all",
        "--suppress-health-check=all",
        "--request-timeout=60",
        "--generation-database=none",
        "--no-color",
    ]
    with serve(uvicorn("examples.orders.app:app")) as server:
        done = subprocess.run(
            [program, "run", f"{server.url}/openapi.json", *options],
            env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.examples.orders.hooks", "PYTHONPATH": str(ROOT)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "Tested: 9" in done.stdout
