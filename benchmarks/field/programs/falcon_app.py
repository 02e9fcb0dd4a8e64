"""Falcon on ASGI, as its documentation shows it. All its responders are coroutines: `sync` asks for a thread."""

# The package is in an environment of its own, where no type checker looks.
# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

import falcon
import falcon.asgi

from benchmarks.field.workload import CHUNK, CHUNKS, FOLDER, HELLO, KIND, LAYERS, sections


class Hello:
    async def on_get(self, req, resp):
        resp.media = HELLO


class Item:
    async def on_get(self, req, resp, id):
        resp.media = {"id": id, "q": req.get_param("q"), "page": req.get_param_as_int("page")}


class Echo:
    async def on_post(self, req, resp):
        resp.media = await req.get_media()


class Form:
    async def on_post(self, req, resp):
        fields = await req.get_media()
        resp.media = {"name": fields["name"], "email": fields["email"], "age": fields["age"]}


async def chunks():
    for _ in range(CHUNKS):
        yield CHUNK


class Stream:
    async def on_get(self, req, resp):
        resp.content_type = "text/plain"
        resp.stream = chunks()


class Sync:
    async def on_get(self, req, resp):
        resp.media = await falcon.sync_to_async(lambda: HELLO)


class Socket:
    async def on_websocket(self, req, ws):
        await ws.accept()
        try:
            while True:
                await ws.send_text(await ws.receive_text())
        except falcon.WebSocketDisconnected:
            pass


class Page:
    def __init__(self, number):
        self.number = number

    async def on_get(self, req, resp):
        resp.media = {"page": self.number}


class SectionItem:
    async def on_get(self, req, resp, id):
        resp.media = {"item": id}


class Passing:
    async def process_request(self, req, resp):
        pass

    async def process_response(self, req, resp, resource, req_succeeded):
        pass


app = falcon.asgi.App(middleware=[Passing() for _ in range(LAYERS)] if KIND == "layers" else [])
app.add_route("/hello", Hello())
app.add_route("/items/{id:int}", Item())
app.add_route("/echo", Echo())
app.add_route("/form", Form())
app.add_route("/stream", Stream())
app.add_route("/sync", Sync())
app.add_route("/socket", Socket())
app.add_static_route("/static", str(FOLDER))
if KIND == "routes":
    for number, (prefix, parameter) in enumerate(sections()):
        if parameter:
            app.add_route(f"{prefix}/item/{{id:int}}", SectionItem())
        else:
            app.add_route(f"{prefix}/page", Page(number))
