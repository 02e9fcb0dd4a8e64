"""Errors as JSON: our own exceptions, statuses and the unexpected. Run: `uvicorn examples.exception_handlers:app`."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient


class OutOfStock(Exception):
    """Raised by the shop's own code, which knows nothing of HTTP."""


async def buy(request: Request) -> JSONResponse:
    if request.path_params["amount"] > 10:
        raise OutOfStock("only 10 are left")
    return JSONResponse({"bought": request.path_params["amount"]})


async def secret(request: Request) -> JSONResponse:
    raise HTTPException(401, detail="who are you?", headers={"WWW-Authenticate": "Bearer"})


async def broken(request: Request) -> JSONResponse:
    raise RuntimeError("a fault of ours")


async def on_out_of_stock(request: Request, exc: Exception) -> JSONResponse:
    return JSONResponse({"error": str(exc)}, status_code=409)


async def on_http_exception(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, HTTPException)
    return JSONResponse({"error": exc.detail}, status_code=exc.status_code, headers=exc.headers)


async def on_failure(request: Request, exc: Exception) -> JSONResponse:
    """Answer for what nobody foresaw; the exception still reaches the server, which logs it."""
    return JSONResponse({"error": "we are looking into it"}, status_code=500)


app = Starlette(
    routes=[Route("/buy/{amount:int}", buy), Route("/secret", secret), Route("/broken", broken)],
    exception_handlers={OutOfStock: on_out_of_stock, HTTPException: on_http_exception, 500: on_failure},
)


def check(client: TestClient) -> None:
    assert client.get("/buy/3").json() == {"bought": 3}
    refused = client.get("/buy/11")
    assert (refused.status_code, refused.json()) == (409, {"error": "only 10 are left"})
    unknown = client.get("/nowhere")
    assert (unknown.status_code, unknown.json()) == (404, {"error": "Not Found"})
    assert client.get("/secret").headers["www-authenticate"] == "Bearer"

    quiet = TestClient(app, raise_server_exceptions=False)
    failed = quiet.get("/broken")
    assert (failed.status_code, failed.json()) == (500, {"error": "we are looking into it"})
