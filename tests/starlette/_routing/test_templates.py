"""Path templates: compiling them, reading them back off the pattern, and matching in linear time."""

from __future__ import annotations

import pickle
import re
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette._routing.building import fill
from starlette._routing.templates import (
    FLOAT,
    INT,
    PATH,
    STR,
    UUID,
    Parameter,
    Template,
    compile_template,
    is_ambiguous,
    match_linear,
    parse_template,
    read_tokens,
)
from starlette.convertors import CONVERTOR_TYPES, Convertor
from tests.growth import per_doubling


def tokens_of(path: str) -> tuple[str | Parameter, ...]:
    tokens = parse_template(path, CONVERTOR_TYPES)[0].tokens
    assert tokens is not None
    return tokens


@pytest.mark.parametrize(
    ("path", "pattern", "template", "names"),
    [
        pytest.param("/", "^/$", "/", [], id="root"),
        pytest.param("/a/{b:int}.json", r"^/a/(?P<b>[0-9]+)\.json$", "/a/{b}.json", ["b"], id="R11-literals-escaped"),
        pytest.param("/{x}", "^/(?P<x>[^/]+)$", "/{x}", ["x"], id="R10-str-by-default"),
        pytest.param("/{}{1x}", r"^/\{\}\{1x\}$", "/{}{1x}", [], id="R10-not-placeholders"),
        pytest.param("/{a:}{a b}", r"^/\{a:\}\{a\ b\}$", "/{a:}{a b}", [], id="R10-not-placeholders-either"),
        pytest.param("EX.org:80", r"^EX\.org$", "EX.org:80", [], id="R14-host-without-port"),
        pytest.param("[::1]", r"^\[::1\]$", "[::1]", [], id="R14-ipv6"),
        pytest.param("[::1]:80", r"^\[::1\]$", "[::1]:80", [], id="R14-ipv6-with-port"),
        pytest.param("{s}.org:1", r"^(?P<s>[^/]+)\.org$", "{s}.org:1", ["s"], id="R14-port-behind-a-placeholder"),
        pytest.param("", "^$", "", [], id="R14-empty-is-a-host"),
    ],
)
def test_a_path_compiles_to_pattern_format_and_convertors(
    path: str, pattern: str, template: str, names: list[str]
) -> None:
    regex, filled, convertors = compile_template(path, CONVERTOR_TYPES)
    assert regex.pattern == pattern
    assert filled == template
    assert list(convertors) == names
    # R14: hosts are compared without case, paths with it.
    assert bool(regex.flags & re.IGNORECASE) is not path.startswith("/")


def test_an_unknown_convertor_is_reported_before_duplicates_and_says_where() -> None:  # routing R12
    kinds = {kind: CONVERTOR_TYPES[kind] for kind in ("str", "path", "int", "float", "uuid")}
    with pytest.raises(AssertionError) as caught:
        compile_template("/{a}/{a:nope}", kinds)
    assert str(caught.value) == "Unknown path convertor 'nope'"
    assert caught.value.__notes__ == ["in the path '/{a}/{a:nope}'; registered are float, int, path, str, uuid"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/{id}/{id}", "Duplicated param name id at path /{id}/{id}"),
        ("/{id}/{name}/{id}/{name}", "Duplicated param names id, name at path /{id}/{name}/{id}/{name}"),
    ],
)
def test_a_duplicated_name_is_refused(path: str, message: str) -> None:  # routing R13
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        compile_template(path, CONVERTOR_TYPES)


@pytest.mark.parametrize(
    ("path", "tokens"),
    [
        ("/a(b){x:int}.c\n", ("/a(b)", Parameter("x", INT), ".c\n")),
        ("/{a:str}/{b:path}", ("/", Parameter("a", STR), "/", Parameter("b", PATH))),
        ("/{a:float}{b:uuid}", ("/", Parameter("a", FLOAT), Parameter("b", UUID))),
    ],
)
def test_tokens_are_read_back_off_the_pattern(path: str, tokens: tuple[str | Parameter, ...]) -> None:
    assert tokens_of(path) == tokens


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("/a", id="not-anchored"),
        pytest.param("^/(?P<x>[a-c]+)$", id="custom-convertor"),
        pytest.param("^/(a|b)$", id="a-group-without-name"),
        pytest.param(r"^/\d$", id="a-class-escape"),
    ],
)
def test_other_patterns_are_left_to_re(pattern: str) -> None:
    template = Template(re.compile(pattern))
    assert template.tokens is None
    assert template.literal is None


def test_other_flags_are_left_to_re() -> None:
    assert Template(re.compile("^/a$", re.MULTILINE)).tokens is None


def test_custom_convertors_match_by_their_own_pattern() -> None:
    class Letters(Convertor[str]):
        regex = "[a-c]+"

    regex, _, _ = compile_template("/{x:letters}", {"letters": Letters()})
    assert Template(regex).match("/abc") == {"x": "abc"}
    assert Template(regex).match("/abd") is None


@pytest.mark.parametrize("path", ["/a", "/{x}", "/{x:path}", "/{y}-{z}", "/{z}-{y}-{x}-{w}"])
def test_a_final_newline_is_not_ignored(path: str) -> None:  # threats T13.2
    text = path.replace("{x}", "1").replace("{y}", "1").replace("{z}", "1").replace("{w}", "1").replace("{x:path}", "1")
    template = Template(compile_template(path, CONVERTOR_TYPES)[0])
    assert template.match(text) is not None
    found = template.match(text + "\n")
    # A `str` may hold a newline, but then it is in the value: nothing is cut off.
    assert found is None or any(value.endswith("\n") for value in found.values())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a/{b}/{c:int}", False),
        ("/a{b}.{c:path}", True),
        ("/{a}-{b}", True),
        ("/{a:path}/x/{b:path}", True),
        ("/{a:path}/{b}", False),
    ],
)
def test_templates_that_can_be_cut_in_many_ways_are_told(path: str, expected: bool) -> None:
    assert is_ambiguous(tokens_of(path)) is expected


@pytest.mark.parametrize("text", ["a-b", "a-b-c-d-e", "x" * 50 + "-y", "-", "--", ""])
def test_ambiguous_hosts_match_without_case_at_any_length(text: str) -> None:
    regex, _, _ = compile_template("{a}-{b}.Example.org", CONVERTOR_TYPES)
    host = f"{text}.eXAMPLE.org"
    found = regex.fullmatch(host)
    assert Template(regex).match(host) == (None if found is None else found.groupdict())


def test_a_literal_pattern_is_never_compiled() -> None:
    template = parse_template("/a.b", CONVERTOR_TYPES)[0]
    assert template.literal == "/a.b"
    assert template.match("/a.b") == {}
    assert template.match("/axb") is None
    assert template.compiled is None


def test_templates_survive_pickle() -> None:
    template = pickle.loads(pickle.dumps(Template(compile_template("/{a}-{b}", CONVERTOR_TYPES)[0])))
    assert template.match("/x-y") == {"a": "x", "b": "y"}


placeholders = st.sampled_from(["str", "path", "int", "float", "uuid"])
literals = st.sampled_from(["", "-", ".", "a", "/", "1", "a/", "/b", "\n", "aa"])
texts = st.lists(
    st.sampled_from(["a", "1", "-", ".", "/", "1.5", "/b", "\n", "aa", str(uuid.UUID(int=7)), uuid.UUID(int=9).hex]),
    max_size=10,
).map("".join)


@given(parts=st.lists(st.tuples(literals, placeholders), min_size=1, max_size=4), tail=literals, data=st.data())
@settings(max_examples=400, deadline=None)
def test_linear_matching_gives_what_the_pattern_gives(
    parts: list[tuple[str, str]], tail: str, data: st.DataObject
) -> None:  # threats T14
    path = "/" + "".join(f"{literal}{{p{at}:{kind}}}" for at, (literal, kind) in enumerate(parts)) + tail
    regex, template, _ = compile_template(path, CONVERTOR_TYPES)
    tokens = read_tokens(regex.pattern)
    assert tokens is not None
    # Half of the texts are built from the template, so that they nearly match.
    pieces = {f"p{at}": data.draw(texts) for at in range(len(parts))}
    built = fill(template, dict.fromkeys(pieces, CONVERTOR_TYPES["path"]), dict(pieces))
    for text in (built, "/" + data.draw(texts)):
        found = regex.fullmatch(text)
        expected = None if found is None else found.groupdict()
        assert match_linear(tokens, text) == expected
        assert Template(regex).match(text) == expected


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        pytest.param("/{year}-{month}-{day}", "-", id="three-in-one-segment"),
        pytest.param("/{a:path}/{b:path}/x/{c:path}/y", "/x", id="three-over-segments"),
        pytest.param("/{a:int}{b:int}{c:int}.", "1", id="digits"),
        pytest.param("/{a:float}{b:float}.x", "1.1", id="fractions"),
        pytest.param("/{a}/{b}/{c}/{d}", "/", id="plain-segments"),
        pytest.param("{a}.{b}.{c}.org", "a.", id="host"),
    ],
)
def test_matching_time_is_linear(path: str, unit: str) -> None:  # threats T14
    template = Template(compile_template(path, CONVERTOR_TYPES)[0])

    assert per_doubling(lambda size: template.match("/" + unit * (size // len(unit)) + "/"), 2000) < 3


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/a.b",
        "/{x}",
        "/a{x}.{y:float}/{z:path}",
        "/{x:int}-{y:uuid}",
        "{a}.Example.org:8000",
        "x.{a}",
        "/{x}$^",
    ],
)
def test_a_template_knows_what_would_be_read_off_its_pattern(path: str) -> None:
    template = parse_template(path, CONVERTOR_TYPES)[0]
    assert template.compiled is None
    regex = template.regex
    assert template.tokens == read_tokens(regex.pattern, regex.flags & ~re.UNICODE)
    assert template.literal == Template(regex).literal
