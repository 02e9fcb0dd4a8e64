"""Uploads, downloads and static files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TypedDict

from examples.showcase.pages import HERE, filled, page, text
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

# Bytes of a whole request, files of one form, and bytes hashed at a time.
MAX_UPLOAD = 64 * 1024 * 1024
MAX_FILES = 5
CHUNK = 64 * 1024


class Description(TypedDict):
    name: str
    size: int
    sha256: str


async def upload_page(request: Request) -> HTMLResponse:
    return page("Uploads", _upload_body(""), current="/upload")


async def upload(request: Request) -> Response:
    """Describe the files that were sent: as JSON for the script of the page, else as a page."""
    async with request.form(max_files=MAX_FILES, max_fields=10, max_part_size=1024) as form:
        files = [await describe(item) for item in form.getlist("files") if isinstance(item, UploadFile)]
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"files": files})
    body = "".join(
        f"<tr><td>{text(file['name'])}</td><td>{file['size']}</td><td><code>{file['sha256']}</code></td></tr>\n"
        for file in files
    )
    return page("Uploads", _upload_body(body), current="/upload")


async def describe(file: UploadFile) -> Description:
    """Hash a file piece by piece. Beyond a megabyte it lies on disk, and is read in a worker thread."""
    digest, size = hashlib.sha256(), 0
    while chunk := await file.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return {"name": file.filename or "", "size": size, "sha256": digest.hexdigest()}


def _upload_body(body: str) -> str:
    return filled("upload", rows=body, megabytes=str(MAX_UPLOAD // 1024 // 1024), files=str(MAX_FILES))


async def download_page(request: Request) -> HTMLResponse:
    return page("Downloads", filled("download", url=text(request.url_for("download"))), current="/download")


async def download(request: Request) -> FileResponse:
    path: Path = request.state.download
    return FileResponse(path, filename=path.name)


async def assets(request: Request) -> HTMLResponse:
    return page("Static files", filled("assets"), current="/assets")


routes = [
    Route("/upload", upload_page),
    Route("/upload", upload, methods=["POST"], max_body_size=MAX_UPLOAD),
    Route("/download", download_page),
    Route("/download/numbers.txt", download, name="download"),
    Route("/assets", assets),
    Mount("/static", StaticFiles(directory=HERE / "static"), name="static"),
]
