"""Applications below a prefix, and URLs made from names. Run: `uvicorn examples.mounts:app`."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Mount, Route, Router
from starlette.testclient import TestClient

PLANETS = {"mars": 2, "jupiter": 95}


async def index(request: Request) -> JSONResponse:
    return JSONResponse({name: str(request.url_for("planets:one", name=name)) for name in PLANETS})


async def planet(request: Request) -> JSONResponse:
    name = request.path_params["name"]
    return JSONResponse({"moons": PLANETS.get(name), "all": str(request.url_for("index"))})


async def largest(request: Request) -> RedirectResponse:
    return RedirectResponse(request.url_for("planets:one", name=max(PLANETS, key=PLANETS.__getitem__)))


planets = Router(routes=[Route("/largest", largest), Route("/{name}", planet, name="one")])

app = Starlette(routes=[Route("/", index, name="index"), Mount("/planets", app=planets, name="planets")])


def check(client: TestClient) -> None:
    assert client.get("/").json()["mars"] == "http://testserver/planets/mars"
    assert client.get("/planets/mars").json() == {"moons": 2, "all": "http://testserver/"}
    redirect = client.get("/planets/largest", follow_redirects=False)
    assert redirect.headers["location"] == "http://testserver/planets/jupiter"
    assert client.get("/planets/largest").json()["moons"] == 95
    assert app.url_path_for("planets:one", name="mars") == "/planets/mars"

    below = TestClient(app, base_url="http://testserver/api", root_path="/api")
    assert below.get("/").json()["mars"] == "http://testserver/api/planets/mars"
