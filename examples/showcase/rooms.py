"""Rooms of people who talk to one another, without a word of the network.

Everything has a limit: rooms, people in a room, names, messages, how many of them one may say, and how many wait for
somebody who reads slowly. Saying something never waits: who does not keep up is shown out instead.
"""

from __future__ import annotations

import json
import re
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import anyio

MAX_ROOMS: Final = 20
MAX_PEOPLE: Final = 30
MAX_NAME: Final = 24
MAX_TEXT: Final = 500

# What somebody may say at once, and how much more with each second.
BURST: Final = 10
PER_SECOND: Final = 2.0

# Messages that newcomers are shown, and messages that may wait for a person.
REMEMBERED: Final = 20
WAITING: Final = 64

_ROOM_NAME: Final = re.compile(r"[a-z0-9-]{1,32}")

# Close codes of our own (RFC 6455 §7.4.2) and of the protocol: for these a client need not try again.
NO_SUCH_ROOM: Final = 4004
FULL: Final = 4003
TOO_MUCH: Final = 1008
TOO_LONG: Final = 1009
# For this one it should.
TOO_SLOW: Final = 1013


class NoPlace(Exception):
    """Somebody cannot enter a room; `code` and the text are for a close frame."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass
class Allowance:
    """How much somebody may say now: `BURST`, less what was said, plus `PER_SECOND`."""

    left: float = BURST
    at: float = field(default_factory=time.monotonic)

    def take(self, now: float) -> bool:
        """Use up one message at `now`, in seconds; False when none is left."""
        self.left = min(BURST, self.left + (now - self.at) * PER_SECOND) - 1
        self.at = now
        return self.left >= 0


class Person:
    """Somebody in a room, with what waits to be read.

    Attributes:
        scope: What is done for this person is done inside of it; being shown out cancels it.
        farewell: Code and reason of the close frame, when shown out.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.outbox, self.inbox = anyio.create_memory_object_stream[str](WAITING)
        self.scope = anyio.CancelScope()
        self.farewell: tuple[int, str] | None = None
        self.allowance = Allowance()

    def offer(self, message: str) -> None:
        """Add to what waits, or show out somebody for whom too much is waiting."""
        try:
            self.outbox.send_nowait(message)
        except anyio.WouldBlock:
            self.show_out(TOO_SLOW, "Too many messages are waiting for you.")

    def show_out(self, code: int, reason: str) -> None:
        if self.farewell is None:
            self.farewell = (code, reason)
            self.scope.cancel()


@dataclass
class Room:
    name: str
    people: dict[str, Person] = field(default_factory=dict)
    said: deque[dict[str, str]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def say(self, person: Person, text: str) -> None:
        """Let everybody in the room read `text`, the speaker included."""
        line = {"name": person.name, "text": text}
        self.said.append(line)
        self._tell({"kind": "said", **line})

    def enter(self, person: Person) -> None:
        self.people[person.name] = person
        names = list(self.people)
        welcome = {"kind": "welcome", "room": self.name, "name": person.name, "people": names, "said": list(self.said)}
        person.offer(json.dumps(welcome))
        self._tell({"kind": "people", "people": names, "note": f"{person.name} came in."}, but=person)

    def leave(self, person: Person) -> None:
        del self.people[person.name]
        self._tell({"kind": "people", "people": list(self.people), "note": f"{person.name} left."})

    def _tell(self, message: dict[str, object], but: Person | None = None) -> None:
        text = json.dumps(message)
        for person in self.people.values():
            if person is not but:
                person.offer(text)


class Hub:
    """All rooms. A room is there as long as somebody is in it."""

    def __init__(self) -> None:
        self.rooms: dict[str, Room] = {}

    @contextmanager
    def entered(self, room_name: str, wanted: str) -> Iterator[tuple[Room, Person]]:
        """Be in a room, under a name like the wanted one that nobody else there has.

        Raises:
            NoPlace: There can be no such room, there are too many rooms, or too many people in this one.
        """
        room = self._room(room_name)
        person = Person(free_name(wanted, room.people))
        with person.outbox, person.inbox:
            self.rooms[room.name] = room
            room.enter(person)
            try:
                yield room, person
            finally:
                room.leave(person)
                if not room.people:
                    del self.rooms[room.name]

    def _room(self, name: str) -> Room:
        if _ROOM_NAME.fullmatch(name) is None:
            raise NoPlace(NO_SUCH_ROOM, "Rooms have names of letters a to z, digits and dashes.")
        room = self.rooms.get(name) or Room(name)
        if not room.people and len(self.rooms) >= MAX_ROOMS:
            raise NoPlace(FULL, "There are too many rooms already.")
        if len(room.people) >= MAX_PEOPLE:
            raise NoPlace(FULL, "The room is full.")
        return room


def free_name(wanted: str, taken: dict[str, Person]) -> str:
    """Return `wanted`, cleaned and cut, with a number if it is taken."""
    # What cannot be printed could make a name look like another: line ends, zero widths, changes of direction.
    visible = "".join(character for character in wanted if character.isprintable())
    name = " ".join(visible.split())[:MAX_NAME].strip() or "Guest"
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free
