"""A background task that writes a file. Run: `uvicorn examples.earlier_background:app`."""

import tempfile
from pathlib import Path

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse
from starlette.testclient import TestClient

app = Starlette()
log = Path(tempfile.mkdtemp(), "log.txt")


def write_notification(email: str, message: str) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write(f"notification for {email}: {message}\n")


@app.route("/notify/{email}", methods=["POST"])
async def notify(request: Request) -> JSONResponse:
    task = BackgroundTask(write_notification, request.path_params["email"], message="some notification")
    return JSONResponse({"status": "sent in the background"}, background=task)


@app.route("/log")
async def show(request: Request) -> FileResponse:
    return FileResponse(log)


def check(client: TestClient) -> None:
    log.unlink(missing_ok=True)
    assert client.post("/notify/ada@example.org").json() == {"status": "sent in the background"}
    assert client.get("/log").text == "notification for ada@example.org: some notification\n"
