"""Path parameters of every kind, and a convertor of our own. Run: `uvicorn examples.convertors:app`."""

from datetime import date
from uuid import UUID

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient


class MonthConvertor(Convertor[date]):
    """A month such as `2026-11`, as the date of its first day."""

    regex = "[1-9][0-9]{3}-(?:0[1-9]|1[0-2])"

    def convert(self, value: str) -> date:
        year, month = value.split("-")
        return date(int(year), int(month), 1)

    def to_string(self, value: date) -> str:
        return f"{value:%Y-%m}"


register_url_convertor("month", MonthConvertor())


async def user(request: Request) -> JSONResponse:
    return JSONResponse({"user": request.path_params["name"]})


async def order(request: Request) -> JSONResponse:
    return JSONResponse({"next order": request.path_params["number"] + 1})


async def price(request: Request) -> JSONResponse:
    return JSONResponse({"doubled": request.path_params["amount"] * 2})


async def ticket(request: Request) -> JSONResponse:
    key: UUID = request.path_params["key"]
    return JSONResponse({"version": key.version})


async def archive(request: Request) -> JSONResponse:
    month: date = request.path_params["month"]
    return JSONResponse({"year": month.year, "rest": request.path_params["rest"]})


app = Starlette(
    routes=[
        Route("/users/{name}", user),
        Route("/orders/{number:int}", order),
        Route("/prices/{amount:float}", price),
        Route("/tickets/{key:uuid}", ticket),
        Route("/archive/{month:month}/{rest:path}", archive, name="archive"),
    ]
)


def check(client: TestClient) -> None:
    assert client.get("/users/ada").json() == {"user": "ada"}
    assert client.get("/orders/41").json() == {"next order": 42}
    assert client.get("/orders/-1").status_code == 404
    assert client.get("/prices/1.25").json() == {"doubled": 2.5}
    assert client.get("/tickets/2f1c0d3e-8a4b-4c5d-9e6f-7a8b9c0d1e2f").json() == {"version": 4}
    assert client.get("/archive/2026-11/a/b.txt").json() == {"year": 2026, "rest": "a/b.txt"}
    assert client.get("/archive/2026-13/a").status_code == 404
    assert app.url_path_for("archive", month=date(2026, 1, 1), rest="x") == "/archive/2026-01/x"
