"""The clients: coroutines that ask one after the other and look at every answer."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import json
import os
import random
import struct
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

from benchmarks.soak.sizes import CHUNK

SMALL: Final = b"a small file\n" * 80
LARGE: Final = bytes(range(256)) * 8192
FILES: Final = {"small.txt": SMALL, "large.bin": LARGE}

_UPLOAD: Final = b"u" * 50_000
_ON_DISK: Final = b"d" * 1_500_000

# Seconds that one exchange may take.
_PATIENCE: Final = 30.0

Headers = dict[str, str]


class Unexpected(Exception):
    """An answer that is not the right one."""


class Client:
    """One client with a connection that it keeps while the server does."""

    def __init__(self, port: int, seed: int, done: Counter[str]) -> None:
        self.port = port
        self.choose = random.Random(seed)
        self.done = done
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter
        self._cookie: str | None = None
        self._visits = 0

    async def work(self, until: Callable[[], bool]) -> None:
        """Ask until told to stop; raises Unexpected for a wrong answer."""
        weights = [weight for weight, _ in ACTIONS]
        actions = [action for _, action in ACTIONS]
        while not until():
            action = self.choose.choices(actions, weights)[0]
            try:
                async with asyncio.timeout(_PATIENCE):
                    await action(self)
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as exc:
                raise Unexpected(f"{action.__name__}: {exc!r}") from exc
            self.done[action.__name__] += 1
        self.leave()

    # The parts of an exchange

    async def connect(self) -> None:
        if self._reader is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)

    def leave(self, *, reset: bool = False) -> None:
        """End the connection, on the spot if `reset`."""
        if self._reader is not None:
            self._reader = None
            if reset:
                self._writer.transport.abort()
            else:
                self._writer.close()

    async def send(self, method: str, path: str, body: bytes = b"", *fields: str, length: int | None = None) -> None:
        await self.connect()
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *fields]
        if method == "POST":
            lines.append(f"Content-Length: {len(body) if length is None else length}")
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await self._writer.drain()

    async def head(self) -> tuple[int, Headers]:
        assert self._reader is not None
        first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        parts = (line.partition(":") for line in lines if line)
        return int(first.split(" ")[1]), {name.lower(): value.strip() for name, _, value in parts}

    async def body(self, headers: Headers) -> bytes:
        assert self._reader is not None
        if "content-length" in headers:
            return await self._reader.readexactly(int(headers["content-length"]))
        pieces = []
        while size := int(await self._reader.readline(), 16):
            pieces.append(await self._reader.readexactly(size))
            await self._reader.readexactly(2)
        await self._reader.readexactly(2)
        return b"".join(pieces)

    async def exchange(
        self, method: str, path: str, expected: int, body: bytes = b"", *fields: str
    ) -> tuple[Headers, bytes]:
        await self.send(method, path, body, *fields)
        status, headers = await self.head()
        content = b"" if status == 304 else await self.body(headers)
        if status != expected:
            raise Unexpected(f"{method} {path}: {status} in place of {expected}: {content[:200]!r}")
        if headers.get("connection") == "close":
            self.leave()
        return headers, content

    # What it does

    async def hello(self) -> None:
        _, content = await self.exchange("GET", "/hello", 200)
        same("/hello", content, b"hello")

    async def double(self) -> None:
        number = self.choose.randrange(1_000_000)
        sent = json.dumps({"n": number, "padding": "x" * 200}).encode()
        _, content = await self.exchange("POST", f"/double/{number}?q=a%20b", 200, sent)
        same("/double", json.loads(content), {"n": number * 2, "id": number, "q": "a b"})

    async def url_encoded(self) -> None:
        sent = "&".join(f"field{number}=" + "v%20" * number for number in range(20)).encode()
        kind = "Content-Type: application/x-www-form-urlencoded"
        _, content = await self.exchange("POST", "/fields", 200, sent, kind)
        same("/fields", json.loads(content), {f"field{number}": 2 * number for number in range(20)})

    async def upload(self) -> None:
        prefix = self.choose.choice(["", "/base", "/gzip"])
        await self._upload(f"{prefix}/upload", _UPLOAD)

    async def upload_to_disk(self) -> None:
        await self._upload("/upload", _ON_DISK)

    async def _upload(self, path: str, content: bytes) -> None:
        kind = "Content-Type: multipart/form-data; boundary=b"
        _, answer = await self.exchange("POST", path, 200, multipart(content), kind)
        same(path, json.loads(answer), {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)})

    async def static_file(self) -> None:
        headers, content = await self.exchange("GET", "/static/small.txt", 200)
        same("/static/small.txt", content, SMALL)
        await self.exchange("GET", "/static/small.txt", 304, b"", f"If-None-Match: {headers['etag']}")

    async def static_range(self) -> None:
        start = self.choose.randrange(len(LARGE) - 1)
        end = min(len(LARGE), start + self.choose.randrange(1, 300_000))
        _, content = await self.exchange("GET", "/static/large.bin", 206, b"", f"Range: bytes={start}-{end - 1}")
        same("a range", content, LARGE[start:end])
        _, content = await self.exchange("GET", "/static/large.bin", 206, b"", "Range: bytes=0-9,100-109,-5")
        if LARGE[100:110] not in content:
            raise Unexpected("several ranges: a part is missing")
        await self.exchange("GET", "/static/large.bin", 416, b"", f"Range: bytes={len(LARGE)}-")

    async def stream(self) -> None:
        path = self.choose.choice(["/stream", "/stream-thread", "/base/stream"])
        await self._stream(path, await self.exchange("GET", f"{path}?chunks=8", 200))

    async def stream_compressed(self) -> None:
        headers, content = await self.exchange("GET", "/gzip/stream?chunks=8", 200, b"", "Accept-Encoding: gzip")
        await self._stream("/gzip/stream", (headers, gzip.decompress(content)))

    async def _stream(self, path: str, answer: tuple[Headers, bytes]) -> None:
        content = answer[1]
        if len(content) != 8 * CHUNK or not content.startswith(b"%08d" % 0):
            raise Unexpected(f"{path}: {len(content)} bytes, beginning with {content[:20]!r}")

    async def middleware(self) -> None:
        headers, content = await self.exchange("GET", "/base/hello", 200)
        same("/base/hello", (headers.get("x-passed"), content), ("yes", b"hello"))

    async def blocking(self) -> None:
        _, content = await self.exchange("GET", "/blocking", 200)
        same("/blocking", content, b"from a thread")

    async def session(self) -> None:
        fields = [] if self._cookie is None else [f"Cookie: {self._cookie}"]
        headers, content = await self.exchange("GET", "/visit/", 200, b"", *fields)
        self._visits += 1
        same("/visit/", int(content), self._visits)
        self._cookie = headers["set-cookie"].partition(";")[0]

    async def errors(self) -> None:
        await self.exchange("GET", "/nowhere", 404)
        await self.exchange("GET", "/double/1", 405)
        await self.exchange("GET", "/refuse", 418)
        await self.exchange("GET", "/base/refuse", 418)
        await self.exchange(
            "POST", "/upload", 400, b"--b\r\nnot a part", "Content-Type: multipart/form-data; boundary=b"
        )
        await self.exchange("GET", "/static/../secret", 404)

    async def failure(self) -> None:
        self.done["planned failures"] += 1
        _, content = await self.exchange("GET", "/fail", 500)
        same("/fail", content, b"Internal Server Error")
        self.leave()

    async def leave_in_a_stream(self) -> None:
        prefix = self.choose.choice(["/stream", "/stream-thread", "/base/stream", "/gzip/stream"])
        self.leave()
        await self.send("GET", f"{prefix}?chunks=200", b"", "Accept-Encoding: gzip")
        await self.head()
        self.leave(reset=self.choose.random() < 0.5)

    async def leave_in_a_file(self) -> None:
        self.leave()
        await self.send("GET", "/static/large.bin")
        await self.head()
        self.leave(reset=self.choose.random() < 0.5)

    async def leave_in_an_upload(self) -> None:
        """Leave when half of a file has been sent; the application ends with `ClientDisconnect`."""
        self.leave()
        self.done["planned disconnects"] += 1
        body, kind = multipart(_ON_DISK), "Content-Type: multipart/form-data; boundary=b"
        await self.send("POST", "/upload", body[: len(body) * 9 // 10], kind, length=len(body))
        self.leave()

    async def websocket(self) -> None:
        self.leave()
        key = base64.b64encode(os.urandom(16)).decode()
        fields = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
        await self.send("GET", "/echo", b"", *fields)
        status, _ = await self.head()
        if status != 101:
            raise Unexpected(f"/echo: {status} in place of 101")
        assert self._reader is not None
        for number in range(self.choose.randrange(1, 10)):
            text = b"%04d" % number * 20
            self._writer.write(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)
            same("/echo", await self._reader.readexactly(2 + len(text)), bytes([0x81, len(text)]) + text)
        if self.choose.random() < 0.5:
            self._writer.write(bytes([0x88, 0x82]) + bytes(4) + struct.pack("!H", 1000))
            same("the end of /echo", await self._reader.readexactly(4), bytes([0x88, 2]) + struct.pack("!H", 1000))
        self.leave(reset=self.choose.random() < 0.5)


def multipart(content: bytes) -> bytes:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    return head + content + b"\r\n--b--\r\n"


def same(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise Unexpected(f"{what}: {str(found)[:200]} in place of {str(expected)[:200]}")


# How often each is done, of the sum of all.
ACTIONS: Final[list[tuple[int, Callable[[Client], Awaitable[None]]]]] = [
    (300, Client.hello),
    (150, Client.double),
    (60, Client.url_encoded),
    (30, Client.upload),
    (4, Client.upload_to_disk),
    (60, Client.static_file),
    (20, Client.static_range),
    (30, Client.stream),
    (10, Client.stream_compressed),
    (100, Client.middleware),
    (60, Client.blocking),
    (80, Client.session),
    (40, Client.errors),
    (4, Client.failure),
    (10, Client.leave_in_a_stream),
    (6, Client.leave_in_a_file),
    (4, Client.leave_in_an_upload),
    (20, Client.websocket),
]
