"""A chat over WebSockets: everybody in a room reads what anybody says."""

from __future__ import annotations

import time
from typing import Final
from urllib.parse import urlsplit

import anyio

from examples.showcase.pages import filled, page
from examples.showcase.rooms import MAX_NAME, MAX_TEXT, TOO_LONG, TOO_MUCH, Hub, NoPlace, Person, Room
from starlette.exceptions import HTTPException, WebSocketException
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route, WebSocketRoute
from starlette.status import WS_1003_UNSUPPORTED_DATA
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

# Seconds that a close frame may take to somebody who does not read.
FAREWELL: Final = 1.0


async def chat_page(request: Request) -> HTMLResponse:
    body = filled("chat", max_name=str(MAX_NAME), max_text=str(MAX_TEXT))
    return page("Chat", body, current="/chat", head='<script src="/static/chat.js" defer></script>')


async def talk(websocket: WebSocket) -> None:
    """Be somebody in the room of the path, under the name of the query, until either side leaves."""
    refuse_other_sites(websocket)
    await websocket.accept()
    hub: Hub = websocket.state.hub
    try:
        with hub.entered(websocket.path_params["room"], websocket.query_params.get("name", "")) as (room, person):
            with person.scope:
                async with anyio.create_task_group() as group:
                    group.start_soon(deliver, websocket, person)
                    await listen(websocket, room, person)
                    group.cancel_scope.cancel()
    except NoPlace as refusal:
        raise WebSocketException(refusal.code, str(refusal)) from None
    if person.farewell is not None:
        with anyio.move_on_after(FAREWELL):
            await part(websocket, *person.farewell)


def refuse_other_sites(websocket: WebSocket) -> None:
    """Answer 403 to pages of other sites: browsers let those open WebSockets in the name of their visitor."""
    origin = websocket.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != websocket.headers.get("host"):
        raise HTTPException(403, "Only pages of this site may chat.")


async def deliver(websocket: WebSocket, person: Person) -> None:
    """Send what waits for a person. It takes as long as it takes: nobody else waits for it."""
    try:
        async for message in person.inbox:
            await websocket.send_text(message)
    except WebSocketDisconnect:
        person.scope.cancel()


async def listen(websocket: WebSocket, room: Room, person: Person) -> None:
    """Say in the room what a person sends, as long as the limits are kept."""
    try:
        async for text in websocket.iter_text():
            if len(text) > MAX_TEXT:
                person.show_out(TOO_LONG, f"A message has at most {MAX_TEXT} characters.")
            elif not person.allowance.take(time.monotonic()):
                person.show_out(TOO_MUCH, "Too many messages at once.")
            elif said := text.strip():
                room.say(person, said)
            if person.farewell is not None:
                return
    except KeyError:
        person.show_out(WS_1003_UNSUPPORTED_DATA, "Only text can be said.")


async def part(websocket: WebSocket, code: int, reason: str) -> None:
    try:
        await websocket.close(code, reason)
    except (WebSocketDisconnect, WebSocketDisconnected):
        pass  # gone meanwhile


routes = [Route("/chat", chat_page), WebSocketRoute("/chat/{room}", talk)]
