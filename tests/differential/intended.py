"""Where transcripts differ on purpose: which cases, why, and where users read of it.

A case that one of these entries names must differ; one that no longer does fails its test, and so does an entry
without cases.
"""

from __future__ import annotations

import dataclasses
import fnmatch
from typing import Final


@dataclasses.dataclass(frozen=True)
class Difference:
    """One difference.

    Args:
        entry: The name of the entry in `docs/compatibility.md`; or a reason, where nobody needs to read of it there.
        rule: The item of the specification that asks for it: `"T23.1"` of the threats, or a topic and its rule.
        cases: Patterns of the names of cases; each case that one of them matches differs.
    """

    entry: str
    rule: str
    cases: tuple[str, ...]


TABLE: Final = (
    Difference("unix-socket-address", "T02.2", ("requests/address server-name", "requests/mounted server-name")),
    Difference("any-octet-in-queries", "T02.5", ("requests/query 24 *",)),
    Difference("parameters-in-urls", "T24.2", ("routing/reverse 25 path",)),
    Difference("polling-loses-nothing", "R15", ("requests/read disconnected body empty",)),
    Difference("no-body-for-204-and-304", "T23.1", ("responses/* status 10[03]", "responses/[!s]* status [23]04")),
    Difference(
        "generators-are-closed",
        "R14",
        (
            "responses/stream *sync int *",
            "responses/stream async none *",
            "responses/stream sync none *",
            "responses/stream *sync bytearray *",
            "responses/send fails*StreamingResponse [12] *",
        ),
    ),
    Difference("errors-of-generators", "responses D1", ("responses/stream async oserror*now",)),
    Difference("files-in-blocks", "responses R30", ("responses/stream content file *",)),
    Difference(
        "an assertion has a text, where upstream's has none",
        "applications R12",
        ("routing/unknown scope*", "static/lifespan bare"),
    ),
    Difference("unfinished-form", "T09.3", ("forms/parts*only boundary",)),
    Difference(
        "one-denial",
        "exceptions D3",
        ("websockets/raise http denied", "websockets/raise websocket denied"),
    ),
    Difference("media-types-without-case", "exceptions D7", ("errors/debug [!4]* TEXT/HTML /function",)),
    Difference("dates-that-do-not-exist", "T01.6", ("static/since 9", "static/since 10", "static/since 13")),
    Difference(
        "the page is shown for paths that are too long",
        "staticfiles D4",
        ("static/path html 48 *", "static/path mounted 48 *"),
    ),
    Difference(
        "strict-range-digits",
        "T12.3",
        (
            "static/range 33 *",
            "static/range of nothing 33",
            "static/range small 33",
            "static/range 34 *",
            "static/range of nothing 34",
            "static/range small 34",
        ),
    ),
    Difference("file-that-grows", "T23.3", ("static/one stat site/a.txt",)),
    Difference("file-that-shrinks", "T23.3", ("static/one stat site/empty.txt",)),
    Difference("vary-names-origin-once", "cors D1", ("layers/cors * /cors",)),
    Difference("www-with-an-impossible-port", "T05", ("layers/hosts www 'example.com:99999'",)),
    Difference("messages-without-a-body", "T15.4", ("layers/gzip * /odd/",)),
    Difference("weak-tags-of-compressed-content", "T15.3", ("layers/gzip * gzip* /file",)),
)


def difference(case: str) -> Difference | None:
    """Return the entry that says that this case differs."""
    for entry in TABLE:
        if any(fnmatch.fnmatchcase(case, pattern) for pattern in entry.cases):
            return entry
    return None
