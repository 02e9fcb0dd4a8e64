"""The exchanges that all sides answer: what is asked, and what the answer has to say."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True)
class Exchange:
    """One request, repeated, and the JSON that answers it."""

    name: str
    path: str
    method: str = "GET"
    query: bytes = b""
    body: bytes = b""
    answer: Any = None
    headers: tuple[tuple[bytes, bytes], ...] = field(default=())

    def scope(self) -> dict[str, Any]:
        """Return the scope as a server makes it."""
        headers = [(b"host", b"example.org"), (b"accept", b"*/*"), (b"user-agent", b"benchmark"), *self.headers]
        if self.body:
            headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(self.body))]
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": self.query,
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 80),
            "state": {},
        }


# About a kibibyte: an order of ten lines.
ORDER: Final = {
    "customer": "Ada Lovelace",
    "note": "Please leave the parcel with the neighbours on the second floor.",
    "lines": [
        {"sku": f"part-{number:04}", "title": f"A part, the number {number}", "count": number, "price": 2.5}
        for number in range(1, 12)
    ],
}

EXCHANGES: Final = (
    Exchange(
        "path and query",
        "/items/7",
        query=b"limit=20&offset=40&search=blue&active=true",
        answer={"id": 7, "limit": 20, "offset": 40, "search": "blue", "active": True},
    ),
    Exchange("1 KiB body", "/orders", "POST", body=json.dumps(ORDER, separators=(",", ":")).encode(), answer=ORDER),
    Exchange("five dependencies", "/nested", query=b"limit=20", answer={"value": 26}),
)
