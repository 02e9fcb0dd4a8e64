"""FastAPI, as its documentation shows it."""

# The package is in an environment of its own, where no type checker looks.
# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

from typing import Annotated, Any

from fastapi import FastAPI, Form, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from fastapi.staticfiles import StaticFiles

from benchmarks.field.programs.bare import Passing
from benchmarks.field.workload import CHUNK, CHUNKS, FOLDER, HELLO, KIND, LAYERS, sections

app = FastAPI()


@app.get("/hello")
async def hello():
    return HELLO


@app.get("/items/{id}")
async def item(id: int, q: str, page: int):
    return {"id": id, "q": q, "page": page}


@app.post("/echo")
async def echo(document: dict[str, Any]):
    return document


@app.post("/form")
async def form(name: Annotated[str, Form()], email: Annotated[str, Form()], age: Annotated[str, Form()]):
    return {"name": name, "email": email, "age": age}


async def chunks():
    for _ in range(CHUNKS):
        yield CHUNK


@app.get("/stream")
async def stream():
    return StreamingResponse(chunks(), media_type="text/plain")


@app.get("/sync")
def sync():
    return HELLO


@app.websocket("/socket")
async def socket(websocket: WebSocket):
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect:
        pass


app.mount("/static", StaticFiles(directory=FOLDER))


def add_section(number: int, prefix: str, parameter: bool) -> None:
    if parameter:

        @app.get(f"{prefix}/item/{{id}}")
        async def section_item(id: int):
            return {"item": id}

    else:

        @app.get(f"{prefix}/page")
        async def page():
            return {"page": number}


if KIND == "routes":
    for number, (prefix, parameter) in enumerate(sections()):
        add_section(number, prefix, parameter)
if KIND == "layers":
    for _ in range(LAYERS):
        app.add_middleware(Passing)
