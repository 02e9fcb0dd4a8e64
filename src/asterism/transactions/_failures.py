"""What a database's error means for a client. Pure: errors in, problem details out."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import Final

from asterism.problems import Problem
from asterism.transactions._library import DBAPIError, IntegrityError, StaleDataError
from asterism.transactions._library import TimeoutError as PoolTimeoutError


class Failure(enum.Enum):
    """A kind of error that is no mistake of the program."""

    CONFLICT = "the change contradicts what is stored"
    STALE = "the row was changed since it was read"
    COLLISION = "another transaction was in the way; the same again may succeed"
    UNAVAILABLE = "the database is not there, or is overloaded"


# By SQLSTATE (ISO 9075), the longest prefix first: https://www.postgresql.org/docs/current/errcodes-appendix.html
# 23502, a missing value, is left out: a program that stores one did not check its input.
_SQLSTATES: Final[Mapping[str, Failure]] = {
    "23503": Failure.CONFLICT,  # foreign key
    "23505": Failure.CONFLICT,  # unique
    "23514": Failure.CONFLICT,  # check
    "23P01": Failure.CONFLICT,  # exclusion
    "40001": Failure.COLLISION,  # serialization
    "40P01": Failure.COLLISION,  # deadlock
    "55P03": Failure.COLLISION,  # waited for a lock too long
    "57014": Failure.UNAVAILABLE,  # a statement took too long
    "57P": Failure.UNAVAILABLE,  # the server is starting, stopping, or was told to end the connection
    "08": Failure.UNAVAILABLE,  # connection
    "53": Failure.UNAVAILABLE,  # out of connections, memory or disk space
}

# By the name of SQLite's result code, or how it begins: https://www.sqlite.org/rescode.html
_SQLITE: Final[Mapping[str, Failure | None]] = {
    "SQLITE_CONSTRAINT_NOTNULL": None,
    "SQLITE_CONSTRAINT_DATATYPE": None,
    "SQLITE_CONSTRAINT": Failure.CONFLICT,
    "SQLITE_BUSY": Failure.COLLISION,
    "SQLITE_LOCKED": Failure.COLLISION,
    "SQLITE_FULL": Failure.UNAVAILABLE,
    "SQLITE_IOERR": Failure.UNAVAILABLE,
    "SQLITE_CANTOPEN": Failure.UNAVAILABLE,
}

_STATUSES: Final[dict[Failure, tuple[int, str]]] = {
    Failure.CONFLICT: (409, "This contradicts what is stored already. Nothing was changed."),
    Failure.STALE: (409, "Somebody else changed this in the meantime. Nothing was changed; read it again."),
    Failure.COLLISION: (503, "Too many change the same at the moment. Nothing was changed; try again."),
    Failure.UNAVAILABLE: (503, "The database cannot be used at the moment. Nothing was changed; try again later."),
}

# Seconds after which a client may try again (RFC 9110 §10.2.3).
_RETRY_AFTER: Final = "1"


def problem_of(error: BaseException) -> Problem | None:
    """Return the problem details for an error of SQLAlchemy or of a driver; None for a mistake of the program.

    | Error | Status |
    | --- | --- |
    | a constraint: unique, foreign key, check, exclusion | 409 |
    | a row with a version that somebody else has raised (`StaleDataError`) | 409 |
    | a serialization failure, a deadlock, a lock that took too long, SQLite's "database is locked" | 503 |
    | no connection: refused, broken, none left in the pool; a full disk; a statement that took too long | 503 |
    | all else: a wrong statement, a missing value for a column that needs one | None |
    """
    failure = failure_of(error)
    return None if failure is None else problem_for(failure)


def problem_for(failure: Failure) -> Problem:
    """Return the problem details for a kind of error."""
    status, detail = _STATUSES[failure]
    return Problem(status, detail, headers={"retry-after": _RETRY_AFTER} if status == 503 else None)


def at_commit(error: Exception) -> Exception:
    """Return what an error of a commit means: itself, unless nobody can tell any more whether it was made."""
    if not _is_broken(error):
        return error
    unknown = Problem(
        503,
        "The connection to the database broke while the change was made. It may have been made or not: look, before "
        "you try again.",
        outcome="unknown",
    )
    unknown.__cause__ = error
    return unknown


def failure_of(error: BaseException) -> Failure | None:
    """Return the kind of an error, None for a mistake of the program."""
    if isinstance(error, StaleDataError):
        return Failure.STALE
    if isinstance(error, PoolTimeoutError) or _is_broken(error):
        return Failure.UNAVAILABLE
    for part in _chain(error):
        state = getattr(part, "sqlstate", None)
        if state:
            return _longest(_SQLSTATES, state)
        name = getattr(part, "sqlite_errorname", None)
        if name:
            return _longest(_SQLITE, name)
    return Failure.CONFLICT if isinstance(error, IntegrityError) else None


def _is_broken(error: BaseException) -> bool:
    """Tell whether the connection is to blame, and not what the database answered."""
    return isinstance(error, OSError) or bool(getattr(error, "connection_invalidated", False))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, and that of the driver inside of it."""
    yield error
    if isinstance(error, DBAPIError) and error.orig is not None:
        yield error.orig


def _longest(table: Mapping[str, Failure | None], code: str) -> Failure | None:
    return next((table[code[:length]] for length in range(len(code), 1, -1) if code[:length] in table), None)
