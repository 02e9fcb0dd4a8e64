"""The one place that talks to graphql-core, graphene and strawberry: check, run, follow a subscription."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import logging
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import anyio

from starlette._graphql.answers import Outcome, refused
from starlette._graphql.limits import GraphQLLimits, excess
from starlette._graphql.operations import Operation
from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from graphql import DocumentNode, GraphQLError, GraphQLSchema

_LOGGER: Final = logging.getLogger("starlette.graphql")

# Checked documents are kept: this many, up to this number of characters each.
_KEPT: Final = 128
_KEPT_LENGTH: Final = 8192


class Engine:
    """A schema that operations are run against, within limits.

    Args:
        schema: A schema of graphql-core, graphene or strawberry.
        is_async: Call resolvers on the event loop; else in a worker thread. Those of strawberry always run on the loop.
        introspection: Answer questions about the schema itself.
        limits: What a document may cost.

    Raises:
        ImportError: graphql-core is not installed.
        TypeError: The schema is something else.
    """

    def __init__(self, schema: Any, *, is_async: bool, introspection: bool, limits: GraphQLLimits) -> None:
        self._core = _graphql_core()
        self._schema = self._core_schema(schema)
        # Strawberry runs extensions around each operation, so it is asked to execute by itself.
        self._runner: Any = schema if hasattr(schema, "execute_sync") else None
        self._is_async = is_async or self._runner is not None
        self._limits = limits
        self._rules: list[Any] = [] if introspection else [self._core.NoSchemaIntrospectionCustomRule]
        if self._runner is None:
            self._rules += self._core.specified_rules
        self._checked_and_kept = functools.lru_cache(_KEPT)(self._checked)

    async def execute(self, operation: Operation, context: Any, kinds: Iterable[str]) -> Outcome:
        """Run a query or mutation.

        Args:
            operation: What to run.
            context: What resolvers find as `info.context`.
            kinds: Which kinds of operations may be run; others raise `KindError`.
        """
        if self._is_async:
            result = self._start(operation, context, kinds)
        else:
            result = await run_in_threadpool(self._start, operation, context, kinds)
        if inspect.isawaitable(result):
            # Begun in the thread or here, resolvers that are async go on here.
            result = await result
        return result if isinstance(result, Outcome) else self._outcome(result)

    def kind(self, operation: Operation) -> str | None:
        """Return `query`, `mutation` or `subscription`; None when the document is wrong or names no single one."""
        document = self._document(operation.query)
        return None if isinstance(document, Outcome) else self._kind(document, operation)

    @asynccontextmanager
    async def subscribed(self, operation: Operation, context: Any) -> AsyncIterator[AsyncIterator[Outcome]]:
        """Begin a subscription, and end it when the context is left. The value gives the outcomes of its events.

        A subscription that is refused, or whose source fails, has one last outcome that says so.
        """
        if self._runner is None:
            document = self._document(operation.query)
            source = self._core.create_source_event_stream(self._schema, document, **_arguments(operation, context))
        else:
            document = None
            source = self._runner.subscribe(operation.query, **_arguments(operation, context))
        source = await source
        if not isinstance(source, AsyncIterable):
            source = _only(dataclasses.replace(self._outcome(source), is_refused=True))
            document = None
        events = aiter(source)
        try:
            async with aclosing(self._outcomes(events, document, operation, context)) as outcomes:
                yield outcomes
        finally:
            close: Callable[[], Any] | None = getattr(events, "aclose", None)
            if close is not None:
                # What the resolver has opened is closed also when this is cancelled.
                with anyio.CancelScope(shield=True):
                    await close()

    async def _outcomes(
        self, events: AsyncIterator[Any], document: Any, operation: Operation, context: Any
    ) -> AsyncGenerator[Outcome, None]:
        """Yield the outcome of each event; without a document the events are results already."""
        try:
            async for event in events:
                if document is None:
                    yield event if isinstance(event, Outcome) else self._outcome(event)
                    continue
                arguments = {**_arguments(operation, context), "root_value": event}
                work = functools.partial(self._core.execute, self._schema, document, **arguments)
                result = work() if self._is_async else await run_in_threadpool(work)
                yield self._outcome(await result if inspect.isawaitable(result) else result)
        except Exception as exc:
            _LOGGER.error("the source of a subscription failed", exc_info=exc)
            yield refused(str(exc))

    def _start(self, operation: Operation, context: Any, kinds: Iterable[str]) -> Any:
        """Return an `Outcome`, a result, or an awaitable of a result."""
        document = self._document(operation.query)
        if isinstance(document, Outcome):
            return document
        kind = self._kind(document, operation)
        if kind is None:
            if operation.name is None:
                return refused("Must provide operation name if query contains multiple operations.")
            return refused(f"Unknown operation named '{operation.name[:80]}'.")
        if kind not in kinds:
            raise KindError(kind)
        if self._runner is not None:
            return self._runner.execute(operation.query, **_arguments(operation, context))
        return self._core.execute(self._schema, document, **_arguments(operation, context))

    def _kind(self, document: DocumentNode, operation: Operation) -> str | None:
        node = self._core.get_operation_ast(document, operation.name)
        return None if node is None else str(node.operation.value)

    def _document(self, query: str) -> DocumentNode | Outcome:
        return self._checked_and_kept(query) if len(query) <= _KEPT_LENGTH else self._checked(query)

    def _checked(self, query: str) -> DocumentNode | Outcome:
        """Return the document of a query that is valid and within the limits, else what to answer."""
        errors: list[GraphQLError]
        try:
            document = self._core.parse(query, max_tokens=self._limits.tokens)
            problem = excess(document, self._limits)
            if problem is not None:
                return refused(problem)
            errors = self._core.validate(self._schema, document, self._rules)
        except self._core.GraphQLError as exc:
            errors = [exc]
        except RecursionError:
            return refused("The query is nested too deep")
        if not errors:
            return document  # type: ignore[no-any-return]  # graphql-core is imported late
        return Outcome(errors=[dict(error.formatted) for error in errors], is_refused=True)

    def _outcome(self, result: Any) -> Outcome:
        errors = result.errors or ()
        if self._runner is None:  # strawberry has a log of its own
            for error in errors:
                cause = error.original_error
                if cause is not None and not isinstance(cause, self._core.GraphQLError):
                    _LOGGER.error("a resolver failed at %s", error.path, exc_info=cause)
        # Errors of execution have the path of a field; others say that there was none.
        is_refused = result.data is None and bool(errors) and not any(error.path for error in errors)
        formatted = [dict(error.formatted) for error in errors]
        return Outcome(result.data, formatted, getattr(result, "extensions", None), is_refused)

    def _core_schema(self, schema: Any) -> GraphQLSchema:
        for candidate in (schema, getattr(schema, "graphql_schema", None), getattr(schema, "_schema", None)):
            if isinstance(candidate, self._core.GraphQLSchema):
                return candidate  # type: ignore[no-any-return]  # graphql-core is imported late
        raise TypeError(f"schema must be one of graphql-core, graphene 3 or strawberry, got {type(schema).__name__}")


class KindError(Exception):
    """An operation of a kind that may not be run this way."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def _arguments(operation: Operation, context: Any) -> dict[str, Any]:
    return {
        "variable_values": operation.variables,
        "context_value": context,
        "operation_name": operation.name,
    }


async def _only(result: Any) -> AsyncIterator[Any]:
    yield result


def _graphql_core() -> Any:
    try:
        return importlib.import_module("graphql")
    except ImportError as exc:
        raise ImportError('GraphQLApp needs the graphql-core package: install the "graphql" extra') from exc
