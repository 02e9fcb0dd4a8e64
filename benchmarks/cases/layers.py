"""Built-in middleware around a small answer: each alone, and the usual four together."""

from __future__ import annotations

import gzip
import random
from typing import Any

from benchmarks.case import EMPTY_BODY, Case, Exchanges, Work, get, http_scope
from benchmarks.case import answer as answers
from benchmarks.cases.applications import text_app

ORIGIN = (b"origin", b"https://example.org")
PREFLIGHT = [
    ORIGIN,
    (b"access-control-request-method", b"PUT"),
    (b"access-control-request-headers", b"x-token, content-type"),
]
GZIP = (b"accept-encoding", b"gzip")
KEY = "a secret of the benchmark"


def _cors() -> Any:
    from starlette.middleware import Middleware
    from starlette.middleware.cors import CORSMiddleware

    return Middleware(
        CORSMiddleware,
        allow_origins=["https://example.org"],
        allow_methods=["GET", "PUT"],
        allow_headers=["x-token"],
        allow_credentials=True,
    )


def _preflight() -> Work:
    app = text_app(("/", "x"), middleware=[_cors()])
    return Exchanges(app, http_scope("/", "OPTIONS", headers=PREFLIGHT), [EMPTY_BODY], answers(200))


def _four() -> Work:
    from starlette.middleware import Middleware
    from starlette.middleware.gzip import GZipMiddleware
    from starlette.middleware.sessions import SessionMiddleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    layers = [
        Middleware(TrustedHostMiddleware, allowed_hosts=["example.org", "*.example.com"]),
        _cors(),
        Middleware(GZipMiddleware),
        Middleware(SessionMiddleware, secret_key=KEY),
    ]
    return get(text_app(("/", "x"), middleware=layers), "/", answers(200, b"x"), headers=[ORIGIN, GZIP])


def _session() -> Work:
    import base64

    from itsdangerous import TimestampSigner

    from starlette.middleware import Middleware
    from starlette.middleware.sessions import SessionMiddleware
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def counts(request: Request) -> PlainTextResponse:
        request.session["count"] = request.session["count"] + 1
        return PlainTextResponse("x")

    cookie = TimestampSigner(KEY).sign(base64.b64encode(b'{"count": 1, "user": "tom"}'))
    app = text_app(Route("/", counts), middleware=[Middleware(SessionMiddleware, secret_key=KEY)])
    return get(app, "/", answers(200, b"x"), headers=[(b"cookie", b"session=" + cookie)])


def _gzip_large() -> Work:
    from starlette.middleware import Middleware
    from starlette.middleware.gzip import GZipMiddleware

    # Words as text has them: noise would not shrink, and one letter would be no work.
    source = random.Random(1)
    words = ["".join(source.choices("abcdefghij", k=6)) for _ in range(2000)]
    text = " ".join(source.choices(words, k=150_000))[: 1024 * 1024]

    def check(messages: list[dict[str, Any]]) -> None:
        body = b"".join(message.get("body", b"") for message in messages[1:])
        if gzip.decompress(body).decode() != text:
            raise AssertionError("the body is not what was compressed")

    return get(text_app(("/", text), middleware=[Middleware(GZipMiddleware)]), "/", check, headers=[GZIP])


CASES = (
    Case("CORS preflight", _preflight),
    Case("CORS, gzip, session, trusted host", _four),
    Case("session: load and save", _session),
    Case("gzip of 1 MiB", _gzip_large),
)
