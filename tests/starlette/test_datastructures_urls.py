"""`URL`, `URLPath` and `Address` (datastructures R1-R34, threats T02, T19)."""

from __future__ import annotations

import copy
import pickle
from typing import Any
from urllib.parse import SplitResult, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette.datastructures import URL, Address, URLPath
from tests.asgi import http_scope

FULL = "https://example.org:123/path/to/somewhere?abc=123#anchor"


def scope_url(path: str = "/", host: bytes | None = b"example.org", **keys: Any) -> URL:
    headers = [] if host is None else [(b"host", host)]
    return URL(scope=http_scope(path, headers=headers, **keys))


def test_an_address_is_a_named_pair() -> None:
    # R1
    address = Address("h", 1)
    host, port = address
    assert address == (host, port) == (address.host, address.port) == ("h", 1)
    with pytest.raises(TypeError):
        Address("h")  # type: ignore[call-arg]


# Text


@pytest.mark.parametrize("text", ["", "http://h", FULL, "HTTP://H:0080/%7e?#", "not a url"])
def test_text_is_kept_as_it_is(text: str) -> None:
    # R2
    assert str(URL(text)) == text
    assert bool(URL(text)) is True
    assert str(URL()) == ""


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"url": "x", "scope": {}}, 'Cannot set both "url" and "scope".'),
        ({"scope": {}, "path": "/"}, 'Cannot set both "scope" and "**components".'),
        ({"url": "x", "path": "/"}, 'Cannot set both "url" and "**components".'),
    ],
)
def test_two_sources_are_an_assertion_error(keys: dict[str, Any], message: str) -> None:
    # R3
    with pytest.raises(AssertionError) as caught:
        URL(**keys)
    assert str(caught.value) == message


def test_components_are_put_together() -> None:
    # R4
    assert str(URL(scheme="http", netloc="h", path="/p", query="a=1", fragment="f")) == "http://h/p?a=1#f"
    assert str(URL(hostname="h", port=1, scheme="http")) == "http://h:1"


@pytest.mark.parametrize("keys", [{"colour": "red"}, {"colour": "red", "port": 1, "path": "/"}])
def test_an_unknown_component_is_a_value_error(keys: dict[str, Any]) -> None:
    # R4
    with pytest.raises(ValueError, match="colour"):
        URL(**keys)
    with pytest.raises(ValueError, match="colour"):
        URL("http://h").replace(**keys)


def test_parts_are_split_by_the_standard_library() -> None:
    # R5
    url = URL("HTTPS://User:Pass@Example.ORG:123/path;x?abc=123#anchor")
    assert isinstance(url.components, SplitResult)
    assert url.components is url.components
    assert (url.scheme, url.netloc) == ("https", "User:Pass@Example.ORG:123")
    assert (url.path, url.query, url.fragment) == ("/path;x", "abc=123", "anchor")
    assert (url.username, url.password, url.hostname, url.port) == ("User", "Pass", "example.org", 123)
    empty = URL("")
    assert (empty.scheme, empty.netloc, empty.path, empty.query, empty.fragment) == ("", "", "", "", "")
    assert (empty.username, empty.password, empty.hostname, empty.port) == (None, None, None, None)
    assert URL("http://[::1]:8").hostname == "::1"


@pytest.mark.parametrize("port", ["65536", "abc", "1" * 5000])
def test_a_bad_port_raises_when_it_is_asked_for(port: str) -> None:
    # R5
    url = URL(f"http://h:{port}/p")
    assert url.path == "/p"
    with pytest.raises(ValueError, match=r"(?i)port|digits"):
        _ = url.port


def test_a_malformed_bracket_raises_when_a_part_is_asked_for() -> None:
    # R5
    url = URL("http://[x")
    assert (str(url), repr(url)) == ("http://[x", "URL('http://[x')")
    with pytest.raises(ValueError, match="IPv6"):
        _ = url.path


@pytest.mark.parametrize(
    ("text", "expected"), [("https://h", True), ("wss://h", True), ("http://h", False), ("ws://h", False), ("h", False)]
)
def test_is_secure(text: str, expected: bool) -> None:
    # R6
    assert URL(text).is_secure is expected


def test_a_url_equals_its_text() -> None:
    # R7
    assert URL("http://x") == "http://x"
    assert URL("http://x") == URL("http://x")
    assert URL("5") == 5
    assert URL("http://x") != "http://x/"
    with pytest.raises(TypeError):
        hash(URL("x"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://h/p", "URL('http://h/p')"),
        (
            "https://username:password@example.org/path/to/somewhere",
            "URL('https://username:********@example.org/path/to/somewhere')",
        ),
        ("http://u:@h", "URL('http://u:@h')"),
        ("http://u:p@h:abc", "URL('http://u:********@h:abc')"),
    ],
)
def test_repr_masks_the_password_and_str_does_not(text: str, shown: str) -> None:
    # R8, T19
    class Link(URL):
        pass

    assert repr(URL(text)) == shown
    assert repr(Link(text)) == shown.replace("URL", "Link", 1)
    assert str(URL(text)) == text


@pytest.mark.parametrize("text", ["http://u:p@h/p?q#f", ""])
def test_urls_can_be_copied_and_pickled(text: str) -> None:
    url = URL(text)
    assert url.path is not None
    for other in (copy.copy(url), copy.deepcopy(url), pickle.loads(pickle.dumps(url))):
        assert type(other) is URL
        assert (other, other.components) == (url, url.components)


# replace()


@pytest.mark.parametrize(
    ("text", "changes", "expected"),
    [
        pytest.param(FULL, {}, FULL, id="R9-nothing"),
        pytest.param(FULL, {"scheme": "http"}, FULL.replace("https", "http"), id="R17-scheme"),
        pytest.param(FULL, {"path": "/x y", "query": "ä", "fragment": ""}, "https://example.org:123/x y?ä", id="R9"),
        pytest.param(FULL, {"netloc": "n"}, "https://n/path/to/somewhere?abc=123#anchor", id="R9-netloc"),
        pytest.param(FULL, {"netloc": "n", "port": 1}, FULL.replace("123/", "1/"), id="R10-netloc-is-overridden"),
        pytest.param(FULL, {"port": None}, FULL.replace(":123", ""), id="R17-no-port"),
        pytest.param(FULL, {"hostname": "example.com"}, FULL.replace(".org", ".com"), id="R17-host"),
        pytest.param("http://u:p@h:1/", {"username": None}, "http://h:1/", id="R11-no-user"),
        pytest.param("http://u:p@h:1/", {"password": None}, "http://u@h:1/", id="R11-no-password"),
        pytest.param("http://u:p@h:1/", {"port": None}, "http://u:p@h/", id="R11-no-port"),
        pytest.param("http://h/", {"password": "p"}, "http://h/", id="R11-password-alone"),
        pytest.param("https://u:p@h:1/p", {"hostname": None}, "https://u:p@h:1/p", id="R12-keep"),
        pytest.param("https://u:p@h:1/p", {"hostname": ""}, "https://u:p@:1/p", id="R12-empty"),
        pytest.param("http://h:1/", {"hostname": "::1"}, "http://[::1]:1/", id="R13-ipv6"),
        pytest.param("http://h", {"hostname": "fe80::1%eth0"}, "http://[fe80::1%eth0]", id="R13-zone"),
        pytest.param("http://h", {"hostname": "[::1]"}, "http://[::1]", id="R13-brackets"),
        pytest.param("http://h", {"hostname": "a:b"}, "http://a:b", id="R13-other-colon"),
        pytest.param(
            "https://example.org:8443/path",
            {"hostname": "[::1]:8080", "port": None},
            "https://[::1]:8080/path",
            id="R13-ipv6-with-port",
        ),
        pytest.param(
            "https://example.org:8443/path",
            {"hostname": "example.org:8080", "port": None},
            "https://example.org:8080/path",
            id="R13-name-with-port",
        ),
        pytest.param("https://[fe::2]:12345", {"port": 8080}, "https://[fe::2]:8080", id="R14-port"),
        pytest.param(
            "https://[fe::2]:12345",
            {"username": "username", "password": "password"},
            "https://username:password@[fe::2]:12345",
            id="R14-user",
        ),
        pytest.param("https://[fe::2]", {"port": 123}, "https://[fe::2]:123", id="R14-new-port"),
        pytest.param("https://[fe::2]:1", {"hostname": "fe::2"}, "https://[fe::2]:1", id="R14-own-host"),
        pytest.param("http://EXAMPLE.org:1", {"port": 2}, "http://EXAMPLE.org:2", id="case-is-kept"),
        pytest.param("http://u:p@host/", {"hostname": "bar"}, "http://u:p@bar/", id="R15-host"),
        pytest.param("http://u:p@host:80", {"port": 88}, "http://u:p@host:88", id="R15-port"),
        pytest.param("http://host:80", {"username": "u"}, "http://u@host:80", id="R15-user"),
        pytest.param("http://u:@h/", {"port": 0}, "http://u:@h:0/", id="empty-password-and-port-zero"),
        pytest.param("http://u:p@h:1/", {"port": ""}, "http://u:p@h/", id="empty-port"),
        pytest.param("/path?a=1", {"port": 8080}, "//:8080/path?a=1", id="R16-port"),
        pytest.param("/path?a=1", {"username": "u"}, "//u@/path?a=1", id="R16-user"),
        pytest.param("/path?a=1", {"hostname": "h"}, "//h/path?a=1", id="R16-host"),
        pytest.param("http://h", {"path": "x"}, "http://h/x", id="R18-slash"),
        pytest.param("mailto:x", {"query": "a"}, "mailto:x?a", id="no-authority"),
    ],
)
def test_replace(text: str, changes: dict[str, Any], expected: str) -> None:
    url = URL(text)
    assert str(url.replace(**changes)) == expected
    assert str(url) == text


def test_replace_keeps_the_class() -> None:
    # R9
    class Link(URL):
        pass

    assert type(Link("http://h").replace(port=1)) is Link
    assert type(Link("http://h").include_query_params(a=1)) is Link


def test_a_replaced_port_is_found_again() -> None:
    # R16
    assert URL("/path?a=1").replace(port=8080).port == 8080


# Query


def test_query_parameters_are_included_replaced_and_removed() -> None:
    # R22
    url = URL("https://example.org/path/?page=3")
    assert str(url) == "https://example.org/path/?page=3"
    url = url.include_query_params(page=4)
    assert str(url) == "https://example.org/path/?page=4"
    url = url.include_query_params(search="testing")
    assert str(url) == "https://example.org/path/?page=4&search=testing"
    url = url.replace_query_params(order="name")
    assert str(url) == "https://example.org/path/?order=name"
    url = url.remove_query_params("order")
    assert str(url) == "https://example.org/path/"
    url = url.include_query_params(page=4, search="testing").remove_query_params(["page", "search"])
    assert str(url) == "https://example.org/path/"


@pytest.mark.parametrize(
    ("query", "added", "expected"),
    [
        pytest.param("b=1&a=2", {"b": 5}, "a=2&b=5", id="R19-moves-to-the-end"),
        pytest.param("a=1&a=2&b=&c", {"a": 3}, "b=&c=&a=3", id="R19-all-values-go"),
        pytest.param("a", {}, "a=", id="R21-blank-stays"),
        pytest.param("", {"e": [1, 2]}, "e=%5B1%2C+2%5D", id="R21-list"),
        pytest.param("", {"e": None}, "e=None", id="R21-none"),
        pytest.param("", {"e": "ä b"}, "e=%C3%A4+b", id="R21-utf-8"),
    ],
)
def test_include_query_params(query: str, added: dict[str, Any], expected: str) -> None:
    assert str(URL(f"/p?{query}#f").include_query_params(**added)) == f"/p?{expected}#f"


def test_query_parameters_that_are_not_there_may_be_removed() -> None:
    # R20
    assert str(URL("/p?a=1&a=2&b=3").remove_query_params(("a", "z"))) == "/p?b=3"
    assert str(URL("/p?a=1").replace_query_params()) == "/p"


# From a scope


def test_what_is_read_from_a_scope() -> None:
    # R23
    scope: dict[str, Any] = {"path": "/p", "headers": []}
    assert str(URL(scope=scope)) == "/p"
    scope |= {"server": ("h", 80), "root_path": "/root", "query_string": "ä=1".encode()}
    before = copy.deepcopy(scope)
    url = URL(scope=scope)
    assert (str(url), url.scheme) == ("http://h/p?ä=1", "http")
    assert scope == before
    for key in ("path", "headers"):
        with pytest.raises(KeyError):
            URL(scope={name: value for name, value in scope.items() if name != key})


def test_a_later_change_of_the_scope_is_not_seen() -> None:
    scope = http_scope("/a")
    url = URL(scope=scope)
    scope["path"] = "/b"
    scope["headers"].clear()
    assert (url.path, str(url)) == ("/a", "http://testserver/a")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param([(b"host", b"Example.COM:000080")], "Example.COM:000080", id="R24-verbatim"),
        pytest.param([(b"host", b"a"), (b"host", b"b")], "a", id="R24-first"),
        pytest.param([(b"host", b"a/b"), (b"host", b"b")], "testserver", id="R24-second-is-not-asked"),
        pytest.param([(b"Host", b"a")], "testserver", id="R24-lower-case-name"),
        pytest.param([(b"host", b"foo:65536")], "testserver", id="R26-invalid"),
        pytest.param([(b"host", b"h:80")], "h:80", id="R24-default-port-stays"),
        pytest.param([(b"host", b"[v1.foo]")], "[v1.foo]", id="R26-future"),
        pytest.param(
            [(b"x-forwarded-host", b"evil"), (b"forwarded", b"host=evil"), (b"x-original-url", b"/evil")],
            "testserver",
            id="T02.6-forwarding-is-not-believed",
        ),
    ],
)
def test_the_authority_of_a_scope(headers: list[tuple[bytes, bytes]], expected: str) -> None:
    url = URL(scope=http_scope("/p", headers=headers))
    assert (url.netloc, url.path, str(url)) == (expected, "/p", f"http://{expected}/p")


@pytest.mark.parametrize(
    ("scheme", "server", "expected"),
    [
        pytest.param("https", ("example.org", 443), "https://example.org/p?a=b", id="R27-default-port"),
        pytest.param("https", ("example.org", 123), "https://example.org:123/p?a=b", id="R27-port"),
        pytest.param("http", ["::1", 8000], "http://[::1]:8000/p?a=b", id="R27-ipv6"),
        pytest.param("http", None, "/p?a=b", id="R28-relative"),
        pytest.param("http", ("/run/x.sock", None), "/p?a=b", id="T02.2-unix-socket"),
        pytest.param("HTTPS", ("h", 443), "https://h/p?a=b", id="scheme-in-lower-case"),
        pytest.param("ftp", ("h", 80), "ftp://h:80/p?a=b", id="D3-unknown-scheme"),
        pytest.param("", ("h", 80), "//h:80/p?a=b", id="no-scheme"),
    ],
)
def test_the_server_is_used_without_a_host(scheme: str, server: Any, expected: str) -> None:
    assert str(scope_url("/p", None, scheme=scheme, server=server, query_string=b"a=b")) == expected


def test_a_relative_url_has_no_scheme() -> None:
    # R28
    url = URL(scope={"path": "/path/to/somewhere", "query_string": b"abc=123", "headers": []})
    assert repr(url) == "URL('/path/to/somewhere?abc=123')"
    assert (url.scheme, url.netloc, url.port) == ("", "", None)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("/a?b#c", "/a%3Fb%23c", id="R29-query-and-fragment"),
        pytest.param("/a\\b", "/a%5Cb", id="R29-backslash"),
        pytest.param("/a%20 ä;:@", "/a%20 ä;:@", id="R29-all-else-stays"),
        pytest.param("/a\t\n\r\x00\x1fb", "/a%09%0A%0D%00%1Fb", id="T02.4-controls"),
        pytest.param("/a\x7f\x85\xa0", "/a\x7f\x85\xa0", id="R29-other-controls-stay"),
        pytest.param("@google.com", "/@google.com", id="R31-user"),
        pytest.param("user:pass@google.com", "/user:pass@google.com", id="R31-user-and-password"),
        pytest.param("//google.com/x", "//google.com/x", id="R31-slashes"),
        pytest.param("\\\\google.com/x", "/%5C%5Cgoogle.com/x", id="T02.3-backslashes"),
        pytest.param("http://google.com/x", "/http://google.com/x", id="R31-url"),
        pytest.param(":80@x", "/:80@x", id="T02.3-port"),
        pytest.param("", "", id="R31-empty"),
    ],
)
@pytest.mark.parametrize("host", [b"localhost", None])
def test_a_path_stays_a_path(path: str, expected: str, host: bytes | None) -> None:
    url = scope_url(path, host, server=("localhost", 80), query_string=b"a=b")
    assert str(url) == f"http://localhost{expected}?a=b"
    read = urlsplit(str(url))
    assert (read.hostname, read.path, read.query) == ("localhost", url.path, "a=b")
    assert url.path == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("//example.org/a", "/%2Fexample.org/a", id="R30-slashes"),
        pytest.param("/\\example.org/a", "/%5Cexample.org/a", id="R30-backslash"),
        pytest.param("http://evil/x", "http%3A//evil/x", id="T02.3-scheme"),
        pytest.param("a:b/c:d", "a%3Ab/c:d", id="T02.3-first-segment"),
        pytest.param("javascript:alert(1)", "javascript%3Aalert(1)", id="T02.3-script"),
        pytest.param(" //evil", "%20//evil", id="T02.3-blank-that-parsers-drop"),
        pytest.param("\t//evil", "%09//evil", id="T02.3-tab-that-parsers-drop"),
    ],
)
def test_a_path_without_authority_names_none(path: str, expected: str) -> None:
    url = scope_url(path, None, server=None)
    assert str(url) == url.path == expected
    assert urlsplit(str(url))[:2] == ("", "") == (url.scheme, url.netloc)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(b"a=1&b=%20+", "a=1&b=%20+", id="plain"),
        pytest.param("ä=ö".encode(), "ä=ö", id="R23-utf-8"),
        pytest.param(b"a=\xff\xe4#", "a=%FF%E4%23", id="T02.5-no-utf-8"),
        pytest.param(b"a#b", "a%23b", id="T02.5-fragment"),
        pytest.param(b"a\t\r\n\x00b", "a%09%0D%0A%00b", id="T02.5-controls"),
    ],
)
def test_a_query_may_contain_any_octet(query: bytes, expected: str) -> None:
    url = scope_url("/p", query_string=query)
    assert (url.query, url.fragment) == (expected, "")
    assert str(url) == f"http://example.org/p?{expected}"


def test_a_port_with_thousands_of_zeros_is_a_number() -> None:
    # T02.7
    url = scope_url(host=b"h:" + b"0" * 5000 + b"80")
    assert url.port == 80
    assert str(url.replace(scheme="https")) == f"https://{url.netloc}/"


PATHS = st.one_of(
    st.text(max_size=12),
    st.text("/\\@:?#%. ahtp\t\n", max_size=12),
    st.binary(max_size=12).map(lambda octets: octets.decode("latin-1")),
)
HOSTS = st.one_of(st.none(), st.binary(max_size=12), st.sampled_from([b"h", b"h:80", b"[::1]:8"]))
SERVERS = st.sampled_from([None, ("s", 80), ("::1", 8), ("/run/x.sock", None), ["s", 443]])


@settings(deadline=None, max_examples=200)
@given(PATHS, st.binary(max_size=10), HOSTS, SERVERS)
def test_a_url_of_a_scope_means_the_same_when_it_is_read_again(
    path: str, query: bytes, host: bytes | None, server: Any
) -> None:
    # T02.1 to T02.5, T02.7
    url = scope_url(path, host, query_string=query, server=server)
    read = urlsplit(str(url))
    assert tuple(read) == tuple(url.components) == (url.scheme, url.netloc, url.path, url.query, "")
    assert (read.port, read.hostname, url.username) == (url.port, url.hostname, None)
    assert repr(url)
    # The path is the routed one but for escapes, and a slash that was missing.
    escapes = {"%3F": "?", "%23": "#", "%5C": "\\", "%2F": "/", "%3A": ":", "%20": " "}
    escapes |= {f"%{code:02X}": chr(code) for code in range(32)}
    unescaped, expected = url.path, path
    for escape, character in escapes.items():
        unescaped = unescaped.replace(escape, character)
        expected = expected.replace(escape, character)
    assert unescaped in (expected, f"/{expected}")


# Seams


def test_path_may_be_replaced_by_a_property_over_components(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(URL, "path", property(lambda url: f"seen:{url.components.path}"))
    assert scope_url("/a").path == "seen:/a"
    assert URL("http://h/b").path == "seen:/b"


def test_init_may_be_replaced_on_the_class(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    init = URL.__init__

    def recording(self: URL, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        made.append(str(self))

    monkeypatch.setattr(URL, "__init__", recording)
    base = URL("http://h")
    URLPath("/a").make_absolute_url(base).replace(port=1)
    assert made == ["http://h", "http://h/a", "http://h:1/a"]


# URLPath


def test_a_url_path_is_a_string_with_two_attributes() -> None:
    # R32
    path = URLPath("/a", "http", "h")
    assert isinstance(path, str)
    assert (path, path.protocol, path.host) == ("/a", "http", "h")
    assert (URLPath("/a").protocol, URLPath("/a").host) == ("", "")
    assert type(path[1:]) is str
    with pytest.raises(AssertionError):
        URLPath("/a", "ftp")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "expected"),
    [("//a\\b", "/%2Fa%5Cb"), ("///a", "/%2F/a"), ("/a//b", "/a//b"), ("/a?b#c", "/a?b#c"), ("a", "a")],
)
def test_a_url_path_names_no_authority(path: str, expected: str) -> None:
    # R33, T24.1
    assert URLPath(path) == expected


@pytest.mark.parametrize(
    ("path", "base", "expected"),
    [
        pytest.param(URLPath("/a"), "https://h/base/", "https://h/base/a", id="R34-scheme-of-the-base"),
        pytest.param(URLPath("/a", "http"), "https://h", "https://h/a", id="R34-http-secure"),
        pytest.param(URLPath("/a", "http"), "ws://h", "http://h/a", id="R34-http"),
        pytest.param(URLPath("/a", "websocket"), "https://h/base?x=1#f", "wss://h/base/a", id="R34-websocket-secure"),
        pytest.param(URLPath("/a", "websocket"), "http://h", "ws://h/a", id="R34-websocket"),
        pytest.param(URLPath("/a", "http", "k"), "wss://u:p@h:1/b//", "https://k/b/a", id="R34-own-host"),
        pytest.param(URLPath("/a"), "http://u:p@h:1", "http://u:p@h:1/a", id="R34-user-of-the-base"),
        pytest.param(URLPath("a"), "http://h", "http://h/a", id="slash-is-inserted"),
        pytest.param(URLPath(""), "http://h/x/", "http://h/x", id="empty-path"),
        pytest.param(URLPath("/a"), "/x", "/x/a", id="relative-base"),
        pytest.param(URLPath("/a"), "", "/a", id="empty-base"),
        pytest.param(URLPath("/a", "", "k"), "//h", "//k/a", id="no-scheme"),
    ],
)
def test_make_absolute_url(path: URLPath, base: str, expected: str) -> None:
    assert str(path.make_absolute_url(base)) == expected
    assert path.make_absolute_url(URL(base)) == expected
    assert isinstance(path.make_absolute_url(base), URL)


def test_a_url_path_can_be_copied_and_pickled() -> None:
    path = URLPath("//a", "http", "h")
    for other in (copy.copy(path), copy.deepcopy(path), pickle.loads(pickle.dumps(path))):
        assert type(other) is URLPath
        assert (other, other.protocol, other.host) == ("/%2Fa", "http", "h")
