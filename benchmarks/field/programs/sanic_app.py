"""Sanic, as its documentation shows it. Its handlers all run on the event loop: `sync` asks for a thread."""

# The package is in an environment of its own, where no type checker looks.
# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

import asyncio
import logging
import sys

from sanic import Sanic
from sanic.response import json

from benchmarks.field.workload import CHUNK, CHUNKS, FOLDER, HELLO, KIND, LAYERS, sections

app = Sanic("field")
app.config.ACCESS_LOG = False
app.config.MOTD = False
# Otherwise it reports each connection.
for name in ("sanic.root", "sanic.server", "sanic.websockets"):
    logging.getLogger(name).setLevel(logging.WARNING)


@app.get("/hello")
async def hello(request):
    return json(HELLO)


@app.get("/items/<id:int>")
async def item(request, id):
    return json({"id": id, "q": request.args.get("q"), "page": int(request.args.get("page"))})


@app.post("/echo")
async def echo(request):
    return json(request.json)


@app.post("/form")
async def form(request):
    fields = request.form
    return json({"name": fields.get("name"), "email": fields.get("email"), "age": fields.get("age")})


@app.get("/stream")
async def stream(request):
    response = await request.respond(content_type="text/plain")
    for _ in range(CHUNKS):
        await response.send(CHUNK)
    await response.eof()


@app.get("/sync")
async def sync(request):
    return json(await asyncio.to_thread(lambda: HELLO))


@app.websocket("/socket")
async def socket(request, ws):
    while (message := await ws.recv()) is not None:
        await ws.send(message)


app.static("/static", FOLDER)


async def section_item(request, id):
    return json({"item": id})


def page(number):
    async def endpoint(request):
        return json({"page": number})

    return endpoint


if KIND == "routes":
    for number, (prefix, parameter) in enumerate(sections()):
        if parameter:
            app.add_route(section_item, f"{prefix}/item/<id:int>", name=f"section{number}")
        else:
            app.add_route(page(number), f"{prefix}/page", name=f"section{number}")


def add_layer() -> None:
    @app.on_request
    async def before(request):
        pass

    @app.on_response
    async def after(request, response):
        pass


if KIND == "layers":
    for _ in range(LAYERS):
        add_layer()

if __name__ == "__main__":
    app.run("127.0.0.1", int(sys.argv[1]), single_process=True, access_log=False, motd=False)
