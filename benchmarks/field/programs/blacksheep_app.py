"""BlackSheep, as its documentation shows it. Its plain functions run on the event loop: `sync` asks for a thread."""

# The package is in an environment of its own, where no type checker looks.
# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

import asyncio

from blacksheep import Application, Request, Response, StreamedContent, WebSocket, WebSocketDisconnectError, json

from benchmarks.field.workload import CHUNK, CHUNKS, FOLDER, HELLO, KIND, LAYERS, sections

app = Application()


@app.router.get("/hello")
async def hello():
    return json(HELLO)


@app.router.get("/items/{id}")
async def item(id: int, q: str, page: int):
    return json({"id": id, "q": q, "page": page})


@app.router.post("/echo")
async def echo(request: Request):
    return json(await request.json())


@app.router.post("/form")
async def form(request: Request):
    fields = await request.form()
    return json({"name": fields["name"], "email": fields["email"], "age": fields["age"]})


async def chunks():
    for _ in range(CHUNKS):
        yield CHUNK


@app.router.get("/stream")
async def stream():
    return Response(200, content=StreamedContent(b"text/plain", chunks))


@app.router.get("/sync")
async def sync():
    return json(await asyncio.to_thread(lambda: HELLO))


@app.router.ws("/socket")
async def socket(websocket: WebSocket):
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnectError:
        pass


app.serve_files(FOLDER, root_path="static", extensions={".txt", ".bin"})


def add_section(number: int, prefix: str, parameter: bool) -> None:
    if parameter:

        @app.router.get(f"{prefix}/item/{{id}}")
        async def section_item(id: int):
            return json({"item": id})

    else:

        @app.router.get(f"{prefix}/page")
        async def page():
            return json({"page": number})


def passing():
    async def middleware(request, handler):
        return await handler(request)

    return middleware


if KIND == "routes":
    for number, (prefix, parameter) in enumerate(sections()):
        add_section(number, prefix, parameter)
if KIND == "layers":
    for _ in range(LAYERS):
        app.middlewares.append(passing())
