"""Threads for blocking database work outside the store: keys, rules, runs, readiness."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connection

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_executor = ThreadPoolExecutor(2, thread_name_prefix="database")


async def in_thread(
    function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Result:
    """Run `function` in one of two threads; SQLite connections stay open, PostgreSQL ones return to the pool."""
    context = copy_context()
    return await asyncio.get_running_loop().run_in_executor(
        _executor, lambda: context.run(lambda: _run(function, *args, **kwargs))
    )


def _run(function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
    try:
        return function(*args, **kwargs)
    except (OperationalError, InterfaceError):
        # The next call opens another connection; `close_old_connections` would keep that of SQLite.
        connection.close()
        raise
    finally:
        # As Django does after each request. The pool checks a connection before it hands it out again.
        close_old_connections()
