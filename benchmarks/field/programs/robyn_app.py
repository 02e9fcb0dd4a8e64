"""Robyn on its own server, which is written in Rust. It is no ASGI framework."""

# The package is in an environment of its own, where no type checker looks.
# mypy: ignore-errors
# ruff: noqa: E402
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

import sys
from urllib.parse import parse_qsl

port = int(sys.argv[1])
# Robyn reads its options from the command line, when it is imported.
sys.argv[1:] = ["--log-level", "WARN", "--disable-openapi"]

from robyn import Robyn, StreamingResponse

from benchmarks.field.workload import CHUNK, CHUNKS, FOLDER, HELLO, KIND, LAYERS, sections

app = Robyn(__file__)


@app.get("/hello")
async def hello(request):
    return HELLO


@app.get("/items/:id")
async def item(request):
    query = request.query_params
    return {"id": int(request.path_params["id"]), "q": query.get("q", ""), "page": int(query.get("page", "0"))}


@app.post("/echo")
async def echo(request):
    return request.json()


@app.post("/form")
async def form(request):
    # `request.form_data` is for multipart forms only.
    fields = dict(parse_qsl(request.body))
    return {"name": fields["name"], "email": fields["email"], "age": fields["age"]}


async def chunks():
    for _ in range(CHUNKS):
        yield CHUNK


@app.get("/stream")
async def stream(request):
    return StreamingResponse(chunks(), media_type="text/plain")


@app.get("/sync")
def sync(request):
    return HELLO


@app.websocket("/socket")
async def socket(websocket):
    while True:
        await websocket.send_text(await websocket.receive_text())


app.serve_directory(route="/static", directory_path=str(FOLDER))


def add_section(number: int, prefix: str, parameter: bool) -> None:
    if parameter:

        @app.get(f"{prefix}/item/:id")
        async def section_item(request):
            return {"item": int(request.path_params["id"])}

    else:

        @app.get(f"{prefix}/page")
        async def page(request):
            return {"page": number}


def add_layer() -> None:
    @app.before_request()
    async def before(request):
        return request

    @app.after_request()
    async def after(response):
        return response


if KIND == "routes":
    for number, (prefix, parameter) in enumerate(sections()):
        add_section(number, prefix, parameter)
if KIND == "layers":
    for _ in range(LAYERS):
        add_layer()

app.start(host="127.0.0.1", port=port)
