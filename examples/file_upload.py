"""Files sent by a form, with limits. Run: `uvicorn examples.file_upload:app`."""

import hashlib

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

PAGE = """<!doctype html>
<title>Upload</title>
<form method="post" enctype="multipart/form-data">
  <label>Files <input type="file" name="files" multiple></label>
  <button>Send</button>
</form>
"""


async def page(request: Request) -> HTMLResponse:
    return HTMLResponse(PAGE)


async def receive_files(request: Request) -> JSONResponse:
    """Describe each file. What is larger than a megabyte was spooled to disk while it arrived."""
    async with request.form(max_files=2, max_fields=5) as form:
        files = [item for item in form.getlist("files") if isinstance(item, UploadFile)]
        return JSONResponse([await describe(file) for file in files])


async def describe(file: UploadFile) -> dict[str, object]:
    digest = hashlib.sha256()
    while chunk := await file.read(64 * 1024):
        digest.update(chunk)
    return {"name": file.filename, "size": file.size, "sha256": digest.hexdigest()}


app = Starlette(
    routes=[
        Route("/", page),
        Route("/", receive_files, methods=["POST"], max_body_size=4 * 1024 * 1024),
    ]
)


def check(client: TestClient) -> None:
    content = b"0123456789" * 150_000
    (described,) = client.post("/", files={"files": ("ten.txt", content)}).json()
    assert described == {"name": "ten.txt", "size": 1_500_000, "sha256": hashlib.sha256(content).hexdigest()}
    three = client.post("/", files=[("files", (name, b"")) for name in "abc"])
    assert (three.status_code, three.text) == (400, "Too many files. Maximum number of files is 2.")
    assert client.post("/", content=b"x" * (4 * 1024 * 1024 + 1)).status_code == 413
