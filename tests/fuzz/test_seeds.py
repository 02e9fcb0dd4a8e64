"""Every target accepts its seeds, without a fuzzer; and sees what is wrong, when something is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from starlette._http import multipart, ranges, set_cookie, urls
from starlette._http.cookies import cookie_parser
from starlette._http.host_patterns import HostPatterns
from starlette._http.query import parse_query
from starlette._routing.index import RouteIndex
from starlette._routing.templates import Template
from starlette.datastructures import MutableHeaders, _multidicts, _urls
from starlette.formparsers import FormParser, MultiPartParser
from starlette.middleware.sessions import SessionMiddleware
from tests.fuzz.inputs import Dial, agree, chunked, decoded, dialled, require, text_lines
from tests.fuzz.replay import main as replay
from tests.fuzz.table import CORPUS, TARGETS, seeds
from tests.fuzz.targets import bodies, fields, forms

SEEDS = [(name, path) for name in TARGETS for path in seeds(name)]


@pytest.mark.parametrize(("name", "path"), SEEDS, ids=lambda item: getattr(item, "name", item))
def test_nothing_is_wrong_with_a_seed(name: str, path: Path) -> None:
    TARGETS[name].run(path.read_bytes())


def test_every_target_has_seeds_and_says_what_it_finds() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
    for name, target in TARGETS.items():
        assert len(seeds(name)) >= 5, name
        assert target.run.__doc__, name


# An oracle that never complains proves nothing: with each of these faults some seed must fail.


def _shortened(*args: Any) -> Any:
    found = _complete_part(*args)
    return found and (found[0], found[1], max(found[1], found[2] - 1))


_complete_part = multipart.complete_part


def _unsigned(_self: object, signed: bytes) -> bytes:
    return signed.rpartition(b".")[0].rpartition(b".")[0]


def _appended(self: MutableHeaders, key: str, value: str) -> None:
    self._list.append((key.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace")))


def _ends_like(self: HostPatterns, host: str) -> bool:
    return host.endswith(tuple(pattern.lstrip("*.") for pattern in self.patterns))


def _stripped(field: str) -> dict[str, str]:
    return {name.strip(): value for name, value in cookie_parser(field).items()}


FAULTS = [
    pytest.param("multipart", multipart, "complete_part", _shortened, id="multipart-content-cut"),
    pytest.param("multipart", MultiPartParser, "_star_too_large", lambda _: KeyError(), id="multipart-no-limit"),
    pytest.param("urlencoded", FormParser, "_star_check_size", lambda *_: None, id="urlencoded-no-limit"),
    pytest.param("urlencoded", FormParser, "_star_add_fields", lambda *_: None, id="urlencoded-fields-lost"),
    pytest.param("parameters", forms, "canonical_disposition", lambda field: (field, None), id="parameters"),
    pytest.param("headers", MutableHeaders, "append", _appended, id="headers-unchecked"),
    pytest.param("cookies", "starlette.requests", "cookie_parser", _stripped, id="cookies-other-blanks"),
    pytest.param("set_cookie", set_cookie, "quoted", lambda value: value, id="set_cookie-unquoted"),
    pytest.param("ranges", ranges, "_merged", lambda found: found[:1], id="ranges-lost"),
    pytest.param("validators", fields, "none_match", lambda field, etag: etag in field, id="validators"),
    pytest.param("codings", fields, "accepts_gzip", lambda lines: b"gzip" in lines[0][1], id="codings-substring"),
    pytest.param("request_url", urls, "escape_path", lambda path: path, id="request_url-unescaped"),
    pytest.param("redirects", urls, "relative_path", lambda path: path, id="redirects-two-slashes"),
    pytest.param("hosts", HostPatterns, "match", _ends_like, id="hosts-look-alike"),
    pytest.param("url_text", _urls, "mask_password", lambda url: url, id="url_text-password-shown"),
    pytest.param(
        "query", _multidicts, "parse_query", lambda text: parse_query(text.replace(";", "&")), id="query-semicolon"
    ),
    pytest.param("templates", Template, "match", lambda self, text: self.regex.match(text), id="templates"),
    pytest.param("routers", RouteIndex, "search", lambda *_: (), id="routers-left-out"),
    pytest.param(
        "static_files", "starlette.staticfiles", "is_inside", lambda path, root: path[: len(root)] == root, id="files"
    ),
    pytest.param("sessions", SessionMiddleware, "_asterism_unsign", _unsigned, id="sessions-unsigned"),
    pytest.param("json_text", bodies, "load_text", lambda text: json.loads(text.strip("x ")), id="json_text"),
    pytest.param(
        "graphql", "starlette._graphql.http", "load_json", lambda text, _: json.loads(text), id="graphql-raises"
    ),
    pytest.param("typed", "asterism.api._refusals", "is_about_hashes", lambda _: False, id="typed-raises"),
]


@pytest.mark.parametrize(("target", "place", "name", "fault"), FAULTS)
def test_a_planted_fault_is_found_by_a_seed(
    target: str, place: Any, name: str, fault: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if isinstance(place, str):
        monkeypatch.setattr(f"{place}.{name}", fault)
    else:
        monkeypatch.setattr(place, name, fault)
    found = 0
    for path in seeds(target):
        try:
            TARGETS[target].run(path.read_bytes())
        except Exception:
            found += 1
    assert found


def test_every_target_has_its_fault() -> None:
    assert {fault.values[0] for fault in FAULTS} == set(TARGETS)


# How inputs are read


def test_settings_stand_in_the_first_line() -> None:
    dial, rest = dialled(b"2x\x07\x09\nbody\n")
    assert (dial.number(9), dial.number(255), dial.rest(), dial.number(5), rest) == (2, 120, [7, 9], 0, b"body\n")
    assert Dial(b"9").number(4) == 4


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], [b"abcde"]),
        ([0, 0], [b"abcde"]),
        ([2], [b"ab", b"cd", b"e"]),
        ([0, 3, 1], [b"", b"abc", b"d", b"", b"e"]),
    ],
)
def test_bodies_are_cut_by_a_pattern_of_sizes(sizes: list[int], expected: list[bytes]) -> None:
    assert list(chunked(b"abcde", sizes)) == expected


def test_lines_are_text_with_escapes() -> None:
    assert text_lines(b"a%0Ab\n\xc3\xa9\n%FF") == ["a\nb", "é", "�"]
    assert decoded(b"%C3%A9") == "é"


def test_a_finding_says_what_came_and_what_should_have() -> None:
    with pytest.raises(AssertionError, match=r"(?s)'input'.*gives +1.*expected 2"):
        agree(1, 2, "input")
    with pytest.raises(AssertionError, match="does not hold: 'input'"):
        require([], "input")


def test_inputs_are_replayed_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "crash"
    file.write_bytes(b"bytes=0-1")
    assert replay(["ranges", str(file)]) == 0
    assert capsys.readouterr().out == f"ranges {file}\n"
    assert replay(["ranges"]) == 0
    assert capsys.readouterr().out.count("\n") == len(seeds("ranges"))
    assert replay(["nope"]) == 2
    assert "targets: multipart" in capsys.readouterr().err
