# ruff: noqa: E501  (tables of data are easier to compare in long lines)
"""WebSockets: sequences of steps, messages of every shape, endpoints, and clients that leave."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any, Final

from tests.differential.case import CONNECT, Case, Message, binary, gone, http, text, websocket

STEPS: Final[list[Any]] = [
    ["accept"], ["accept", "chat"], ["accept", None, [(b"X-A", b"1")]], ["receive"], ["receive_text"], ["receive_bytes"], ["receive_json"],
    ["receive_json", "binary"], ["receive_json", "other"], ["send_text", "t"], ["send_bytes", b"b"], ["send_json", {"a": [1, 2], "b": "é"}],
    ["send_json", {"a": 1}, "binary"], ["send_json", 1, "other"], ["close"], ["close", 4000, "bye"], ["deny", "no"], ["streamed denial"],
    ["raw", {"type": "websocket.http.response.start", "status": 401, "headers": []}],
    ["raw", {"type": "websocket.http.response.body", "body": b"x", "more_body": True}], ["raw", {"type": "websocket.http.response.body", "body": b""}],
    ["raw", {"type": "http.response.start"}], ["iter", "text"], ["iter", "bytes"], ["iter", "json"],
]  # fmt: skip

FRAMES: Final[dict[str, tuple[Message, ...]]] = {
    "texts": (CONNECT, text("1"), text("[2]"), gone(1001, reason="left")),
    "bytes": (CONNECT, binary(b"1"), binary(b"\xff"), gone()),
    "left": (CONNECT, gone(None)),
    "left at once": (gone(1006),),
    "no code": (CONNECT, {"type": "websocket.disconnect", "code": 1000, "reason": None}),
    "not connect": (text("early"), CONNECT),
    "connect twice": (CONNECT, CONNECT, text("1")),
    "other": (CONNECT, {"type": "websocket.other"}, text("1"), gone()),
}

ENDPOINTS: Final[dict[str, tuple[Message, ...]]] = {
    "text": (text("hello"), text("")), "json": (text('{"a": NaN}'), text("[1]")), "empty": (text(""),), "bytes": (binary(b"\x00"), binary(b"")),
    "json bytes": (binary(b'{"b": 2}'),), "bad json": (text("{"), text("1")), "bad json bytes": (binary(b"{"),),
    "both text": ({"type": "websocket.receive", "text": "x", "bytes": None},), "both bytes": ({"type": "websocket.receive", "text": None, "bytes": b"1"},),
}  # fmt: skip


def session(name: str, steps: list[Any], messages: tuple[Message, ...], **options: Any) -> Case:
    """Return a case for a list of steps; the client leaves after its messages."""
    keys = {key: options.pop(key) for key in ("fails_at",) if key in options}
    scope = options.pop("scope", None) or websocket()
    return Case(
        f"websockets/{name}", "websockets.steps", scope, {"steps": steps, **options}, messages, leaves_after=0, **keys
    )


def cases() -> Iterator[Case]:
    """Yield the cases of this topic."""
    texts = FRAMES["texts"]
    for index, step in enumerate(STEPS):
        yield session(f"first {index} {step[0]}", [step, ["close"]], texts)
        yield session(f"accepted {index} {step[0]}", [["accept"], step, ["close"], ["receive"]], texts)
        yield session(f"closed {index} {step[0]}", [["accept"], ["close"], step], texts)
        yield session(f"bare {index} {step[0]}", [["accept"], step, step], texts, inside=False)
        for label, messages in FRAMES.items():
            if step[0].startswith(("receive", "iter", "accept")):
                yield session(f"frames {index} {step[0]} {label}", [["accept"], step, step, ["receive"]], messages)
    for (one, first), (two, second) in itertools.product(enumerate(STEPS), repeat=2):
        if (one + two) % 3 == 0:
            yield session(f"pair {one} {two}", [first, second], texts)
    for error in ["raise http", "raise websocket", "raise"]:
        for label, before in {
            "before": [],
            "accepted": [["accept"]],
            "closed": [["accept"], ["close"]],
            "denied": [["deny", "x"]],
        }.items():
            yield session(f"{error} {label}", [*before, [error]], texts, caught=False)
            yield session(f"{error} {label} bare", [*before, [error]], texts, caught=False, inside=False)
    for position in range(3):
        for steps in [
            [["accept"], ["send_text", "1"], ["send_text", "2"], ["close"]],
            [["deny", "x"], ["close"]],
            [["close"]],
            [["streamed denial"]],
        ]:
            name = " ".join(step[0] for step in steps)
            yield session(f"send fails {position} {name}", steps, texts, fails_at=position)
            yield session(f"send fails uncaught {position} {name}", steps, texts, fails_at=position, caught=False)
    denials = [
        [["deny", "no"]],
        [["streamed denial"]],
        [["accept"], ["deny", "late"]],
        [["receive"], ["deny", "x"], ["close"]],
    ]
    for index, steps in enumerate(denials):
        for extensions in list[dict[str, Any]]([{}, {"other": {}}]):
            yield session(f"denial {index} {sorted(extensions)}", steps, texts, scope=websocket(extensions=extensions))
    yield session(
        "forced", [["accept"], ["force", "CONNECTING"], ["receive"], ["force", "DISCONNECTED"], ["receive"]], texts
    )
    yield session("http", [["accept"]], (), scope=http())
    yield Case("websockets/close", "websockets.close", websocket(), {"code": 4000, "reason": "x"})
    yield Case("websockets/close plain", "websockets.close", websocket())
    yield from _endpoints()
    chance = random.Random(17)
    for index in range(120):
        steps = [chance.choice(STEPS) for _ in range(chance.randint(2, 6))]
        if chance.random() < 0.7:
            steps.insert(0, ["accept"])
        messages = chance.choice([FRAMES["texts"], FRAMES["bytes"], FRAMES["left"]])
        yield session(f"random {index}", steps, messages, inside=chance.random() < 0.8)


def _endpoints() -> Iterator[Case]:
    for encoding in [None, "text", "bytes", "json", "xml"]:
        for label, frames in ENDPOINTS.items():
            messages = (CONNECT, *frames, gone(1001))
            yield Case(
                f"websockets/endpoint {encoding} {label}",
                "websockets.endpoint",
                websocket(),
                {"encoding": encoding},
                messages,
            )
    hooks = [
        ["connect fails"], ["protocol", "echo"], ["no accept"], ["receive fails"], ["receive closes"], ["receive policy"], ["receive disconnect"],
        ["disconnect fails"], ["disconnect closes"], ["receive fails", "disconnect fails"], ["receive closes", "disconnect closes"],
    ]  # fmt: skip
    for hook in hooks:
        for inside in [True, False]:
            options = {"encoding": "text", "hooks": hook, "inside": inside}
            messages = (CONNECT, text("1"), text("2"), gone(1001))
            yield Case(f"websockets/hooks {hook} {inside}", "websockets.endpoint", websocket(), options, messages)
    for index, code in enumerate([None, 0, 1000, 1006, "1006"]):
        messages = (CONNECT, {"type": "websocket.disconnect", "code": code})
        yield Case(f"websockets/disconnect code {index}", "websockets.endpoint", websocket(), {}, messages)
    yield Case(
        "websockets/disconnect without code",
        "websockets.endpoint",
        websocket(),
        {},
        (CONNECT, {"type": "websocket.disconnect"}),
    )
    yield Case("websockets/endpoint http", "websockets.endpoint", http(), {"inside": False}, (CONNECT,))
