"""Quart, as its documentation shows it. Its middlewares are functions before and after the request."""

# The package is in an environment of its own, where no type checker looks.
# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

from quart import Quart, request, websocket

from benchmarks.field.workload import CHUNK, CHUNKS, FOLDER, HELLO, KIND, LAYERS, sections

app = Quart(__name__, static_folder=str(FOLDER), static_url_path="/static")


@app.get("/hello")
async def hello():
    return HELLO


@app.get("/items/<int:id>")
async def item(id):
    return {"id": id, "q": request.args["q"], "page": request.args.get("page", type=int)}


@app.post("/echo")
async def echo():
    return await request.get_json()


@app.post("/form")
async def form():
    fields = await request.form
    return {"name": fields["name"], "email": fields["email"], "age": fields["age"]}


async def chunks():
    for _ in range(CHUNKS):
        yield CHUNK


@app.get("/stream")
async def stream():
    return chunks(), {"content-type": "text/plain"}


@app.get("/sync")
def sync():
    return HELLO


@app.websocket("/socket")
async def socket():
    while True:
        await websocket.send(await websocket.receive())


async def section_item(id):
    return {"item": id}


def page(number):
    async def endpoint():
        return {"page": number}

    return endpoint


if KIND == "routes":
    for number, (prefix, parameter) in enumerate(sections()):
        if parameter:
            app.add_url_rule(f"{prefix}/item/<int:id>", f"section{number}", section_item)
        else:
            app.add_url_rule(f"{prefix}/page", f"section{number}", page(number))


async def before():
    return None


async def after(response):
    return response


if KIND == "layers":
    for _ in range(LAYERS):
        app.before_request(before)
        app.after_request(after)
