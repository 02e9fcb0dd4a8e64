"""Litestar, as its documentation shows it."""

# The package is in an environment of its own, where no type checker looks.
# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

from typing import Annotated, Any

from litestar import Litestar, WebSocket, get, post, websocket
from litestar.enums import RequestEncodingType
from litestar.exceptions import WebSocketDisconnect
from litestar.params import Body
from litestar.response import Stream
from litestar.static_files import create_static_files_router
from litestar.status_codes import HTTP_200_OK

from benchmarks.field.programs.bare import Passing
from benchmarks.field.workload import CHUNK, CHUNKS, FOLDER, HELLO, KIND, LAYERS, sections


@get("/hello")
async def hello() -> dict[str, str]:
    return HELLO


@get("/items/{id:int}")
async def item(id: int, q: str, page: int) -> dict[str, Any]:
    return {"id": id, "q": q, "page": page}


@post("/echo", status_code=HTTP_200_OK)
async def echo(data: dict[str, Any]) -> dict[str, Any]:
    return data


@post("/form", status_code=HTTP_200_OK)
async def form(data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]) -> dict[str, str]:
    return {"name": data["name"], "email": data["email"], "age": data["age"]}


async def chunks():
    for _ in range(CHUNKS):
        yield CHUNK


@get("/stream", media_type="text/plain")
async def stream() -> Stream:
    return Stream(chunks())


@get("/sync", sync_to_thread=True)
def sync() -> dict[str, str]:
    return HELLO


@websocket("/socket")
async def socket(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        pass


def section(number: int, prefix: str, parameter: bool):
    if parameter:

        @get(f"{prefix}/item/{{id:int}}")
        async def section_item(id: int) -> dict[str, int]:
            return {"item": id}

        return section_item

    @get(f"{prefix}/page")
    async def page() -> dict[str, int]:
        return {"page": number}

    return page


handlers = [hello, item, echo, form, stream, sync, socket]
handlers.append(create_static_files_router(path="/static", directories=[FOLDER]))
if KIND == "routes":
    handlers += [section(number, *row) for number, row in enumerate(sections())]

app = Litestar(route_handlers=handlers, middleware=[Passing] * LAYERS if KIND == "layers" else [])
