"""SQLAlchemy, as far as it is used here. No other module imports it when it is loaded."""

from __future__ import annotations

try:
    from sqlalchemy import Connection as Connection
    from sqlalchemy import event as event
    from sqlalchemy import make_url as make_url
    from sqlalchemy import text as text
    from sqlalchemy.engine import URL as URL
    from sqlalchemy.engine import ExceptionContext as ExceptionContext
    from sqlalchemy.exc import DBAPIError as DBAPIError
    from sqlalchemy.exc import IntegrityError as IntegrityError
    from sqlalchemy.exc import SQLAlchemyError as SQLAlchemyError
    from sqlalchemy.exc import TimeoutError as TimeoutError  # of the pool
    from sqlalchemy.ext.asyncio import AsyncConnection as AsyncConnection
    from sqlalchemy.ext.asyncio import AsyncEngine as AsyncEngine
    from sqlalchemy.ext.asyncio import AsyncSession as AsyncSession
    from sqlalchemy.ext.asyncio import create_async_engine as create_async_engine
    from sqlalchemy.orm.exc import StaleDataError as StaleDataError
    from sqlalchemy.pool import AsyncAdaptedQueuePool as AsyncAdaptedQueuePool
    from sqlalchemy.pool import PoolResetState as PoolResetState
except ImportError as exc:
    absent = ImportError("asterism.transactions needs SQLAlchemy 2 with greenlet")
    absent.add_note('install the "sqlalchemy" extra: pip install "starlette[sqlalchemy]"')
    raise absent from exc
