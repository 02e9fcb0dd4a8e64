"""Published advisories against python-multipart, which reads our forms: each is a test by its number.

The docstrings say what happened there; the assertions are what holds here. `docs/threats.md` lists them.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from tests.advisories.support import MULTIPART, URL_ENCODED, Client, form_application, post, posting
from tests.asgi import body as whole
from tests.asgi import call, http_scope
from tests.growth import per_doubling
from tests.starlette.forms import field, file, part

END = b"--B--\r\n"


@pytest.mark.parametrize("beginning", [URL_ENCODED, MULTIPART])
@pytest.mark.parametrize(
    "option",
    [
        pytest.param('!="' + "\\", id="backslashes"),
        pytest.param('x="' + '\\"', id="escaped-quotes"),
        pytest.param("a=", id="no-value"),
        pytest.param(";", id="semicolons"),
    ],
)
def test_cve_2024_24762_options_of_a_content_type_take_linear_time(beginning: str, option: str) -> None:
    """A regular expression read the options of `Content-Type`, and took minutes for a few hundred backslashes."""
    app = form_application()
    head, repeated = option[:-1] if '"' in option else "", option[-2:] if option.endswith('\\"') else option[-1:]

    def work(size: int) -> object:
        return post(app, Client([END]), f"{beginning}; {head}{repeated * size}")

    assert per_doubling(work, 20_000) < 3


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\r\n" * 50_000 + field("a", b"1") + END, id="line-ends-before"),
        pytest.param(b"preamble " * 10_000 + b"\r\n" + field("a", b"1") + END, id="text-before"),
        pytest.param(field("a", b"1") + END + b"-" * 100_000, id="text-behind"),
    ],
)
def test_cve_2024_53981_what_is_not_in_a_part_is_not_logged(body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Each octet before the first and behind the last delimiter was a line in the log."""
    caplog.set_level(logging.DEBUG)
    sent = post(form_application(), Client([body]), MULTIPART)
    assert sent.status in {200, 400}
    assert len(caplog.records) <= 1


def test_cve_2026_24486_a_file_name_is_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # T09.7
    """With two options set, a file was written to where its name led. Here a name is text, and nothing has it."""
    monkeypatch.chdir(tmp_path)
    names = ["../escaped", "/tmp/escaped", "..\\\\escaped", "sub/../../escaped", "here"]
    before = sorted(os.listdir("/tmp"))
    content = b"x" * (1024 * 1024 + 1)  # on disk, therefore
    body = b"".join(file("f", name, content) for name in names) + END
    scope = http_scope(method="POST", headers=[(b"content-type", MULTIPART.encode())])
    sent = anyio.run(call, form_application(), scope, whole(body))
    assert [pair[1][1] for pair in json.loads(sent.body)] == [len(content)] * len(names)
    assert list(tmp_path.rglob("*")) == []
    assert "escaped" not in set(os.listdir("/tmp")) - set(before)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda n: b"\r" * n + b"\r\n" + field("a") + END, id="carriage-returns-before"),
        pytest.param(lambda n: b"\n" * n + field("a") + END, id="line-feeds-before"),
        pytest.param(lambda n: field("a") + END + b"\r\n--B" * (n // 5), id="delimiters-behind"),
        pytest.param(lambda n: field("a") + END + bytes(n), id="octets-behind"),
    ],
)
def test_cve_2026_40347_preamble_and_epilogue_take_linear_time(make: Callable[[int], bytes]) -> None:
    """Large sections before the first and behind the last delimiter were walked slowly."""
    assert per_doubling(posting(MULTIPART, make), 200_000) < 3


@pytest.mark.parametrize(
    ("piece", "most"),
    [
        pytest.param(b"A: b\r\n", 200, id="many-fields"),
        pytest.param(b"x" * 1000, 12_000, id="one-that-never-ends"),
        pytest.param(b"x" * 100 + b": " + b"y" * 100 + b"\r\n", 4000, id="many-long-ones"),
    ],
)
def test_cve_2026_42561_fields_of_a_part_are_limited_in_number_and_size(piece: bytes, most: int) -> None:
    """A part could have any number of fields, of any length. Here 8 of 4 KiB, and nothing is read behind them."""
    client = Client(itertools.chain([b"--B\r\n"], itertools.repeat(piece)))
    sent = post(form_application(), client, MULTIPART)
    assert (sent.status, sent.body) == (400, b"Invalid multipart data.")
    assert client.sent <= most


@pytest.mark.parametrize(
    ("disposition", "expected"),
    [
        pytest.param("form-data; name=\"comment\"; name*=utf-8''role", ["comment", "1"], id="name"),
        pytest.param(
            'form-data; name="f"; filename="safe.txt"; filename*=utf-8\'\'evil.php', ["f", ["safe.txt", 1]], id="file"
        ),
        pytest.param('form-data; name="f"; filename*0="ev"; filename*1="il.php"', ["f", "1"], id="pieces"),
        pytest.param("form-data; name=\"f\"; filename*=utf-8''..%2Fevil.php", ["f", "1"], id="only-the-extended-one"),
    ],
)
def test_cve_2026_53537_extended_parameters_are_no_names(disposition: str, expected: list[object]) -> None:
    """`name*` and `filename*` replaced `name` and `filename`, so that a filter in front saw others (RFC 7578 §4.2)."""
    sent = post(form_application(), Client([part(disposition, b"1") + END]), MULTIPART)
    assert json.loads(sent.body) == [expected]


@pytest.mark.parametrize("cut", range(23))
def test_cve_2026_53538_a_semicolon_separates_no_fields(cut: int) -> None:  # T10.1
    """`;` separated fields where no `&` followed: `role=admin` was hidden in what a filter took for a value."""
    body = b"role=user&x=;role=admin"
    sent = post(form_application(), Client([body[:cut], body[cut:]]), URL_ENCODED)
    assert json.loads(sent.body) == [["role", "user"], ["x", ";role=admin"]]


def test_cve_2026_53539_semicolons_take_linear_time() -> None:
    """For each `;` the rest of the body was searched for an `&`."""
    assert per_doubling(posting(URL_ENCODED, lambda n: b"a;" * n), 100_000) < 3


def test_cve_2026_53540_a_negative_length_does_not_lift_the_limit() -> None:
    """`Content-Length: -1` made a helper read the whole body at once. Here a length only ever refuses."""

    async def endpoint(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    app = Starlette(routes=[Route("/", endpoint, methods=["POST"])], max_body_size=1000)
    client = Client(itertools.repeat(b"x" * 100))
    assert post(app, client, URL_ENCODED, (b"content-length", b"-1")).status == 413
    assert client.sent <= 1100
    whole = Client([b"a=b"])
    assert post(form_application(), whole, URL_ENCODED, (b"content-length", b"-1")).body == b'[["a","b"]]'
