# ruff: noqa: E501  (tables of data are easier to compare in long lines)
"""Forms: both kinds, every limit, every split, and what is malformed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, Final

from tests.differential.case import DISCONNECT, Case, body, http

URLENCODED: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data; boundary=B"

ENCODED: Final = [
    b"", b"a=1", b"a=1&b=2", b"&&a=1&&", b"a", b"=x", b"=", b"a=1;b=2", b"a=1\r\nb=2", b"a=1&a=2", b"a+b=c+d", b"a=%FF", b"a=%zz", b"a=\xc3\xa9", b"a=%C3%A9",
    b"a%3Db=1", b"a=b=c", b"a=%", b"a=%4", b"%=1", b"a=\x00", b"+=+", b"a=%00", b"\xff=\xfe", b"a=1&", b"&", b"a&b&c", b"a=%E2%82%AC", b"a=%e2%82",
]  # fmt: skip


def part(disposition: str, content: bytes, *fields: str, end: bytes = b"\r\n") -> bytes:
    """Return one part of a body with the boundary `B`."""
    lines = [f"Content-Disposition: {disposition}", *fields] if disposition else list(fields)
    return b"--B\r\n" + "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content + end


END: Final = b"--B--\r\n"
FIELD: Final = part('form-data; name="a"', b"1")
FILE: Final = part('form-data; name="f"; filename="f.txt"', b"content", "Content-Type: text/plain", "X-Custom: Yes")

PARTS: Final[dict[str, bytes]] = {
    "field": FIELD + END, "file": FILE + END, "both": FIELD + FILE + FIELD + END, "nothing": END, "empty": b"", "no end of line": FIELD + b"--B--",
    "epilogue": FIELD + END + b"more\r\n--B\r\n", "leading lines": b"\r\n\r\n" + FIELD + END, "preamble": b"preamble\r\n" + FIELD + END,
    "other boundary": FIELD.replace(b"--B", b"--C") + END, "line feeds": (FIELD + END).replace(b"\r\n", b"\n"),
    "empty filename": part('form-data; name="f"; filename=""', b"") + END, "empty name": part('form-data; name=""', b"x") + END,
    "no name": part("form-data", b"x") + END, "odd name": part('form-data; ="field0"', b"x") + END, "no disposition": part("", b"x", "X-Y: z") + END,
    "unquoted": part("form-data; name=a; filename=b.txt", b"x") + END, "upper": part('FORM-DATA; NAME="a"; FILENAME="b"', b"x") + END,
    "semicolon": part('form-data; name="a;b"; filename="c;d"', b"x") + END, "escaped": part(r'form-data; name="a\"b"; filename="c\\d"', b"x") + END,
    "extended": part("form-data; name=\"a\"; filename*=utf-8''%41", b"x") + END, "percent": part('form-data; name="%22"; filename="%22"', b"x") + END,
    "windows path": part(r'form-data; name="f"; filename="C:\dir\x.txt"', b"x") + END, "path": part('form-data; name="f"; filename="../../x"', b"x") + END,
    "unc path": part(r'form-data; name="f"; filename="\\srv\share\x"', b"x") + END, "attachment": part('attachment; name="a"', b"x") + END,
    "two dispositions": part('form-data; name="a"', b"x", 'Content-Disposition: form-data; name="b"; filename="c"') + END,
    "utf-8": part("form-data; name=\"\u00e6\u0096\u0087\"; filename=\"\u00e6\u0096\u0087\"", "文書".encode()) + END,
    "latin-1": part('form-data; name="\u00e9"', b"\xe9") + END, "own charset": part('form-data; name="a"', b"\xe9", "Content-Type: text/plain; charset=latin-1") + END,
    "_charset_": part('form-data; name="_charset_"', b"latin-1") + part('form-data; name="a"', b"\xc3\xa9") + END,
    "eight headers": part('form-data; name="a"', b"x", *[f"X-{i}: {i}" for i in range(7)]) + END,
    "nine headers": part('form-data; name="a"', b"x", *[f"X-{i}: {i}" for i in range(8)]) + END,
    "long header": part('form-data; name="a"', b"x", "X: " + "y" * 4200) + END, "longer header": part('form-data; name="a"', b"x", "X: " + "y" * 4300) + END,
    "no colon": part('form-data; name="a"', b"x", "nonsense") + END, "blank in a header": part('form-data; name="a"', b"x", "X Y: z") + END,
    "NUL in a header": part('form-data; name="a"', b"x", "X\0: z") + END, "empty header": part('form-data; name="a"', b"x", ": z") + END,
    "folded": part('form-data;\r\n name="a"', b"x") + END, "near boundaries": part('form-data; name="a"', b"\r\n--\r\n-B\r\n--A\r\r\n--") + END,
    "nested": part('form-data; name="a"', b"--C\r\n\r\nx\r\n--C--", "Content-Type: multipart/mixed; boundary=C") + END,
    "boundary with more": FIELD.replace(b"--B\r\n", b"--B  \r\n") + END, "empty value": part('form-data; name="a"', b"") + END,
    "binary": part('form-data; name="f"; filename="f"', bytes(range(256))) + END, "no part": b"--B\r\n\r\n\r\n" + END, "dashes": b"--B-\r\n", "only boundary": b"--B\r\n",
    "values with blanks": part('form-data; name=" a "; filename=" b "', b" x ") + END, "no blank": part('form-data;name="a";filename="b"', b"x") + END,
    "transfer encoding": part('form-data; name="a"', b"eA==", "Content-Transfer-Encoding: base64") + END,
}  # fmt: skip

KINDS: Final = [
    "multipart/form-data", "multipart/form-data; boundary=", 'multipart/form-data; boundary="B"', "Multipart/Form-Data; BOUNDARY=B", "multipart/form-data;boundary=B;",
    "multipart/form-data; boundary=" + "B" * 256, "multipart/form-data; boundary=" + "B" * 257, "multipart/form-data; charset=latin-1; boundary=B",
    "multipart/form-data; boundary=B; charset=utf-8", "multipart/form-data; boundary=B; charset=nope", "multipart/form-data; boundary=B; charset=",
    "multipart/form-data; boundary=C", "multipart/form-data; boundary=B; boundary=C", "multipart/form-data, boundary=B", 'multipart/form-data; boundary="B',
    "multipart/form-data; x=y; boundary=B", "multipart/form-data; boundary=b", "multipart/form-data; boundary=B; charset=cp1252", "multipart/form-data; boundary=\u00e9",
]  # fmt: skip


def form(name: str, content: tuple[bytes, ...], kind: str = MULTIPART, inside: bool = True, **limits: Any) -> Case:
    """Return a case for one form, which is closed afterwards."""
    options = {"steps": [["form", limits], "close"], "inside": inside, "caught": False}
    scope = http(method="POST", headers={"content-type": kind})
    return Case(f"forms/{name}", "requests.read", scope, options, body(*content))


def cases() -> Iterator[Case]:
    """Yield the cases of this topic."""
    for index, text in enumerate(ENCODED):
        yield form(f"encoded {index}", (text,), URLENCODED)
        yield form(f"encoded in octets {index}", tuple(bytes([octet]) for octet in text) or (b"",), URLENCODED)
    for label, text in PARTS.items():
        yield form(f"parts {label}", (text,))
        yield form(f"parts in octets {label}", tuple(bytes([octet]) for octet in text) or (b"",))
        yield form(f"parts outside {label}", (text[:7], text[7:30], text[30:]), inside=False)
    for index, kind in enumerate(KINDS):
        content = FIELD + part('form-data; name="n\u00e9"', b"\xc3\xa9\x80") + END
        yield form(f"kind {index}", (content,), kind)
        yield form(f"kind outside {index}", (content,), kind, inside=False)
    yield from _limits()
    yield from _random()


def _limits() -> Iterator[Case]:
    for number in [0, 1, 2, 3, 1.5, float("inf")]:
        yield form(f"encoded fields {number}", (b"a=1&b=2&", b"c=3"), URLENCODED, max_fields=number)
        yield form(f"fields {number}", (FIELD * 2 + FILE + END,), max_fields=number)
        yield form(f"fields in octets {number}", tuple(bytes([octet]) for octet in FIELD * 2 + END), max_fields=number)
        yield form(f"files {number}", (FILE * 2 + FIELD + END,), max_files=number)
        yield form(f"files outside {number}", (FILE * 2 + FIELD + END,), inside=False, max_files=number)
    for size in [0, 3, 4, 5, 1023, 1536, 10240]:
        yield form(f"encoded size {size}", (b"ab=cd&x=" + b"y" * 1500,), URLENCODED, max_part_size=size)
        yield form(f"encoded size of a name {size}", (b"abcde",), URLENCODED, max_part_size=size)
        yield form(
            f"size {size}",
            (part('form-data; name="long"', b"12345") + part('form-data; name="a"', b"y" * 1500) + END,),
            max_part_size=size,
        )
        yield form(f"size of a file {size}", (FILE + END,), max_part_size=size)
    yield form("encoded default fields", (b"a=1&" * 1001,), URLENCODED)
    yield form("encoded default fields reached", (b"a=1&" * 1000,), URLENCODED)
    yield form("default fields", (FIELD * 1001 + END,))
    yield form("default files", (FILE * 1001 + END,))
    yield form("default size", (part('form-data; name="a"', b"y" * (1024 * 1024 + 1)) + END,))
    yield form("encoded default size", (b"a=" + b"y" * 1024 * 1024,), URLENCODED)
    yield form("spooled", (part('form-data; name="a"; filename="b"', b"y" * (1024 * 1024 + 9)) + END,))
    for label, messages in {
        "at once": (DISCONNECT,),
        "in a file": ({"type": "http.request", "body": FILE[:-3], "more_body": True}, DISCONNECT),
        "between": ({"type": "http.request", "body": FIELD, "more_body": True}, DISCONNECT),
    }.items():
        for caught in [True, False]:
            options = {"steps": ["form", "form"], "caught": caught}
            yield Case(
                f"forms/left {label} {caught}",
                "requests.read",
                http(method="POST", headers={"content-type": MULTIPART}),
                options,
                messages,
            )
    for step in ["context", "body", "json", "stream"]:
        options = {"steps": [step, "form", step]}
        yield Case(
            f"forms/also {step}",
            "requests.read",
            http(method="POST", headers={"content-type": MULTIPART}),
            options,
            body(FILE + END),
        )


def _random() -> Iterator[Case]:
    chance = random.Random(19)
    names = ["a", "b", "é", "x y", "", "long" * 9]
    for index in range(120):
        parts = []
        for _ in range(chance.randint(1, 5)):
            content = bytes(chance.choice(b"\r\n-B=&%\xc3\xa9x") for _ in range(chance.randint(0, 30)))
            name = chance.choice(names).encode().decode("latin-1")
            disposition = f'form-data; name="{name}"' + (f'; filename="{name}.txt"' if chance.random() < 0.4 else "")
            parts.append(part(disposition, content, *["X-A: b"][: chance.randint(0, 1)]))
        yield form(f"random parts {index}", _split(chance, b"".join(parts) + END))
        text = bytes(chance.choice(b"ab=&+%41;\xe9F") for _ in range(chance.randint(1, 40)))
        yield form(f"random encoded {index}", _split(chance, text), URLENCODED)


def _split(chance: random.Random, text: bytes) -> tuple[bytes, ...]:
    cuts = sorted(chance.randrange(len(text)) for _ in range(chance.randint(0, 6)))
    return tuple(text[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(text)], strict=True))
