"""Plays cases under whatever `starlette` this interpreter imports, and writes their transcripts.

Run as `python -m tests.differential.player asyncio < cases > transcripts`, both pickled: a list of cases, and a dict
from their names to lists of lines. It needs nothing but the package, its optional libraries, anyio and trio.
"""

from __future__ import annotations

import copy
import os
import pickle
import sys
import tempfile
import time
from typing import Any, Final

import anyio
import anyio.lowlevel

from tests.differential import apps, transcript, tree
from tests.differential.case import Case, Message

# Seconds that one exchange may take before it counts as hanging.
PATIENCE: Final = 4.0

# The moment at which every case is played, so that dates and signatures are equal: 2033-05-18T03:33:20Z.
NOW: Final = 2_000_000_000.0


class Client:
    """The server's side of one exchange: hands out the messages of a case, and writes down what it is sent."""

    def __init__(self, case: Case, lines: list[str]) -> None:
        self._waiting = [copy.deepcopy(message) for message in case.messages]
        self._leaves_after = case.leaves_after
        self._fails_at = case.fails_at
        self._gone: Message = {"type": "http.disconnect"}
        if case.scope["type"] == "websocket":
            self._gone = {"type": "websocket.disconnect", "code": 1006}
        self._messages = transcript.Messages(lines)
        self._lines = lines
        self._sent = 0
        self._moved = anyio.Event()

    async def receive(self) -> Message:
        """Return the next message of the case; once the client has left, that it did."""
        if self._waiting:
            message = self._waiting.pop(0)
            if message["type"].endswith(".disconnect"):
                self._gone, self._leaves_after = message, 0
            return message
        while self._leaves_after is None or self._sent < self._leaves_after:
            await self._moved.wait()
        return dict(self._gone)

    async def send(self, message: Message) -> None:
        """Write the message down, and raise as a server does whose client has left."""
        if self._fails_at is not None and self._sent >= self._fails_at:
            self._lines.append(f"send {message['type']} fails")
            raise OSError("the client left")
        self._messages.add(message)
        self._sent += 1
        self._moved.set()
        self._moved = anyio.Event()


async def play(case: Case, folder: str) -> list[str]:
    """Return the transcript of one case."""
    lines = transcript.begin(folder)
    client = Client(case, lines)
    scope: dict[str, Any] = copy.deepcopy(dict(case.scope))
    try:
        application = apps.made(case.app, dict(case.options))
    except Exception as error:
        return [f"not made: {transcript.described(error)}"]
    with anyio.move_on_after(PATIENCE) as limit:
        try:
            await application(scope, client.receive, client.send)
        except Exception as error:
            lines.append(f"raised {transcript.described(error)}{transcript.chain(error) if case.shows_causes else ''}")
        else:
            lines.append("returned")
    if limit.cancelled_caught:
        lines.append("hangs")
    return lines


async def play_all(cases: list[Case]) -> dict[str, list[str]]:
    """Return the transcripts of all cases, by name."""
    with tempfile.TemporaryDirectory() as made:
        folder = tree.make(made)
        os.chdir(folder)
        return {case.name: list(await play(case, folder)) for case in cases}


def main() -> None:
    """Play the cases of standard input on the loop that the first argument names."""
    cases = pickle.load(sys.stdin.buffer)
    time.time = lambda: NOW
    output = os.dup(1)
    os.dup2(2, 1)  # what applications print is not part of the answer
    transcripts = anyio.run(play_all, cases, backend=sys.argv[1])
    with os.fdopen(output, "wb") as stream:
        pickle.dump(transcripts, stream)


if __name__ == "__main__":
    main()
