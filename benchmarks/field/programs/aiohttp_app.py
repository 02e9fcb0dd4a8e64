"""aiohttp on its own server, with uvloop. It is no ASGI framework. All its handlers are coroutines."""

# The package is in an environment of its own, where no type checker looks.
# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

import asyncio
import sys

import uvloop
from aiohttp import WSMsgType, web

from benchmarks.field.workload import CHUNK, CHUNKS, FOLDER, HELLO, KIND, LAYERS, sections


async def hello(request):
    return web.json_response(HELLO)


async def item(request):
    query = request.query
    return web.json_response({"id": int(request.match_info["id"]), "q": query["q"], "page": int(query["page"])})


async def echo(request):
    return web.json_response(await request.json())


async def form(request):
    fields = await request.post()
    return web.json_response({"name": fields["name"], "email": fields["email"], "age": fields["age"]})


async def stream(request):
    response = web.StreamResponse(headers={"content-type": "text/plain"})
    await response.prepare(request)
    for _ in range(CHUNKS):
        await response.write(CHUNK)
    await response.write_eof()
    return response


async def sync(request):
    return web.json_response(await asyncio.to_thread(lambda: HELLO))


async def socket(request):
    websocket = web.WebSocketResponse()
    await websocket.prepare(request)
    async for message in websocket:
        if message.type == WSMsgType.TEXT:
            await websocket.send_str(message.data)
    return websocket


async def section_item(request):
    return web.json_response({"item": int(request.match_info["id"])})


def page(number):
    async def endpoint(request):
        return web.json_response({"page": number})

    return endpoint


@web.middleware
async def passing(request, handler):
    return await handler(request)


app = web.Application(middlewares=[passing] * LAYERS if KIND == "layers" else [])
app.router.add_get("/hello", hello)
app.router.add_get(r"/items/{id:\d+}", item)
app.router.add_post("/echo", echo)
app.router.add_post("/form", form)
app.router.add_get("/stream", stream)
app.router.add_get("/sync", sync)
app.router.add_get("/socket", socket)
app.router.add_static("/static", FOLDER)
if KIND == "routes":
    for number, (prefix, parameter) in enumerate(sections()):
        if parameter:
            app.router.add_get(prefix + r"/item/{id:\d+}", section_item)
        else:
            app.router.add_get(f"{prefix}/page", page(number))

if __name__ == "__main__":
    uvloop.install()
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
