"""The showcase's chat: rooms, who is there, and the limits, with real clients."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, cast
from urllib.parse import urlencode

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from examples.showcase.rooms import BURST, MAX_NAME, MAX_PEOPLE, MAX_ROOMS, MAX_TEXT, PER_SECOND, REMEMBERED
from tests.servers.support import HOST, Server, eventually

pytestmark = pytest.mark.server

# Seconds until anything must have come.
DEADLINE = 20

NUMBERS = itertools.count()


@pytest.fixture
def own_room() -> str:
    """A room where nobody of an earlier test is still leaving."""
    return f"own-{next(NUMBERS)}"


class Visitor:
    """Somebody in a room, who has been welcomed."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.welcome = self.read()

    def read(self) -> Any:
        return json.loads(self.connection.recv(timeout=DEADLINE))

    def said(self) -> tuple[str, str]:
        """The next message of anybody; who comes and goes meanwhile is passed over."""
        while (message := self.read())["kind"] != "said":
            pass
        return message["name"], message["text"]

    def people(self) -> tuple[list[str], str]:
        """The next list of who is here, with what happened."""
        while (message := self.read())["kind"] != "people":
            pass
        return message["people"], message["note"]

    def say(self, text: str) -> None:
        self.connection.send(text)

    def shown_out(self) -> tuple[int, str]:
        """Read until the server closes, and return how it did."""
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                self.connection.recv(timeout=DEADLINE)
        assert closed.value.rcvd is not None
        return closed.value.rcvd.code, closed.value.rcvd.reason


def address(server: Server, room: str, name: str) -> str:
    return f"ws://{HOST}:{server.port}/chat/{room}?{urlencode({'name': name})}"


@contextmanager
def opened(server: Server, room: str, name: str = "", **options: Any) -> Iterator[ClientConnection]:
    # Without a limit to what waits unread: else a client that is not read does not see the server's close frame.
    options = {"max_queue": None, "open_timeout": DEADLINE, "close_timeout": DEADLINE, "proxy": None, **options}
    with connect(address(server, room, name), **options) as connection:
        # The releases of the client differ in how they type what is entered.
        yield cast("ClientConnection", connection)


@contextmanager
def visit(server: Server, room: str, name: str = "", **options: Any) -> Iterator[Visitor]:
    with opened(server, room, name, **options) as connection:
        yield Visitor(connection)


def test_everybody_in_a_room_reads_what_anybody_says(showcase: Server) -> None:
    with visit(showcase, "blue", "Ada") as ada, visit(showcase, "blue", "Bob") as bob, visit(showcase, "red") as eve:
        ada.say("  <b>hello</b> ♥ ")
        assert ada.said() == bob.said() == ("Ada", "<b>hello</b> ♥")
        ada.say(" \n ")  # nothing
        bob.say("bye")
        assert ada.said() == bob.said() == ("Bob", "bye")
        eve.say("alone")
        assert eve.said() == ("Guest", "alone")


def test_people_are_listed_and_their_coming_and_going_is_told(showcase: Server) -> None:
    with visit(showcase, "people", "Ada") as ada:
        assert ada.welcome == {"kind": "welcome", "room": "people", "name": "Ada", "people": ["Ada"], "said": []}
        with visit(showcase, "people", "Bob") as bob:
            assert bob.welcome["people"] == ["Ada", "Bob"]
            assert ada.people() == (["Ada", "Bob"], "Bob came in.")
        assert ada.people() == (["Ada"], "Bob left.")


def test_newcomers_are_shown_what_was_said_last(showcase: Server) -> None:
    with visit(showcase, "memory", "Ada") as ada:
        ada.say("first")
        ada.say("second")
        assert [ada.said(), ada.said()] == [("Ada", "first"), ("Ada", "second")]
        with visit(showcase, "memory", "Bob") as bob:
            lines = [{"name": "Ada", "text": "first"}, {"name": "Ada", "text": "second"}]
            assert bob.welcome["said"] == lines
            assert len(lines) <= REMEMBERED


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        pytest.param("", "Guest", id="none"),
        pytest.param(" \t ", "Guest", id="blanks"),
        pytest.param("  Ada   Lovelace ", "Ada Lovelace", id="blanks-around"),
        pytest.param("a\u202eb\u200bc\nd", "abcd", id="invisible-characters"),
        pytest.param("x" * 5000, "x" * MAX_NAME, id="long"),
        pytest.param("<script>", "<script>", id="markup-is-text"),
    ],
)
def test_names_are_cleaned_and_cut(showcase: Server, own_room: str, wanted: str, given: str) -> None:
    with visit(showcase, own_room, wanted) as visitor:
        assert visitor.welcome["name"] == given


def test_a_name_that_is_taken_gets_a_number(showcase: Server) -> None:
    with visit(showcase, "twins", "Ada"), visit(showcase, "twins", "Ada") as second:
        assert second.welcome["name"] == "Ada (2)"
        with visit(showcase, "twins", "Ada") as third:
            assert third.welcome["name"] == "Ada (3)"


@pytest.mark.parametrize("room", ["Upper", "a_b", "x" * 33, "%C3%A9", "a%0A"])
def test_rooms_have_plain_names(showcase: Server, room: str) -> None:
    with opened(showcase, room) as connection:
        code, reason = refusal(connection)
    assert (code, reason) == (4004, "Rooms have names of letters a to z, digits and dashes.")


def refusal(connection: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as closed:
        connection.recv(timeout=DEADLINE)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


def test_rooms_and_people_are_limited_and_places_come_back(showcase: Server) -> None:
    with ExitStack() as visitors:
        for _ in range(MAX_PEOPLE):
            visitors.enter_context(visit(showcase, "full"))
        with opened(showcase, "full") as late:
            assert refusal(late) == (4003, "The room is full.")
        for number in range(MAX_ROOMS - 1):
            visitors.enter_context(visit(showcase, f"room-{number}"))
        with opened(showcase, "one-more") as late:
            assert refusal(late) == (4003, "There are too many rooms already.")

    def admitted() -> bool:
        with opened(showcase, "one-more") as connection:
            try:
                return "welcome" in str(connection.recv(timeout=DEADLINE))
            except ConnectionClosed:
                return False  # the others are still leaving

    assert eventually(admitted, showcase.process)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        pytest.param("x" * (MAX_TEXT + 1), 1009, id="too-long"),
        pytest.param("♥" * (MAX_TEXT + 1), 1009, id="too-many-characters"),
        pytest.param(b"bytes", 1003, id="not-text"),
    ],
)
def test_what_cannot_be_said_ends_the_connection(showcase: Server, own_room: str, sent: str | bytes, code: int) -> None:
    with visit(showcase, own_room, "Ada") as ada, visit(showcase, own_room, "Mallory") as mallory:
        mallory.connection.send(sent)
        assert mallory.shown_out()[0] == code
        assert ada.people()[1] == "Mallory came in."
        assert ada.people() == (["Ada"], "Mallory left.")


def test_a_long_message_that_is_allowed_arrives_whole(showcase: Server) -> None:
    with visit(showcase, "long", "Ada") as ada:
        ada.say("♥" * MAX_TEXT)
        assert ada.said() == ("Ada", "♥" * MAX_TEXT)


def test_who_floods_is_shown_out_and_the_others_stay(showcase: Server) -> None:
    with visit(showcase, "flood", "Ada") as ada, visit(showcase, "flood", "Mallory") as mallory:
        try:
            for number in range(10_000):
                mallory.say(f"spam {number}")
        except ConnectionClosed:
            pass
        assert mallory.shown_out() == (1008, "Too many messages at once.")
        assert ada.people()[1] == "Mallory came in."
        spam = 0
        while (message := ada.read())["kind"] == "said":
            spam += 1
        assert (message["kind"], message["people"]) == ("people", ["Ada"])
        assert BURST <= spam <= BURST + PER_SECOND * DEADLINE
        ada.say("peace")
        assert ada.said() == ("Ada", "peace")


def test_who_does_not_read_is_shown_out_and_holds_up_nobody(showcase: Server) -> None:
    """One client reads nothing, so that its buffers fill; the others meanwhile talk and are answered."""
    with ExitStack() as visitors:
        visitors.enter_context(silent_visitor(showcase, "slow"))
        reader = visitors.enter_context(visit(showcase, "slow", "Reader"))
        assert sorted(reader.welcome["people"]) == ["Reader", "Silent"]
        rounds = 0
        here = ["Reader", "Silent"]
        # Everybody may say a burst; then somebody else comes.
        while "Silent" in here and rounds < 4000:
            with visit(showcase, "slow", "Talker") as talker:
                for _ in range(BURST):
                    talker.say("\U0001f600" * MAX_TEXT)
                for _ in range(BURST):
                    assert talker.said()[0] == "Talker"
            for _ in range(BURST):
                reader.said()
            here = reader.people()[0]
            rounds += 1
        assert "Silent" not in here, f"after {rounds} rounds"
        reader.say("still here")
        assert reader.said() == ("Reader", "still here")


@contextmanager
def silent_visitor(server: Server, room: str) -> Iterator[socket.socket]:
    """Enter a room on a raw connection with small buffers, and then read nothing."""
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.settimeout(DEADLINE)
        raw.connect((HOST, server.port))
        fields = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        raw.sendall(f"GET /chat/{room}?name=Silent HTTP/1.1\r\nHost: {HOST}\r\n{fields}{key}\r\n".encode())
        answer = b""
        while b"welcome" not in answer:
            answer += raw.recv(4096)
        assert answer.startswith(b"HTTP/1.1 101 ")
        yield raw


@pytest.mark.parametrize("own", [True, False], ids=["own-page", "other-site"])
def test_only_pages_of_this_site_may_chat(showcase: Server, own: bool) -> None:
    origin = showcase.url if own else "https://evil.example"
    if own:
        with visit(showcase, "origin", "Ada", origin=origin) as ada:
            assert ada.welcome["name"] == "Ada"
    else:
        with pytest.raises(InvalidStatus) as refused, opened(showcase, "origin", "Mallory", origin=origin):
            pass
        assert refused.value.response.status_code == 403
        assert b"Only pages of this site may chat." in refused.value.response.body


def test_visitors_who_vanish_leave_the_room(showcase: Server) -> None:
    with visit(showcase, "vanish", "Ada") as ada:
        with silent_visitor(showcase, "vanish") as gone:
            assert ada.people() == (["Ada", "Silent"], "Silent came in.")
            # No close frame and no FIN: the connection is reset.
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        assert ada.people() == (["Ada"], "Silent left.")
