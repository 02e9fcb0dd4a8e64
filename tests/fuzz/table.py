"""Every target by name, with words of its language for the mutator, and the seeds that are kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from tests.fuzz.targets import bodies, fields, forms, paths, typed, urls

CORPUS: Final = Path(__file__).parent / "corpus"


class Target(NamedTuple):
    """A function that raises when something is wrong with its input, and words that inputs are often made of."""

    run: Callable[[bytes], None]
    words: tuple[str, ...] = ()


_MULTIPART: Final = (
    "--B",
    "\r\n--B\r\n",
    "\r\n--B--\r\n",
    'Content-Disposition: form-data; name="a"',
    '; filename="f"',
    "\r\n\r\n",
    "Content-Type: text/plain",
    "filename*=utf-8''",
    "\\",
)
_REQUEST: Final = ("//", "\\", "@", ":80", "?", "#", "%09", "%0A", "%2F", "http://", "[::1]", "/../", "%00", "www.")

TARGETS: Final[dict[str, Target]] = {
    "multipart": Target(forms.multipart, _MULTIPART),
    "urlencoded": Target(forms.urlencoded, ("&", "=", "%", "+", "%C3%A9", ";", "%3D", "%26")),
    "parameters": Target(
        forms.parameters,
        ("form-data", '; name="', '"; filename="', "multipart/form-data; boundary=", "utf-16", "shift_jis", "\\"),
    ),
    "headers": Target(fields.headers, ("=a:", "+a:", "-a", "?a:", "|a:", "vAccept", "*", "%0D%0A", "%C4%80", "x-7")),
    "cookies": Target(fields.cookies, ("=", ";", '"', "\\054", '\\"', " ", "\t", "\x85", "\xa0", "__Host-")),
    "set_cookie": Target(fields.set_cookie, ("%0D%0A", ";", "%00", '"', "\\", "Path", "max-age", "%C3%A9")),
    "ranges": Target(fields.ranges, ("bytes=", "-", ",", "0-", " ", "\t", "99999999999999999999", "_", "+")),
    "validators": Target(
        fields.validators,
        ('W/"', '"v1"', '"a,b"', ", ", "*", "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94", "Nov  6", "-0000"),
    ),
    "codings": Target(
        fields.codings, ("gzip", "x-gzip", ";q=0", ";q=0.5", "*", ", ", "image/", "application/grpc+", "text/plain;")
    ),
    "request_url": Target(urls.request_url, _REQUEST),
    "redirects": Target(urls.redirects, _REQUEST),
    "hosts": Target(urls.hosts, ("*.", ".org", "[::1]", "[v1.x]", ":80", ":65536", "%25", "..", "::ffff:1.2.3.4")),
    "url_text": Target(
        urls.url_text,
        ("http://", "u:p@", "[::1]", ":80", "path=", "query=", "port=", "hostname=", "username=", "//", "?", "#"),
    ),
    "query": Target(urls.query, ("&", "=", "+", "%", "%FF", "%C3%A9", ";")),
    "templates": Target(
        paths.templates,
        ("{a}", "{b:int}", "{c:float}", "{d:path}", "{e:uuid}", "/", "-", ".", "%0A", "1.5", "0" * 32, "-0000"),
    ),
    "routers": Target(
        paths.routers,
        (
            "GET /",
            "POST /",
            "ANY /",
            "MOUNT /",
            "{a}",
            "{b:int}",
            "{c:path}",
            "{d:float}",
            "{e:uuid}",
            "\n\n",
            "//",
            "1",
        ),
    ),
    "static_files": Target(
        paths.static_files,
        (
            "../",
            "/",
            "\\",
            "%00",
            "public-secret/",
            "secret.txt",
            "out/",
            "in/",
            "b/c.txt",
            "index.html",
            "%2E%2E",
            "...",
        ),
    ),
    "sessions": Target(bodies.sessions, ("eyJhIjogMX0=", ".", "=", "-", "_", '{"a": 1}', "\\ud800")),
    "json_text": Target(
        bodies.json_text, ("{", "}", "[", "]", ":", '"', "\\u", "\\ud800", "NaN", "-Infinity", "null", "1e999", " ")
    ),
    "graphql": Target(
        bodies.graphql,
        (
            '{"query": "',
            '"variables": {',
            '"operationName": ',
            "{me}",
            "mutation",
            "fragment",
            "...",
            "map",
            *_MULTIPART,
        ),
    ),
    "typed": Target(
        typed.typed,
        (
            '"number": ',
            '"text": ',
            '"tags": [',
            '"children": {',
            "size=",
            "&tag=",
            "\xa6number",
            "\xa4tags\x91",
            "\xa8children\x81",
            "\xd4\x00\x00",
            "\xcb",
            "\xc4",
        ),
    ),
}


def seeds(name: str) -> list[Path]:
    """Return the files of the seed corpus of a target."""
    return sorted(path for path in (CORPUS / name).iterdir() if path.is_file())
