"""Forms through a request: requests R47 to R53, threats T09, R02 and R03."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from starlette import requests
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from tests.asgi import Script, body, http_scope
from tests.starlette.forms import field, file

pytestmark = pytest.mark.anyio

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=B"
END = b"--B--\r\n"


def make(content_type: str | None, *chunks: bytes, **keys: Any) -> Request:
    headers = [] if content_type is None else [(b"content-type", content_type.encode())]
    return Request(http_scope(method="POST", headers=headers, **keys), body(*chunks))


@pytest.mark.parametrize(
    ("content_type", "data", "expected"),
    [
        pytest.param(URLENCODED, b"a=1&b=2", [("a", "1"), ("b", "2")], id="R49-urlencoded"),
        pytest.param(URLENCODED.upper() + " ; charset=x", b"a=1", [("a", "1")], id="R49-any-case-and-parameters"),
        pytest.param(MULTIPART, field("a", b"1") + END, [("a", "1")], id="R49-multipart"),
        pytest.param("MULTIPART/Form-Data ;boundary=B", field("a", b"1") + END, [("a", "1")], id="R49-multipart-case"),
    ],
)
async def test_the_content_type_chooses_the_parser(content_type: str, data: bytes, expected: object) -> None:
    request = make(content_type, data)
    form = await request.form()
    assert isinstance(form, FormData)
    assert form.multi_items() == expected
    for read in (Request.body, Request.json):
        with pytest.raises(RuntimeError, match=r"^Stream consumed$"):  # R50
            await read(request)


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "multipart/mixed; boundary=B", "application/json"])
async def test_other_bodies_are_not_read(content_type: str | None) -> None:
    # R49
    request = make(content_type, b"a=1")
    assert (await request.form()).multi_items() == []
    assert await request.body() == b"a=1"


async def test_the_first_content_type_counts() -> None:
    # R49
    headers = [(b"content-type", b"text/plain"), (b"content-type", URLENCODED.encode())]
    assert not (await Request(http_scope(headers=headers), body(b"a=1")).form()).multi_items()


async def test_nothing_happens_before_it_is_awaited() -> None:  # threats R07
    # R47
    receive = body(b"a=1")
    request = Request(http_scope(headers=[(b"content-type", URLENCODED.encode())]), receive)
    pending = request.form()
    assert receive.calls == 0
    await pending
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        await pending
    with pytest.raises(TypeError):
        request.form(5)  # type: ignore[call-arg]


async def test_a_form_is_parsed_once() -> None:
    # R50
    request = make(URLENCODED, b"a=1&b=2")
    form = await request.form()
    assert await request.form(max_fields=1) is form
    async with request.form() as again:
        assert again is form
    request._form = other = FormData()
    assert await request.form() is other


async def test_a_kept_body_can_be_parsed_and_read() -> None:
    # R50
    request = make(MULTIPART, field("a", b"1")[:20], field("a", b"1")[20:] + END)
    data = await request.body()
    assert (await request.form()).multi_items() == [("a", "1")]
    assert await request.body() is data


async def test_the_context_manager_closes_the_files() -> None:
    # R48
    request = make(MULTIPART, file("f", "x", b"1") + END)
    async with request.form() as form:
        upload = form["f"]
        assert isinstance(upload, UploadFile)
        assert not upload.file.closed
    assert upload.file.closed
    request = make(MULTIPART, file("f", "x", b"1") + END)
    with pytest.raises(ZeroDivisionError):
        async with request.form() as form:
            upload = form["f"]
            raise ZeroDivisionError
    assert isinstance(upload, UploadFile)
    assert upload.file.closed


async def test_close_closes_the_files() -> None:
    # R53
    request = make(MULTIPART, file("f", "x", b"1") + END)
    await request.close()
    form = await request.form()
    await request.close()
    upload = form["f"]
    assert isinstance(upload, UploadFile)
    assert upload.file.closed
    assert request._form is form


REFUSED = [
    pytest.param(URLENCODED, b"a&b&c", "Too many fields. Maximum number of fields is 2.", id="T10.2-fields"),
    pytest.param(URLENCODED, b"a=12345", "Field exceeded maximum size of 0KB.", id="T10.2-size"),
    pytest.param(MULTIPART, field("a") * 3 + END, "Too many fields. Maximum number of fields is 2.", id="T09-fields"),
    pytest.param(MULTIPART, file("a", "x") * 2 + END, "Too many files. Maximum number of files is 1.", id="T09-files"),
    pytest.param(MULTIPART, field("a", b"12345") + END, "Part exceeded maximum size of 0KB.", id="T09-size"),
    pytest.param("multipart/form-data", END, "Missing boundary in multipart.", id="T09-no-boundary"),
    pytest.param(
        MULTIPART,
        b"--B\r\nA: 1\r\n\r\n\r\n" + END,
        'The Content-Disposition header field "name" must be provided.',
        id="T09-no-name",
    ),
    pytest.param(MULTIPART, b"garbage", "Invalid multipart data.", id="T09-malformed"),
    pytest.param(MULTIPART, b"--B\r\nA: 1", "Invalid multipart data.", id="T09.3-truncated"),
]


@pytest.mark.parametrize(("content_type", "data", "text"), REFUSED)
@pytest.mark.parametrize("app", [object(), None])
async def test_inside_of_an_application_refusals_are_bad_requests(
    content_type: str, data: bytes, text: str, app: object
) -> None:  # T09.2
    # R51
    request = make(content_type, data, b"&rest=1", app=app)
    limits = {"max_fields": 2, "max_files": 1, "max_part_size": 4}
    for _ in range(2):  # D4: the rest of the body is no form
        with pytest.raises(HTTPException) as info:
            await request.form(**limits)
        assert (info.value.status_code, info.value.detail) == (400, text)
        assert isinstance(info.value.__context__, MultiPartException)
    assert request._form is None


@pytest.mark.parametrize(("content_type", "data", "text"), REFUSED)
async def test_outside_of_an_application_refusals_are_raised_as_they_are(
    content_type: str, data: bytes, text: str
) -> None:
    # R51, D4
    request = make(content_type, data, b"&rest=1")
    for _ in range(2):
        with pytest.raises(MultiPartException) as info:
            await request.form(max_fields=2, max_files=1, max_part_size=4)
        assert info.value.message == text


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        pytest.param((b"a=1&b=2",), [("a", "1"), ("b", "2")], id="as-many-fields-as-allowed"),
        pytest.param((b"a=1&&b=2",), [("a", "1"), ("b", "2")], id="empty-pieces-are-no-fields"),
        pytest.param((b"a=12&b=3", b""), [("a", "12"), ("b", "3")], id="larger-than-one-field-may-be"),
        pytest.param((b"a=1&b=", b"", b"2"), [("a", "1"), ("b", "2")], id="in-pieces"),
    ],
)
async def test_limits_are_for_fields_and_not_for_the_message(data: tuple[bytes, ...], fields: object) -> None:
    # R51
    assert (await make(URLENCODED, *data).form(max_fields=2, max_part_size=4)).multi_items() == fields


@pytest.mark.parametrize("data", [b"a=1&b=2&c=3", b"abcde=1"])
async def test_a_form_in_one_message_keeps_the_limits(data: bytes) -> None:  # T09.2
    # R51
    with pytest.raises(MultiPartException):
        await make(URLENCODED, data).form(max_fields=2, max_part_size=4)


async def test_files_have_no_limit_in_url_encoded_forms() -> None:
    # R51
    assert (await make(URLENCODED, b"a=1").form(max_files=0)).multi_items() == [("a", "1")]


@pytest.mark.parametrize("content_type", [URLENCODED, MULTIPART, "text/plain", None])
async def test_forms_need_python_multipart(monkeypatch: pytest.MonkeyPatch, content_type: str | None) -> None:
    # R52
    monkeypatch.setitem(sys.modules, "python_multipart", None)
    with pytest.raises(
        AssertionError, match=r"^The `python-multipart` library must be installed to use form parsing\.$"
    ):
        await make(content_type).form()


@pytest.mark.parametrize("content_type", [URLENCODED, MULTIPART])
async def test_a_disconnect_ends_the_form(content_type: str) -> None:  # T09.4
    # R39, threats R02
    scope = http_scope(headers=[(b"content-type", content_type.encode())])
    request = Request(
        scope, Script({"type": "http.request", "body": b"--B\r\n", "more_body": True}, {"type": "http.disconnect"})
    )
    with pytest.raises(ClientDisconnect):
        await request.form()
    assert await request.is_disconnected()


@pytest.mark.parametrize("content_type", [URLENCODED, MULTIPART])
async def test_other_errors_pass_as_they_are(content_type: str) -> None:
    # body_limit R21: 413 is not turned into 400
    error = HTTPException(413)
    scope = http_scope(headers=[(b"content-type", content_type.encode())], app=None)
    with pytest.raises(HTTPException) as info:
        await Request(scope, Script(error)).form()
    assert info.value is error


async def test_a_stream_that_was_read_gives_no_form() -> None:
    # R41
    request = make(URLENCODED, b"a=1")
    assert [chunk async for chunk in request.stream()] == [b"a=1", b""]
    with pytest.raises(RuntimeError, match=r"^Stream consumed$"):
        await request.form()


async def test_parsers_are_looked_up_in_the_public_module(monkeypatch: pytest.MonkeyPatch) -> None:
    class Parser:
        def __init__(self, headers: Headers, stream: object, **limits: Any) -> None:
            self.limits = limits

        async def parse(self) -> FormData:
            return FormData([("limits", repr(sorted(self.limits)))])

    monkeypatch.setattr(requests, "FormParser", Parser)
    monkeypatch.setattr(requests, "MultiPartParser", Parser)
    assert (await make(URLENCODED).form())["limits"] == "['max_fields', 'max_part_size']"
    assert (await make(MULTIPART).form())["limits"] == "['max_fields', 'max_files', 'max_part_size']"


async def test_a_parser_in_the_place_of_ours_gets_the_whole_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    class Parser:
        def __init__(self, headers: Headers, stream: Any, **limits: Any) -> None:
            self.stream = stream

        async def parse(self) -> FormData:
            return FormData([("chunk", chunk.decode()) async for chunk in self.stream])

    monkeypatch.setattr(requests, "FormParser", Parser)
    assert (await make(URLENCODED, b"a=1").form()).getlist("chunk") == ["a=1", ""]
