"""Where a parameter comes from, and what documents it: `Annotated[int, Query(ge=1, description="...")]`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from asterism.api._plan import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What all markers take.

    Args:
        alias: How clients spell the name; the name of the parameter unless given, in headers with `-` for `_`.
        title, description, examples, deprecated: For the documentation.
        ge, gt, le, lt, multiple_of: Bounds of a number.
        min_length, max_length: Bounds of text, or of how many values there are.
        pattern: A regular expression that the text has to contain a match of; anchor it with `^` and `$`.
    """

    source: ClassVar[Source]

    alias: str | None = None
    title: str | None = None
    description: str | None = None
    examples: Sequence[Any] = ()
    deprecated: bool = False
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    multiple_of: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Path(Marker):
    """A parameter of the path of the route."""

    source = Source.PATH


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Marker):
    """A query parameter; with a type of several fields, all of the query."""

    source = Source.QUERY


@dataclass(frozen=True, slots=True, kw_only=True)
class Header(Marker):
    """A header field; with a type of several fields, those headers."""

    source = Source.HEADER


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie(Marker):
    """A cookie; with a type of several fields, those cookies."""

    source = Source.COOKIE


@dataclass(frozen=True, slots=True, kw_only=True)
class Form(Marker):
    """A field of a form (url-encoded or multipart); with a type of several fields, all of the form."""

    source = Source.FORM


@dataclass(frozen=True, slots=True, kw_only=True)
class File(Marker):
    """A file of a multipart form: an `UploadFile`, or `bytes` for its content."""

    source = Source.FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class Body(Marker):
    """The body of the request.

    Args:
        media_type: The type that it must have, for `bytes`, which are passed as they come: `"image/png"`; None for any.
    """

    source = Source.BODY

    media_type: str | None = None


@dataclass(frozen=True, slots=True)
class Security:
    """Say beside a `Depends` which security scheme it checks; checks nothing by itself.

    Args:
        name: The name of the scheme in the OpenAPI document.
        scheme: Its Security Scheme Object: `{"type": "http", "scheme": "bearer"}`.
        scopes: What is needed of it.
    """

    name: str
    scheme: Mapping[str, Any]
    scopes: Sequence[str] = ()
