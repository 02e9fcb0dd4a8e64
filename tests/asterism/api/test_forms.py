"""Forms and files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import pytest

from asterism.api import Body, File, Form, endpoint
from asterism.api import _libraries as libraries
from asterism.dependencies import DependencyError
from starlette.datastructures import UploadFile
from starlette.requests import Request
from tests.asgi import body, call, http_scope
from tests.asterism.api.support import client, errors

FORM = {"content-type": "application/x-www-form-urlencoded"}


class Address(msgspec.Struct):
    street: str
    number: int = 1
    tag: list[str] = []


OPENED: list[UploadFile] = []


async def fields(name: Annotated[str, Form(min_length=2)], tag: Annotated[Sequence[str], Form()] = ()) -> Any:
    return [name, tag]


async def model(address: Annotated[Address, Form()]) -> Any:
    return address


async def upload(picture: UploadFile, title: Annotated[str, Form()] = "-") -> Any:
    OPENED.append(picture)
    return [picture.filename, len(await picture.read()), title]


async def content(data: Annotated[bytes, File()], more: Annotated[Sequence[bytes] | None, File()] = None) -> Any:
    return [len(data), more and len(more)]


async def several(files: list[UploadFile], note: UploadFile | None = None) -> Any:
    return [[file.filename for file in files], note and note.filename]


def test_fields_of_a_form() -> None:
    asked = client(fields)
    assert asked.post("/", data={"name": "ada", "tag": ["a", "b"]}).json() == ["ada", ["a", "b"]]
    assert asked.post("/", files={"name": (None, "ada")}).json() == ["ada", []]
    assert errors(asked.post("/", data={"name": "a"})) == [("form.name", "must have at least 2 characters", "length")]


def test_a_model_takes_the_whole_form() -> None:
    asked = client(model)
    found = asked.post("/", data={"street": "Main", "number": "4", "tag": ["a"]}).json()
    assert found == {"street": "Main", "number": 4, "tag": ["a"]}
    assert errors(asked.post("/", data={"number": "x"})) == [
        ("form.street", "is required", "missing"),
        ("form.number", "must be an integer", "type"),
    ]


def test_files_are_closed_after_the_response() -> None:
    OPENED.clear()
    found = client(upload).post("/", files={"picture": ("a.png", b"12345")}, data={"title": "t"})
    assert found.json() == ["a.png", 5, "t"]
    assert [file.file.closed for file in OPENED] == [True]


def test_several_files_and_files_that_were_not_chosen() -> None:
    files = [("files", ("a", b"1")), ("files", ("b", b"2"))]
    assert client(several).post("/", files=files).json() == [["a", "b"], None]
    boundary = {"content-type": "multipart/form-data; boundary=x"}
    unchosen = b'--x\r\ncontent-disposition: form-data; name="picture"; filename=""\r\n\r\n\r\n--x--\r\n'
    response = client(upload).post("/", content=unchosen, headers=boundary)
    assert errors(response) == [("form.picture", "is required", "missing")]


def test_the_content_of_files() -> None:
    assert client(content).post("/", files={"data": ("a", b"123")}).json() == [3, None]
    more = [("data", ("a", b"123")), ("more", ("b", b"1")), ("more", ("c", b"1"))]
    assert client(content).post("/", files=more).json() == [3, 2]


@pytest.mark.parametrize(
    ("function", "files"),
    [pytest.param(fields, {"name": ("a.txt", b"ada")}, id="a-file-for-text")],
)
def test_a_file_in_place_of_text_is_refused(function: Any, files: Any) -> None:
    ((location, _, kind),) = errors(client(function).post("/", files=files))
    assert (location, kind) == ("form.name", "type")


def test_text_in_place_of_a_file_is_refused() -> None:
    ((location, message, _),) = errors(client(upload).post("/", files={"picture": (None, "text")}))
    assert (location, message) == ("form.picture", "must be a file")


@pytest.mark.parametrize(
    ("content_type", "data", "status"),
    [
        pytest.param("application/json", b"{}", 415, id="json"),
        pytest.param("", b"name=ada", 415, id="no-type"),
        pytest.param("", b"", 422, id="no-type-and-no-body"),
        pytest.param("multipart/form-data", b"name=ada", 400, id="no-boundary"),
        pytest.param("multipart/form-data; boundary=x", b"garbage", 400, id="no-multipart"),
        pytest.param("application/x-www-form-urlencoded", b"name=" + b"a" * 2**20, 413, id="too-large"),
    ],
)
def test_what_is_no_form(content_type: str, data: bytes, status: int) -> None:
    response = client(fields).post("/", content=data, headers={"content-type": content_type})
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.anyio
async def test_a_form_without_a_length_is_not_read_beyond_the_limit() -> None:
    scope = http_scope(method="POST", headers=[(b"content-type", b"application/x-www-form-urlencoded")])
    endless = body(*[b"name=abcdefgh&"] * 100)
    assert (await call(client(fields, max_body_size=30).app, scope, endless)).status == 413
    assert endless.calls == 3


@pytest.mark.anyio
async def test_a_malformed_form_outside_of_an_application_is_a_400_too() -> None:
    scope = http_scope(method="POST", headers=[(b"content-type", b"multipart/form-data")])
    response = await endpoint(fields)(Request(scope, body(b"x")))
    assert response.status_code == 400


def test_the_limit_of_the_application_holds_for_forms() -> None:
    from starlette.middleware.body_limit import RequestBodyLimitMiddleware
    from starlette.testclient import TestClient

    app = RequestBodyLimitMiddleware(client(fields).app, 2**21)
    assert TestClient(app).post("/", content=b"name=" + b"a" * 2**20, headers=FORM).status_code == 400


async def form_and_body(name: Annotated[str, Form()], item: dict[str, int]) -> Any: ...


async def body_and_form(item: Annotated[Any, Body()], name: Annotated[str, Form()]) -> Any: ...


@pytest.mark.parametrize("function", [form_and_body, body_and_form])
def test_a_form_beside_a_body_is_refused(function: Any) -> None:
    with pytest.raises(DependencyError, match="second body"):
        endpoint(function)


def test_without_its_parser_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match='install the "full" extra'):
        endpoint(fields)
