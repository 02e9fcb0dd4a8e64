"""Header fields: as mappings, cookies both ways, ranges, validators, codings (T03, T04, T12, T15, T16)."""

from __future__ import annotations

import contextlib
import datetime
import re
import string
from http.cookies import CookieError
from itertools import pairwise
from typing import Any, Final

from starlette._graphql.answers import GRAPHQL_RESPONSE, preferred_media_type
from starlette._http.codings import MediaTypes, accepts_gzip
from starlette._http.cookies import cookie_parser
from starlette._http.ranges import Refusal, content_range, multipart_layout, select_ranges
from starlette._http.validators import http_date, none_match, parse_date, range_condition, unmodified_since
from starlette._http.vary import add_vary
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from tests.fuzz.inputs import agree, dialled, require, text_lines

Pairs = list[tuple[str, str]]


# Header mappings


def headers(data: bytes) -> None:
    """Header mappings: each line is an operation, done on `MutableHeaders` and on a plain list of pairs."""
    fields, model = MutableHeaders(), Pairs()
    for line in text_lines(data)[:40]:
        operation, rest = line[:1], line[1:]
        name, _, value = rest.partition(":")
        try:
            _operate(fields, operation, name, value)
            refused = False
        except ValueError:
            refused = True
        # COMPAT: a name is put in lower case first, which makes some other letters ASCII.
        written = {"v": rest, **dict.fromkeys("=+?|", name.lower() + value)}.get(operation, "")
        agree(refused, not _can_be_sent(written), line)
        if not refused:
            _operate_on_list(model, operation, name, value)
        _compare(fields, model, line)


def _operate(fields: MutableHeaders, operation: str, name: str, value: str) -> None:
    match operation:
        case "=":
            fields[name] = value
        case "+":
            fields.append(name, value)
        case "-":
            del fields[name]
        case "?":
            fields.setdefault(name, value)
        case "|":
            fields |= {name: value}
        case "v":
            fields.add_vary_header(f"{name}:{value}" if value else name)
        case "*":
            fields.update({f"x-{number}": str(number) for number in range(70)})
        case _:
            pass


def _operate_on_list(model: Pairs, operation: str, name: str, value: str) -> None:
    key = name.lower()
    match operation:
        case "+":
            model.append((key, value))
        case "-":
            model[:] = [pair for pair in model if pair[0] != key]
        case "?":
            if all(existing != key for existing, _ in model):
                model.append((key, value))
        case "=" | "|":
            _set(model, key, value)
        case "v":
            listed = [existing for other, existing in model if other == "vary"]
            added = f"{name}:{value}" if value else name
            _set(model, "vary", ", ".join([*listed, added]))
        case "*":
            for number in range(70):
                _set(model, f"x-{number}", str(number))
        case _:
            pass


def _set(model: Pairs, name: str, value: str) -> None:
    places = [place for place, (existing, _) in enumerate(model) if existing == name]
    if places:
        model[places[0]] = (name, value)
        for place in reversed(places[1:]):
            del model[place]
    else:
        model.append((name, value))


def _can_be_sent(text: str) -> bool:
    return all(ord(character) < 256 and character not in "\r\n\0" for character in text)


def _compare(fields: MutableHeaders, model: Pairs, about: str) -> None:
    agree(fields.items(), model, about)
    names = [name for name, _ in model]
    agree((fields.keys(), list(fields), len(fields)), (names, names, len(names)), about)
    first = dict(reversed(model))
    agree(dict(fields), first, about)
    for name in {*names[:3], about[1:].partition(":")[0]}:
        values = [value for existing, value in model if existing == name.lower()]
        agree((fields.getlist(name), name in fields), (values, bool(values)), (about, name))
        agree(fields.get(name.swapcase() if name.isascii() else name), values[0] if values else None, (about, name))
    agree(Headers(raw=fields.raw), Headers(raw=list(reversed(fields.raw))), about)


# Cookies


def cookies(data: bytes) -> None:
    """Received cookies: any octets give what a naive reader takes from them, over any number of fields."""
    lines = data.split(b"\n")
    expected: dict[str, str] = {}
    for line in lines:
        expected.update(naive_cookies(line.decode("latin-1")))
    scope = {"type": "http", "headers": [(b"cookie", line) for line in lines]}
    agree(HTTPConnection(scope).cookies, expected, data)
    text = data.decode("utf-8", "replace")
    agree(cookie_parser(text), naive_cookies(text), text)


def naive_cookies(field: str) -> dict[str, str]:
    """Read a field by threats T16: cut at `;`, then at the first `=`; only SP and HTAB are blanks."""
    found: dict[str, str] = {}
    for piece in field.split(";"):
        name, value = piece.split("=", 1) if "=" in piece else ("", piece)
        name, value = _trimmed(name), _trimmed(value)
        if name or value:
            found[name] = naive_unquote(value)
    return found


def _trimmed(text: str) -> str:
    while text[:1] in (" ", "\t") and text:
        text = text[1:]
    while text[-1:] in (" ", "\t") and text:
        text = text[:-1]
    return text


def naive_unquote(value: str) -> str:
    """Decode a quoted value octet by octet."""
    if len(value) < 2 or not (value.startswith('"') and value.endswith('"')):
        return value
    inner, found, place = value[1:-1], "", 0
    while place < len(inner):
        octal = inner[place + 1 : place + 4]
        if inner[place] != "\\":
            found += inner[place]
            place += 1
        elif len(octal) == 3 and octal[0] in "0123" and octal[1] in string.octdigits and octal[2] in string.octdigits:
            found += chr(int(octal, 8))
            place += 4
        elif inner[place + 1 : place + 2] in ("", "\n"):
            found += "\\"
            place += 1
        else:
            found += inner[place + 1]
            place += 2
    return found


def set_cookie(data: bytes) -> None:
    """Sent cookies: what is set is read back, and no value adds an attribute or a field (T04)."""
    lines = [*text_lines(data), "", "", "", "", ""]
    name, value, path, domain, expires = lines[:5]
    response = Response()
    try:
        response.set_cookie(name, value, path=path, domain=domain, expires=expires, httponly=True)
    except CookieError:
        require(not name or not _is_cookie_name(name) or _is_reserved(name), name)
        return
    except ValueError:
        # Characters outside of latin-1 as well: UnicodeEncodeError is a ValueError.
        text = value + path + domain + expires
        require(any(character in ";\r\n\0" or ord(character) > 255 for character in text), text)
        return
    sent = dict(response.raw_headers)[b"set-cookie"]
    require(not set(b"\r\n\0").intersection(sent), sent)
    attributes = [bool(domain), bool(expires), True, bool(path), True]
    agree(sent.count(b";"), sum(attributes), sent)
    cookie = sent.decode("latin-1").partition("; ")[0] if sum(attributes) else sent.decode("latin-1")
    agree(cookie_parser(cookie), {name: value}, sent)


def _is_cookie_name(name: str) -> bool:
    return all(character in string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~:" for character in name)


def _is_reserved(name: str) -> bool:
    return name.lower() in (
        "expires path comment domain max-age secure httponly version samesite partitioned".split()  # noqa: SIM905
    )


# Ranges


def ranges(data: bytes) -> None:
    """`Range`: the parts of the file that a naive reader selects, octet by octet; else its refusal (T12)."""
    dial, rest = dialled(data)
    size, most = dial.number(255), dial.number(9) + 1
    field = rest.decode("latin-1")
    chosen = select_ranges(field, size, most)
    agree(_octets(chosen), naive_ranges(field, size, most), (field, size, most))
    if not isinstance(chosen, list):
        return
    # Sorted, and apart: what touches is one part.
    require(all(before[1] < after[0] for before, after in pairwise(chosen)), chosen)
    length, head = multipart_layout(chosen, "b" * 26, size, "text/plain")
    body = b"".join(head(start, stop) + bytes(stop - start) + b"\r\n" for start, stop in chosen)
    agree(length, len(body + b"--" + b"b" * 26 + b"--"), chosen)
    for start, stop in chosen:
        require(re.fullmatch(rf"bytes {start}-{stop - 1}/{size}", content_range(start, stop, size)), chosen)


def _octets(chosen: Any) -> object:
    if isinstance(chosen, Refusal) or chosen is None:
        return chosen
    return {place for start, stop in chosen for place in range(start, stop)}


def naive_ranges(field: str, size: int, most: int) -> object:
    """Return the octets that are asked for as a set of their places, a Refusal, or None to ignore the field.

    By responses R55, R56 and threats T12.4.
    """
    unit, equals, listed = field.partition("=")
    if not equals:
        return Refusal(400, "Malformed range header.")
    if unit.strip().lower() != "bytes":
        return Refusal(400, "Only support bytes range")
    items = listed.split(",")
    if len(items) > most:
        return None
    asked: set[int] = set()
    valid = outside = inverted = 0
    for item in items:
        found = re.fullmatch(r"[ \t]*([0-9]*)[ \t]*-[ \t]*([0-9]*)[ \t]*", item)
        if found is None or not (found[1] or found[2]):
            continue
        valid += 1
        first = _number(found[1]) if found[1] else max(size - _number(found[2]), 0)
        last = _number(found[2]) if found[1] and found[2] else size - 1
        if first >= size:
            outside += 1
        elif last < first:
            inverted += 1
        else:
            asked.update(range(first, min(last, size - 1) + 1))
    if not valid:
        return Refusal(400, "Range header: range must be requested")
    if inverted and (asked or not outside):
        return Refusal(400, "Range header: start must be less than end")
    return asked or Refusal(416, "")


def _number(digits: str) -> int:
    value = 0
    for digit in digits:
        value = min(value * 10 + ord(digit) - 48, 10**30)
    return value


# Validators


_ENTITY_TAG: Final = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_FORMATS: Final = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y")
_FORMS: Final = re.compile(
    r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"
    r"|[A-Z][a-z]{5,8}, \d\d-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d GMT"
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}",
    re.ASCII,
)


def validators(data: bytes) -> None:
    """`If-None-Match`, `If-Modified-Since`, `If-Range`: RFC 9110's own grammar where it holds; else nothing raises."""
    field = data.decode("latin-1")
    for etag in ('"v1"', 'W/"v1"', '"a,b"', '""'):
        matches = none_match(field, etag)
        listed = naive_entity_tags(field)
        if listed is not None:
            agree(matches, etag.removeprefix("W/") in listed, (field, etag))
        elif field.strip() != "*" and matches:
            require(etag.removeprefix("W/") in field, (field, etag))
    date = parse_date(field)
    expected = naive_date(field)
    if expected is not None:
        agree(date, expected, field)
    elif date is not None:
        require(datetime.MINYEAR <= date.year <= datetime.MAXYEAR and date.tzinfo is None, (field, date))
    modified = "Sun, 06 Nov 1994 08:49:37 GMT"
    agree(
        unmodified_since(field, modified), date is not None and date >= datetime.datetime(1994, 11, 6, 8, 49, 37), field
    )
    agree(range_condition(data, b"now", b'"v1"'), data in (b"now", b'"v1"'), field)
    seconds = int.from_bytes(data[:4], "big")
    agree(parse_date(http_date(seconds)), datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds), seconds)


def naive_entity_tags(field: str) -> list[str] | None:
    """Return the opaque tags of a list as RFC 9110 §8.8.3 and §5.6.1 write it; None for any other text."""
    tags: list[str] = []
    place = 0
    while True:
        while place < len(field) and field[place] in " \t,":
            place += 1
        if place == len(field):
            return tags
        found = _ENTITY_TAG.match(field, place)
        if found is None:
            return None
        tags.append(found[1])
        place = found.end()
        rest = field[place:].lstrip(" \t")
        if rest and not rest.startswith(","):
            return None


def naive_date(text: str) -> datetime.datetime | None:
    """Return a date in one of the three forms of RFC 9110 §5.6.7, read by the standard library's `strptime`."""
    if _FORMS.fullmatch(text):
        for form in _FORMATS:
            with contextlib.suppress(ValueError):
                found = datetime.datetime.strptime(text, form)
                # COMPAT: the standard library takes `0001` for 2001. No file is as old as that.
                return found if found.year >= 100 else None
    return None


# Codings and media types


_MEDIA_TYPES: Final = ("text/plain", "image/*", "application/grpc", "application/zip")


def codings(data: bytes) -> None:
    """`Accept-Encoding`, excluded types, `Accept` and `Vary`: what RFC 9110's grammar says where it holds (T15)."""
    lines = data.split(b"\n")
    fields = [(b"accept-encoding", line) for line in lines]
    accepts = accepts_gzip(fields)
    agree(accepts, accepts_gzip([(b"accept-encoding", b",".join(lines))]), lines)
    weights = naive_weights(b",".join(lines).decode("latin-1"))
    if weights is not None:
        offered = [weight for coding, weight in weights if coding in ("gzip", "x-gzip")]
        agree(accepts, bool(offered) and min(offered) > 0, lines)
    for line in lines:
        text = line.decode("latin-1")
        kind = text.partition(";")[0].strip().lower()
        covered = kind in _MEDIA_TYPES or kind.startswith(("image/", "application/grpc+"))
        agree(MediaTypes(_MEDIA_TYPES).cover(line), covered, line)
        require(preferred_media_type(text) in (GRAPHQL_RESPONSE, "application/json"), text)
        _vary(lines, line)


def naive_weights(field: str) -> list[tuple[str, float]] | None:
    """Return codings in lower case with their weights (RFC 9110 §12.4.2, §12.5.3), None for what is not in its form."""
    found: list[tuple[str, float]] = []
    for element in field.split(","):
        element = element.strip(" \t")
        if not element:
            continue
        match = re.fullmatch(
            r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[ \t]*;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?", element
        )
        if match is None:
            return None
        found.append((match[1].lower(), float(match[2] or "1")))
    return found


def _vary(lines: list[bytes], name: bytes) -> None:
    fields = [(b"Vary" if place % 2 else b"vary", line) for place, line in enumerate(lines)]
    words = {word.strip(b" \t") for line in lines for word in line.lower().split(b",")}
    add_vary(fields, name)
    expected = words if b"*" in words else {*words, *(word.strip(b" \t") for word in name.lower().split(b","))}
    agree({word.strip(b" \t") for _, value in fields for word in value.lower().split(b",")}, expected, (lines, name))
