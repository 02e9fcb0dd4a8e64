"""What each page of the showcase shows, asked over a real socket."""

from __future__ import annotations

import hashlib
import re

import httpx
import pytest

from examples.showcase.files import MAX_FILES, MAX_UPLOAD
from examples.showcase.pages import TOPICS, Topic
from tests.servers.support import Server, eventually

pytestmark = pytest.mark.server

MARKUP = "<script>alert(\"x\")</script> & 'quotes'"
_REFERENCE = re.compile(r'(?:href|src|action)="(/[^"]*)"')


def fetch_state(client: httpx.Client) -> dict[str, int]:
    return dict(client.get("/state.json").json())


def test_home_page_links_to_every_topic(client: httpx.Client) -> None:
    home = client.get("/")
    assert home.status_code == 200
    assert home.headers["content-type"] == "text/html; charset=utf-8"
    assert '<html lang="en">' in home.text
    assert '<meta name="viewport"' in home.text
    cards = re.findall(r'<li class="card"><h2><a href="([^"]+)">', home.text)
    assert cards == [topic.path for topic in TOPICS]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.title)
def test_every_link_of_a_topic_leads_somewhere(client: httpx.Client, showcase: Server, topic: Topic) -> None:
    page = client.get(topic.path)
    assert page.status_code == 200
    assert f'<a href="{topic.path}" aria-current="page">' in page.text
    # The pages that are shown to fail, and forms, which take POST at least.
    expected = {"/nowhere": 404, "/errors/post-only": 405, "/errors/broken": 500, "/params/int/forty-two": 404}
    expected |= {"/cookies/set": 405, "/cookies/delete": 405}
    links = {link.replace("&amp;", "&") for link in _REFERENCE.findall(page.text)}
    for link in links:
        # On connections of their own, since uvicorn closes one after an exception.
        answer = httpx.get(showcase.url + link, follow_redirects=True, timeout=30)
        assert answer.status_code == expected.get(link, 200), link


def test_every_answer_forbids_foreign_scripts(client: httpx.Client) -> None:
    for path in ("/", "/json/document", "/static/style.css", "/nowhere"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"


UUID = "2f1c0d3e-8a4b-4c5d-9e6f-7a8b9c0d1e2f"


@pytest.mark.parametrize(
    ("path", "value", "kind"),
    [
        pytest.param("str/Ada%20Lovelace", "Ada Lovelace", "str", id="str"),
        pytest.param("int/42", 42, "int", id="int"),
        pytest.param("float/3.25", 3.25, "float", id="float"),
        pytest.param(
            "uuid/2F1C0D3E8A4B4C5D9E6F7A8B9C0D1E2F", "2f1c0d3e-8a4b-4c5d-9e6f-7a8b9c0d1e2f", "UUID", id="uuid"
        ),
        pytest.param("path/a/b/c.txt", "a/b/c.txt", "str", id="path"),
        pytest.param("date/2026-11-21", "2026-11-21", "date", id="our-own"),
    ],
)
def test_path_parameters_are_converted(client: httpx.Client, path: str, value: object, kind: str) -> None:
    received = client.get(f"/params/{path}").json()
    assert (received["value"], received["type"]) == (value, kind)


@pytest.mark.parametrize("path", ["int/-1", "int/x", "float/1.", "uuid/1", "date/2026-13-01", "str/a/b"])
def test_path_parameters_that_do_not_fit_are_not_found(client: httpx.Client, path: str) -> None:
    assert client.get(f"/params/{path}").status_code == 404


def test_query_parameters_keep_repetitions(client: httpx.Client) -> None:
    received = client.get("/params/query?tag=1&tag=2&text=%E2%99%A5+%26&empty=").json()
    assert received["pairs"] == [["tag", "1"], ["tag", "2"], ["text", "♥ &"], ["empty", ""]]
    assert received["last of each"] == {"tag": "2", "text": "♥ &", "empty": ""}


def test_json_is_compact_utf8(client: httpx.Client) -> None:
    response = client.get("/json/document")
    assert response.headers["content-type"] == "application/json"
    assert response.content.startswith(b'{"message":"Hello, Starlette!","numbers":[1,2.5,null],')
    assert "♥".encode() in response.content


def test_posted_json_is_answered(client: httpx.Client) -> None:
    assert client.post("/json/echo", json={"a": ["é", None]}).json() == {"received": {"a": ["é", None]}}


@pytest.mark.parametrize("body", [b"", b'{"a": ', b"\xff\xfe", b"[" * 20_000], ids=["empty", "cut", "octets", "deep"])
def test_posted_nonsense_is_the_clients_fault(client: httpx.Client, body: bytes) -> None:
    response = client.post("/json/echo", content=body)
    assert response.status_code == 400
    assert "The body is not a JSON document." in response.text


def test_a_posted_document_may_not_be_too_long(client: httpx.Client) -> None:
    assert client.post("/json/echo", content=b'"' + b"x" * 70_000 + b'"').status_code == 413


def test_request_headers_are_shown_escaped(client: httpx.Client) -> None:
    page = client.get("/html", headers={"x-markup": MARKUP}).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#x27;quotes&#x27;" in page


@pytest.mark.parametrize("as_files", [False, True], ids=["urlencoded", "multipart"])
def test_form_is_echoed_escaped(client: httpx.Client, as_files: bool) -> None:
    fields = {"name": MARKUP, "interest": ["routing", "speed"]}
    if as_files:
        parts = [("name", MARKUP), ("interest", "routing"), ("interest", "speed")]
        response = client.post("/form", files=[(name, (None, value)) for name, value in parts])
    else:
        response = client.post("/form", data=fields)
    assert response.status_code == 200
    assert "<script>alert" not in response.text
    assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;" in response.text
    assert response.text.count('<th scope="row">interest</th>') == 2


def test_form_limits_are_held(client: httpx.Client) -> None:
    many = client.post("/form", data={f"field{number}": "x" for number in range(21)})
    assert many.status_code == 400
    assert "Too many fields. Maximum number of fields is 20." in many.text
    assert client.post("/form", data={"name": "x" * 17_000}).status_code == 400
    assert client.post("/form", content=b"x" * 300_000).status_code == 413


def test_upload_reports_name_size_and_digest(client: httpx.Client) -> None:
    large = bytes(range(256)) * 12_000  # beyond a megabyte, hence spooled to disk
    files = [("files", ("größe.bin", large)), ("files", ("empty.txt", b""))]
    received = client.post("/upload", files=files, headers={"accept": "application/json"}).json()
    assert received["files"] == [
        {"name": "größe.bin", "size": len(large), "sha256": hashlib.sha256(large).hexdigest()},
        {"name": "empty.txt", "size": 0, "sha256": hashlib.sha256(b"").hexdigest()},
    ]


def test_upload_without_a_script_is_answered_with_a_page(client: httpx.Client) -> None:
    page = client.post("/upload", files={"files": ("<b>.txt", b"abc")})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<td>&lt;b&gt;.txt</td><td>3</td>" in page.text
    assert hashlib.sha256(b"abc").hexdigest() in page.text


def test_upload_limits_are_held(client: httpx.Client, showcase: Server) -> None:
    many = client.post("/upload", files=[("files", (f"{number}", b"x")) for number in range(MAX_FILES + 1)])
    assert many.status_code == 400
    assert f"Too many files. Maximum number of files is {MAX_FILES}." in many.text
    # Refused by what the client declares, before a byte of it was read.
    head = f"POST /upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {MAX_UPLOAD + 1}\r\n"
    status, _, body = showcase.exchange(head.encode() + b"Content-Type: multipart/form-data; boundary=b\r\n\r\n")
    assert (status, body) == (413, b"Content Too Large")


def test_an_upload_that_is_cut_off_is_refused(client: httpx.Client) -> None:  # threats T09.3
    body = b'--b\r\nContent-Disposition: form-data; name="files"; filename="f"\r\n\r\nhalf a fi'
    response = client.post("/upload", content=body, headers={"content-type": "multipart/form-data; boundary=b"})
    assert response.status_code == 400


def test_rows_are_streamed_one_by_one(client: httpx.Client) -> None:
    with client.stream("GET", "/stream/rows") as response:
        assert response.headers["transfer-encoding"] == "chunked"
        chunks = list(response.iter_text())
    assert len(chunks) > 2  # at most thirteen, but a slow reader gets several at once
    page = "".join(chunks)
    assert [f"Row {number} of 10" in page for number in range(1, 11)] == [True] * 10
    assert page.rstrip().endswith("</html>")


def test_lines_are_streamed_and_bounded(client: httpx.Client) -> None:
    assert client.get("/stream/lines/2500").text.splitlines() == [f"line {number}" for number in range(1, 2501)]
    assert client.get("/stream/lines/1000001").status_code == 404


def test_background_task_is_seen_running_and_then_finished(client: httpx.Client, showcase: Server) -> None:
    started = client.post("/background")
    assert (started.status_code, started.headers["location"]) == (303, f"{showcase.url}/background")
    number = fetch_state(client)["background jobs"]
    assert f"<li>Job {number}: <strong>" in client.get("/background").text
    finished = f"<li>Job {number}: <strong>finished</strong></li>"
    assert eventually(lambda: finished in client.get("/background").text, showcase.process)
    assert 'http-equiv="refresh"' not in client.get("/background").text


def test_cookies_are_set_shown_and_deleted(client: httpx.Client) -> None:
    assert "nothing" in client.get("/cookies").text
    kept = client.post("/cookies/set", data={"value": "<Ветер>; ♥"})
    assert kept.status_code == 303
    assert kept.headers["set-cookie"].endswith("; HttpOnly; Max-Age=3600; Path=/cookies; SameSite=strict")
    assert "<td>&lt;Ветер&gt;; ♥</td>" in client.get("/cookies").text
    assert "Max-Age=0" in client.post("/cookies/delete").headers["set-cookie"]
    assert "nothing" in client.get("/cookies").text


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_keep_their_status_and_lead_to_the_page(client: httpx.Client, status: int) -> None:
    redirect = client.get(f"/redirects/{status}")
    assert redirect.status_code == status
    assert f"a {status}" in client.get(redirect.headers["location"]).text
    assert client.get("/redirects/404").status_code == 404


def test_a_forgotten_slash_is_added(client: httpx.Client, showcase: Server) -> None:
    redirect = client.get("/redirects/slash?a=1")
    assert (redirect.status_code, redirect.headers["location"]) == (307, f"{showcase.url}/redirects/slash/?a=1")
    assert "the path with a slash" in client.get("/redirects/slash", follow_redirects=True).text


def test_unknown_addresses_get_our_page(client: httpx.Client) -> None:
    response = client.get("/nowhere/%3Cscript%3E")
    assert response.status_code == 404
    assert "There is nothing at <code>/nowhere/" in response.text
    assert "<script>" not in response.text


def test_wrong_methods_get_our_page_and_the_allowed_ones(client: httpx.Client) -> None:
    response = client.get("/errors/post-only")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert "This address takes POST." in response.text
    assert client.post("/errors/post-only").status_code == 200


def test_failures_get_our_page_and_go_to_the_log(client: httpx.Client, showcase: Server) -> None:
    response = client.get("/errors/broken")
    assert response.status_code == 500
    assert "Something went wrong" in response.text
    assert "on purpose" not in response.text
    assert eventually(lambda: "DeliberateFault" in showcase.log, showcase.process)


def test_lifespan_state_counts_requests(client: httpx.Client) -> None:
    first, second = fetch_state(client), fetch_state(client)
    assert second["requests"] - first["requests"] == 1
    assert second["started"] == first["started"]
