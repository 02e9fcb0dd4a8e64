"""The GraphQL endpoint over HTTP: forms of requests, answers, limits (legacy R28-R35, GraphQL over HTTP §5-6)."""

from __future__ import annotations

import importlib
import json
import logging
import threading
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import anyio
import graphene  # type: ignore[import-untyped]  # it has no types
import graphql
import pytest
import strawberry
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette._graphql.answers import GRAPHQL_RESPONSE, JSON, Outcome, preferred_media_type
from starlette._graphql.operations import Refusal, from_body, place_files
from starlette._graphql.page import graphiql_page
from starlette.applications import Starlette
from starlette.graphql import GraphQLApp, GraphQLLimits
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from tests.asgi import Script, call, http_scope
from tests.asgi import body as chunks

SDL = """
scalar Upload
type Node { name: String!, next: Node, fails: String! }
type Query {
  me(name: String = "ada"): String
  slow: String
  broken: String
  refused: String
  strict: String!
  node: Node
  thread: Int
  user: String
  later: String
}
type Mutation { rename(name: String!): String, size(file: Upload, files: [Upload]): Int }
type Subscription { count(to: Int!): Int, broken: Int, unsourced: Int, plain: Int, later(to: Int!): Int }
"""


class Source:
    """Resolvers, as methods and attributes of the root object."""

    done: ClassVar[list[str]] = []


def resolve_me(root: Any, info: Any, name: str | None = None) -> str:
    return f"hello {name}"


async def resolve_slow(root: Any, info: Any) -> str:
    await anyio.lowlevel.checkpoint()
    return "slow"


def resolve_broken(root: Any, info: Any) -> str:
    raise ValueError("a fault")


def resolve_refused(root: Any, info: Any) -> str:
    raise graphql.GraphQLError("not for you")


def resolve_user(root: Any, info: Any) -> str:
    request = info.context["request"]
    return f"{request['path']}{request.headers['user-agent']}"


def resolve_later(root: Any, info: Any) -> str:
    info.context["background"].add_task(Source.done.append, "later")
    return "soon"


async def resolve_size(root: Any, info: Any, file: Any = None, files: Any = ()) -> int:
    return sum([len(await item.read()) for item in [file, *(files or ())] if item is not None])


async def count(root: Any, info: Any, to: int) -> AsyncIterator[Any]:
    try:
        for number in range(to):
            yield {"count": number, "later": lambda info, to, value=number: _later(value)}
    finally:
        Source.done.append("count closed")


async def _later(number: int) -> int:
    await anyio.lowlevel.checkpoint()
    return number


class Plain:
    """A source that cannot be closed."""

    def __init__(self, root: Any, info: Any) -> None:
        self.left = [{"plain": 1}]

    def __aiter__(self) -> Plain:
        return self

    async def __anext__(self) -> Any:
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop()


async def broken_source(root: Any, info: Any) -> AsyncIterator[Any]:
    yield {"broken": 1}
    raise ValueError("the source dried up")


def plain_schema() -> graphql.GraphQLSchema:
    schema = graphql.build_schema(SDL)
    query, mutation, subscription = schema.query_type, schema.mutation_type, schema.subscription_type
    assert query is not None
    assert mutation is not None
    assert subscription is not None
    resolvers = {
        "me": resolve_me,
        "slow": resolve_slow,
        "broken": resolve_broken,
        "refused": resolve_refused,
        "strict": resolve_broken,
        "node": lambda root, info: {"name": "a", "next": {"name": "b"}},
        "thread": lambda root, info: threading.get_ident() % 2**31,
        "user": resolve_user,
        "later": resolve_later,
    }
    for name, resolver in resolvers.items():
        query.fields[name].resolve = resolver
    mutation.fields["rename"].resolve = lambda root, info, name: f"now {name}"
    mutation.fields["size"].resolve = resolve_size
    subscription.fields["count"].subscribe = count
    subscription.fields["later"].subscribe = count
    subscription.fields["broken"].subscribe = broken_source
    subscription.fields["plain"].subscribe = Plain
    subscription.fields["unsourced"].subscribe = resolve_broken
    return schema


SCHEMA = plain_schema()


class GrapheneQuery(graphene.ObjectType):  # type: ignore[misc]  # graphene has no types
    me = graphene.String(name=graphene.String(default_value="ada"))

    def resolve_me(self, info: Any, name: str) -> str:
        assert info.context["request"].method == "POST"
        return "hello " + name


@strawberry.type
class StrawberryQuery:
    @strawberry.field
    def me(self, info: strawberry.Info[Any, Any], name: str = "ada") -> str:
        assert info.context["request"].method == "POST"
        return f"hello {name}"


def client(**options: Any) -> TestClient:
    return TestClient(GraphQLApp(SCHEMA, **options))


def strawberry_schema() -> Any:
    return strawberry.Schema(StrawberryQuery)


@pytest.mark.parametrize(
    "schema", [SCHEMA, graphene.Schema(GrapheneQuery), strawberry_schema()], ids=["core", "graphene", "strawberry"]
)
@pytest.mark.parametrize("executor", [None, object()], ids=["thread", "loop"])
def test_each_kind_of_schema_is_executed(schema: Any, executor: Any) -> None:  # R29, R35
    ask = TestClient(GraphQLApp(schema, executor))
    assert ask.post("/", json={"query": "{ me }"}).json() == {"data": {"me": "hello ada"}}
    variables = {"query": "query A($n: String!) { me(name: $n) }", "variables": {"n": "é"}, "operationName": "A"}
    assert ask.post("/", json=variables).json() == {"data": {"me": "hello é"}}
    unknown = ask.post("/", json={"query": "{ dummy }"})
    assert (unknown.status_code, list(unknown.json())) == (400, ["data", "errors"])  # R33
    (error,) = unknown.json()["errors"]
    assert error["message"].startswith("Cannot query field 'dummy' on type '")
    assert (error["locations"], unknown.json()["data"]) == ([{"line": 1, "column": 3}], None)


def test_other_schemas_are_refused_at_construction() -> None:
    with pytest.raises(TypeError, match="graphql-core, graphene 3 or strawberry, got str"):
        GraphQLApp("type Query { a: Int }")


def test_absence_of_the_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ImportError, match='install the "graphql" extra'):
        GraphQLApp(SCHEMA)


class Executor:
    def __init__(self) -> None:
        raise AssertionError("made too early")


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        pytest.param((), (None, None, True, False), id="defaults"),
        pytest.param((None, Executor, False), (None, Executor, False, True), id="0.10"),
        pytest.param((Executor, False), (None, Executor, False, True), id="0.15"),
        pytest.param((None, False), (None, None, False, False), id="0.15-without-executor"),
        pytest.param(("instance",), ("instance", None, True, True), id="executor"),
    ],
)
def test_constructors_of_each_era_set_the_attributes(args: Any, expected: Any) -> None:  # R28, R29
    app = GraphQLApp(SCHEMA, *args)
    assert app.schema is SCHEMA
    assert (app.executor, app.executor_class, app.graphiql, app.is_async) == expected


def test_resolvers_run_in_a_thread_unless_there_is_an_executor() -> None:  # R29
    with TestClient(
        Starlette(routes=[Route("/t", GraphQLApp(SCHEMA)), Route("/l", GraphQLApp(SCHEMA, object()))])
    ) as c:
        here = c.portal.call(threading.get_ident) if c.portal else 0
        assert c.post("/l", json={"query": "{ thread }"}).json()["data"]["thread"] == here % 2**31
        assert c.post("/t", json={"query": "{ thread }"}).json()["data"]["thread"] != here % 2**31


QUERY = {"query": "{ me }"}
OK = '{"data":{"me":"hello ada"}}'
HTML = {"accept": "text/html,application/xhtml+xml"}


@pytest.mark.parametrize(
    ("method", "sent", "status", "text"),
    [
        pytest.param("GET", {"headers": HTML, "params": QUERY}, 200, "<!DOCTYPE html>", id="R30-page"),
        pytest.param("GET", {"params": QUERY}, 200, OK, id="R30-get"),
        pytest.param("HEAD", {"params": QUERY}, 200, "", id="R33-head"),
        pytest.param("GET", {}, 400, "No GraphQL query found in the request", id="R31-nothing"),
        pytest.param("POST", {"json": QUERY, "headers": HTML}, 200, OK, id="R30-json-whatever-is-accepted"),
        pytest.param(
            "POST",
            {"content": b"{ me }", "headers": {"content-type": "application/graphql"}},
            200,
            OK,
            id="R30-application-graphql",
        ),
        pytest.param("POST", {"params": QUERY}, 200, OK, id="R30-post-by-parameters"),
        pytest.param("POST", {"params": QUERY, "json": {}}, 400, "No GraphQL query", id="R30-json-beats-parameters"),
        pytest.param("POST", {"data": QUERY}, 415, "Unsupported Media Type", id="R30-form"),
        pytest.param("POST", {"files": {"operations": b"{}"}}, 415, "Unsupported", id="uploads-are-off"),
        pytest.param("PUT", {"json": QUERY}, 405, "Method Not Allowed", id="R30-put"),
        pytest.param("OPTIONS", {}, 405, "Method Not Allowed", id="R30-options"),
        pytest.param("POST", {"json": {"query": ""}}, 400, '{"data":null,"errors":[', id="R31-empty"),
        pytest.param("POST", {"json": {"query": 1}}, 400, "The query must be a string", id="R31-number"),
        pytest.param("POST", {"json": [QUERY]}, 400, "batches are not enabled", id="R31-list"),
        pytest.param("POST", {"json": "x"}, 400, "must be a JSON object", id="R31-string"),
        pytest.param("POST", {"json": {**QUERY, "variables": "x"}}, 400, '{"data":null,"errors":[', id="R35-variables"),
        pytest.param("POST", {"json": {**QUERY, "operationName": 1}}, 400, "must be a string", id="R31-name"),
        pytest.param("POST", {"json": {**QUERY, "operationName": "X"}}, 400, "named 'X'", id="unknown-name"),
        pytest.param("POST", {"json": {"query": "query A{me} query B{me}"}}, 400, "Must provide", id="no-name"),
        pytest.param("GET", {"params": {**QUERY, "variables": "{"}}, 400, "not a JSON document", id="R31-text"),
        pytest.param("GET", {"params": {"query": "mutation{rename(name:1)}"}}, 400, "String cannot", id="invalid"),
        pytest.param("POST", {"json": {"query": "subscription{broken}"}}, 400, "need a WebSocket", id="subscription"),
        pytest.param("POST", {"json": {"query": "{ broken me }"}}, 400, '"me":"hello ada"', id="R33-partial"),
    ],
)
def test_each_form_of_request_has_its_answer(method: str, sent: Any, status: int, text: str) -> None:
    response = client().request(method, "/", **sent)
    assert (response.status_code, text in response.text) == (status, True), response.text
    if not response.text.startswith(("{", "<")) and method != "HEAD":
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
    if status == 405:
        assert response.headers["allow"] == "GET, HEAD, POST"
    if method == "GET":
        assert response.headers["vary"] == "Accept"


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b"[" * 100_000, b'{"query": NaN}', b'{"query": "\\ud800"}', b"1" * 5000]
)
def test_malformed_json_is_400(body: bytes) -> None:  # R31, T11
    response = client().post("/", content=body, headers={"content-type": "application/json"})
    assert (response.status_code, response.text) == (400, "The request body is not a JSON document")


def test_a_document_that_is_not_utf_8_is_400() -> None:
    assert client().post("/", content=b"\xff", headers={"content-type": "application/graphql"}).status_code == 400


def test_mutations_need_post() -> None:  # GraphQL over HTTP §5.1
    mutation = {"query": 'mutation { rename(name: "x") }'}
    assert client().post("/", json=mutation).json() == {"data": {"rename": "now x"}}
    refused = client().get("/", params=mutation)
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("origin", "kind", "status"),
    [
        pytest.param(None, "text/plain", 200, id="no-page"),
        pytest.param("http://testserver", "text/plain", 200, id="own"),
        pytest.param("https://friend.test", "text/plain", 200, id="allowed"),
        pytest.param("https://evil.test", "text/plain; application/json", 403, id="foreign"),
        pytest.param("null", "text/plain", 403, id="sandboxed"),
        pytest.param("https://evil.test", "application/json", 200, id="preflighted"),
    ],
)
def test_pages_of_other_origins_cannot_mutate_by_form(origin: str | None, kind: str, status: int) -> None:
    headers = {"content-type": kind} | ({"origin": origin} if origin else {})
    query = 'mutation { rename(name: "x") }'
    ask = client(allow_origins=["https://friend.test"])
    body = json.dumps({"query": query}).encode()
    assert ask.post("/", params={"query": query}, content=body, headers=headers).status_code == status


def test_resolvers_see_request_and_background() -> None:  # R32
    Source.done.clear()
    ask = client()
    response = ask.get("/here", params={"query": "{ user later slow }"})
    assert response.json() == {"data": {"user": "/heretestclient", "later": "soon", "slow": "slow"}}
    assert Source.done == ["later"]


@pytest.mark.parametrize(
    ("query", "status", "body"),
    [
        ("{ me }", 200, {"data": {"me": "hello ada"}}),
        ("{ broken }", 200, {"data": {"broken": None}}),
        ("{ strict }", 200, {"data": None}),
        ("{ dummy }", 400, {}),
        ("query ($n: Int!) { me }", 400, {}),
        ("", 400, {}),
    ],
)
def test_the_newer_media_type_has_its_statuses(query: str, status: int, body: Any) -> None:  # GraphQL over HTTP §6.4
    response = client().post("/", json={"query": query}, headers={"accept": GRAPHQL_RESPONSE})
    answered = response.json()
    answered.pop("errors", None)
    assert (response.status_code, answered) == (status, body)
    assert response.headers["content-type"] == GRAPHQL_RESPONSE


def test_refusals_are_json_for_the_newer_media_type() -> None:
    response = client().post("/", json={}, headers={"accept": GRAPHQL_RESPONSE})
    assert response.json() == {"errors": [{"message": "No GraphQL query found in the request"}]}


def test_faults_of_resolvers_are_logged_and_deliberate_errors_are_not(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "starlette.graphql"):
        errors = client().post("/", json={"query": "{ broken refused }"}).json()["errors"]
    assert [(error["message"], error["path"]) for error in errors] == [
        ("a fault", ["broken"]),
        ("not for you", ["refused"]),
    ]
    assert [record.exc_info is not None for record in caplog.records] == [True]


NEST = "{ node { next { next { name } } } }"


@pytest.mark.parametrize(
    ("bounds", "query", "message"),
    [
        pytest.param({"depth": 4}, NEST, None, id="deep-enough"),
        pytest.param({"depth": 3}, NEST, "The query is deeper than 3 levels", id="too-deep"),
        pytest.param(
            {"depth": 2}, "{ ...A } fragment A on Query { ... { node { next { name } } } }", "deeper", id="fragments"
        ),
        pytest.param({"aliases": 1}, "{ a: me b: me }", "The query has more than 1 aliases", id="aliases"),
        pytest.param(
            {},
            "{ node { ...A ...A } } fragment A on Node { " + "a: name " * 20 + "}",
            "more than 30 aliases",
            id="aliases-that-fragments-repeat",
        ),
        pytest.param({"tokens": 5}, "{ me me me me me }", "Document contains more than 5 tokens", id="tokens"),
        pytest.param({"tokens": 10**6}, "{ node" * 5000, "nested too deep", id="beyond-the-stack"),
        pytest.param({}, "{ ...A } fragment A on Query { ...A }", "Cannot spread fragment 'A'", id="cycle"),
        pytest.param(
            {"tokens": 10**6},
            "{ ...F0 } " + "".join(f"fragment F{i} on Query {{ ...F{i + 1} }} " for i in range(2000)),
            "nested too deep",
            id="fragments-beyond-the-stack",
        ),
        pytest.param({}, "{ ...B }", "Unknown fragment 'B'", id="unknown-fragment"),
        pytest.param({}, "{ me } #" + "x" * 9000, None, id="too-long-to-keep"),
    ],
)
def test_documents_are_limited(bounds: Any, query: str, message: str | None) -> None:
    response = client(limits=GraphQLLimits(**bounds)).post("/", json={"query": query})
    if message is None:
        assert "errors" not in response.json() or response.json()["data"]
    else:
        assert response.status_code == 400
        assert message in response.json()["errors"][0]["message"]


def test_introspection_is_within_the_limits_unless_it_is_off() -> None:
    query = {"query": graphql.get_introspection_query()}
    assert client().post("/", json=query).json()["data"]["__schema"]
    assert "introspection" in client(introspection=False).post("/", json=query).json()["errors"][0]["message"]
    off = TestClient(GraphQLApp(strawberry_schema(), introspection=False))
    assert off.post("/", json=query).status_code == 400


def test_batches_are_answered_in_order_up_to_the_limit() -> None:
    ask = client(limits=GraphQLLimits(batch=2))
    assert ask.post("/", json=[QUERY, {"query": "{ slow }"}]).json() == [
        {"data": {"me": "hello ada"}},
        {"data": {"slow": "slow"}},
    ]
    assert [ask.post("/", json=[QUERY] * count).status_code for count in (0, 2, 3)] == [400, 200, 400]
    assert ask.post("/", json=QUERY).status_code == 200


@pytest.mark.parametrize("value", [-1, True, 1.5])
def test_limits_are_whole_numbers(value: Any) -> None:
    with pytest.raises(ValueError, match="depth must be a whole number"):
        GraphQLLimits(depth=value)


def test_bodies_are_limited_unless_the_application_limits_them() -> None:  # T20
    graphql_app = GraphQLApp(SCHEMA, limits=GraphQLLimits(body=100), uploads=True)
    ask = TestClient(Starlette(routes=[Route("/a", graphql_app), Route("/b", graphql_app, max_body_size=1000)]))
    long = {"query": "{ me }" + " " * 200}
    assert [ask.post(path, json=long).status_code for path in ("/a", "/b")] == [413, 200]
    assert ask.post("/a", files={"operations": b"x" * 200}).status_code == 413


def test_origins_are_a_list() -> None:  # T06.3
    with pytest.raises(TypeError, match="must be a list"):
        GraphQLApp(SCHEMA, allow_origins="https://a.test")


UPLOAD = {"query": "mutation ($f: Upload) { size(file: $f) }", "variables": {"f": None}}
BATCH = {"query": "mutation ($f: [Upload]) { size(files: $f) }", "variables": {"f": [None, None]}}


def form(operations: Any, mapping: Any, **files: bytes) -> dict[str, Any]:
    fields = {"operations": json.dumps(operations), "map": json.dumps(mapping)}
    return {"data": fields, "files": {name: (name, content) for name, content in files.items()}}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(form(UPLOAD, {"a": ["variables.f"]}, a=b"12345"), 5, id="one"),
        pytest.param(form(BATCH, {"a": ["variables.f.0"], "b": ["variables.f.1"]}, a=b"1", b=b"23"), 3, id="list"),
        pytest.param(form(UPLOAD, {"b": ["variables.f"]}, a=b""), "a file that was not sent", id="no-such-file"),
        pytest.param(form(UPLOAD, {"a": "variables.f"}, a=b""), "lists of paths", id="no-list"),
        pytest.param(form(UPLOAD, [], a=b""), "must be a JSON object", id="no-object"),
        pytest.param(form(UPLOAD, {"a": ["query"]}, a=b""), "a place that is not null", id="not-null"),
        pytest.param(form(BATCH, {"a": ["variables.f.x"]}, a=b""), "not null", id="not-an-index"),
        pytest.param(form(BATCH, {"a": ["variables.f.0"] * 11}, a=b""), "too many paths", id="too-many-paths"),
        pytest.param({"files": {"a": b""}}, "has the fields operations and map", id="no-fields"),
        pytest.param(
            {"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=b"}}, "Invalid", id="broken"
        ),
    ],
)
@pytest.mark.parametrize("inside", [False, True], ids=["alone", "routed"])
def test_files_are_uploaded(sent: Any, expected: Any, inside: bool) -> None:  # GraphQL multipart request
    app = GraphQLApp(SCHEMA, uploads=True)
    response = TestClient(Starlette(routes=[Route("/", app)]) if inside else app).post("/", **sent)
    if isinstance(expected, int):
        assert response.json() == {"data": {"size": expected}}
    else:
        assert (response.status_code, expected in response.text) == (400, True), response.text


def test_the_page_posts_to_the_own_path() -> None:  # R34
    ask = TestClient(
        Starlette(routes=[Mount("/m", GraphQLApp(SCHEMA)), Route("/off", GraphQLApp(SCHEMA, graphiql=False))])
    )
    page = ask.get("/m/", headers=HTML)
    assert 'const path = "/m/";' in page.text
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    off = ask.get("/off", headers=HTML, params=QUERY)
    assert (off.status_code, off.text) == (404, "Not Found")


def test_the_page_is_safe_in_any_path_and_pins_what_it_loads() -> None:  # R34
    page = graphiql_page("/</script><!--", None)
    assert '"/\\u003c/script>\\u003c!--"' in page
    assert page.count('integrity="sha384-') == page.count('crossorigin="anonymous"') == page.count("https://") == 4
    own = graphiql_page("/", '/static/"x"/')
    assert "https://" not in own
    assert 'src="/static/&quot;x&quot;/graphiql.min.js"' in own


def test_extensions_come_last() -> None:
    outcome = Outcome({"a": 1}, [{"message": "x"}], {"cost": 1})
    assert list(outcome.body()) == ["data", "errors", "extensions"]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", JSON),
        ("*/*", JSON),
        (GRAPHQL_RESPONSE, GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE}; charset=utf-8, application/json;q=0.9", GRAPHQL_RESPONSE),
        (f"application/json, {GRAPHQL_RESPONSE};q=0.5", JSON),
        (f"{GRAPHQL_RESPONSE};q=0", JSON),
        (f"{GRAPHQL_RESPONSE};q=x", JSON),
    ],
)
def test_the_newer_media_type_is_sent_where_it_is_wanted(accept: str, expected: str) -> None:
    assert preferred_media_type(accept) == expected


@pytest.mark.anyio
async def test_a_client_that_leaves_is_not_answered() -> None:
    leaving = Script({"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"})
    scope = http_scope(method="POST", headers=[(b"content-type", b"application/json")])
    assert (await call(GraphQLApp(SCHEMA), scope, leaving)).messages == []


@pytest.mark.anyio
async def test_sync_resolvers_run_on_both_loops() -> None:
    scope = http_scope(method="POST", headers=[(b"content-type", b"application/json"), (b"user-agent", b"test")])
    sent = await call(GraphQLApp(SCHEMA), scope, chunks(b'{"query": ', b'"{ me user }"}'))
    assert json.loads(sent.body) == {"data": {"me": "hello ada", "user": "/test"}}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
@settings(max_examples=100, deadline=None)
def test_any_json_is_an_operation_or_refused(value: Any) -> None:
    for ask in (lambda: from_body(value, 3), lambda: place_files(value, {"a": [""]}, {"a": b""}, 5)):
        try:
            ask()
        except Refusal as refusal:
            assert refusal.status == 400  # noqa: PT017  # it need not raise
