"""From what was raised while a request was read to the problem that tells the client."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from asterism.api._bodies import BodyReader, MissingBodyError
from asterism.api._explain import Error, Findings, source_name
from asterism.api._libraries import mistakes, msgspec
from asterism.api._plan import Body
from asterism.api._readers import ExactQuery, Group
from asterism.api._wording import is_about_hashes
from asterism.problems import Problem, ProblemResponse
from starlette.exceptions import WebSocketException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

_HANDLERS_KEY: Final = "starlette.exception_handlers"


class Refuser:
    """Explains why a request was refused.

    Args:
        groups: What is read apart from the body.
        forms: What is read from a form.
        body: The body that is no form, if there is one, and who reads it.
        exact: Says what of the query is too much.
    """

    def __init__(
        self,
        groups: Sequence[Group],
        forms: Sequence[Group],
        body: tuple[Body, BodyReader] | None,
        exact: ExactQuery | None = None,
    ) -> None:
        self._exact = exact
        self._groups = groups
        self._forms = forms
        self._body = body

    def __call__(self, connection: HTTPConnection[Any], decode: Any, data: Any, exc: BaseException) -> Problem:
        """Return the problem.

        Args:
            decode: What was to decode the body.
            data: The bytes of the body, or the form.
            exc: What was raised; a TypeError that tells nothing of the request is raised again.
        """
        if isinstance(exc, TypeError) and not is_about_hashes(str(exc)):
            raise exc
        findings = Findings(text=True)
        for group in self._groups:
            findings.check_group(group, group.raw(connection), source_name(group, connection.path_params))
        if self._exact is not None:
            for name, message, kind in self._exact.mistakes(connection):
                findings.add(f"query.{name[:80]}", message, kind)
        for group in self._forms:
            findings.check_group(group, group.raw(data), source_name(group, {}))
        if self._body is not None:
            broken = self._check_body(findings, *self._body, decode, data)
            if broken is not None:
                return broken
        if not findings.errors:
            findings.add("request", str(exc)[:300] or "cannot be read", "invalid")
        return validation_problem(findings.errors)

    def _check_body(
        self, findings: Findings, body: Body, reader: BodyReader, decode: Any, data: bytes
    ) -> Problem | None:
        try:
            decode(data)
        except MissingBodyError:
            findings.add("body", "is required", "missing")
        except mistakes() as refused:
            known = reader.format_of(decode)
            findings.text = False
            try:
                value = known.plain(data)
            except mistakes() as exc:
                if is_about_hashes(str(exc)):  # a key that no dict can have, which the type may not allow either
                    findings.note(refused, "body")
                elif isinstance(exc, msgspec().ValidationError):
                    findings.note(exc, "body")
                else:
                    return broken_problem(known.name, data, exc)
            else:
                before = len(findings.errors)
                findings.check(value, body.type, "body")
                if len(findings.errors) == before:  # of a name that came twice, only the last is in `value`
                    findings.note(refused, "body")
        return None


def validation_problem(errors: Sequence[Error]) -> Problem:
    """Return the problem of a request whose values are not what they must be."""
    count = len(errors)
    detail = f"{count} value{'s are' if count > 1 else ' is'} not valid."
    return Problem(422, detail, errors=[error.document() for error in errors])


def broken_problem(format_name: str, data: bytes, exc: BaseException) -> Problem:
    """Return the problem of a body that cannot be read at all, with the place where it breaks off."""
    if isinstance(exc, RecursionError):
        return Problem(400, "The body is nested too deep.")
    if format_name == "json":
        return _broken_json(data, exc)
    offset = min(_byte(exc, len(data)), len(data))
    return Problem(400, f"The body is not MessagePack: it breaks off at byte {offset}.", offset=offset)


def _broken_json(data: bytes, exc: BaseException) -> Problem:
    """Return the problem of a body that is no JSON.

    The standard library tells where a mistake begins and what was expected; msgspec, which is faster and stricter,
    tells how far it came.
    """
    offset, reason = _byte(exc, len(data)), "it cannot be read on"
    try:
        json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as found:
        offset, reason = found.start, "not UTF-8"
    except json.JSONDecodeError as found:
        offset, reason = len(found.doc[: found.pos].encode()), found.msg[:1].lower() + found.msg[1:]
    except (ValueError, RecursionError):
        pass
    before = data[:offset]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    detail = f"The body is not JSON: line {line}, column {column}: {reason}."
    return Problem(400, detail, line=line, column=column, offset=offset)


def _byte(exc: BaseException, default: int) -> int:
    _, marker, rest = str(exc).rpartition("(byte ")
    digits = rest.rstrip(")")
    return int(digits) if marker and digits.isdigit() else default


def refused(request: Request, problem: Problem) -> Response:
    """Return the response for a problem; raise it where the application has a handler of its own for it."""
    tables: tuple[Mapping[Any, Any], Mapping[int, Any]] = request.scope.get(_HANDLERS_KEY) or ({}, {})
    by_class, by_status = tables
    if problem.status_code in by_status or any(_is_own(by_class.get(kind)) for kind in type(problem).__mro__[:-2]):
        raise problem
    return ProblemResponse(problem)


def _is_own(handler: Any) -> bool:
    return handler is not None and getattr(handler, "__func__", None) is not ExceptionMiddleware.http_exception


def websocket_refused(problem: Problem) -> WebSocketException:
    """Return what closes a WebSocket that was asked for with wrong values: policy violation (RFC 6455 §7.4.1)."""
    errors = problem.extensions.get("errors", ())
    reason = "; ".join(f"{error['location']} {error['message']}" for error in errors) or str(problem.text)
    # A reason has at most 123 bytes (RFC 6455 §5.5.1).
    return WebSocketException(1008, reason.encode("utf-8")[:120].decode("utf-8", "ignore"))
