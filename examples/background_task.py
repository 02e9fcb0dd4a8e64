"""Work that is done after the response was sent. Run: `uvicorn examples.background_task:app`."""

from starlette.applications import Starlette
from starlette.background import BackgroundTask, BackgroundTasks
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

outbox: list[str] = []


async def send_mail(address: str) -> None:
    outbox.append(f"welcome, {address}")


def count_mails(log: list[int]) -> None:
    """Runs in a worker thread, as every task that is not `async`."""
    log.append(len(outbox))


counts: list[int] = []


async def sign_up(request: Request) -> JSONResponse:
    task = BackgroundTask(send_mail, request.path_params["address"])
    return JSONResponse({"status": "signed up"}, status_code=202, background=task)


async def sign_up_both(request: Request) -> JSONResponse:
    tasks = BackgroundTasks()
    for address in request.query_params.getlist("address"):
        tasks.add_task(send_mail, address)
    tasks.add_task(count_mails, counts)
    return JSONResponse({"tasks": len(tasks.tasks)}, status_code=202, background=tasks)


app = Starlette(
    routes=[
        Route("/sign-up/{address}", sign_up, methods=["POST"]),
        Route("/sign-up", sign_up_both, methods=["POST"]),
    ]
)


def check(client: TestClient) -> None:
    outbox.clear()
    counts.clear()
    assert client.post("/sign-up/ada@example.org").status_code == 202
    assert outbox == ["welcome, ada@example.org"]
    assert client.post("/sign-up?address=a&address=b").json() == {"tasks": 3}
    assert outbox[1:] == ["welcome, a", "welcome, b"]
    assert counts == [3]
