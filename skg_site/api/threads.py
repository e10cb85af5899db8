"""Blocking database work of everything but the store's hot path: keys, readiness, statistics."""

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
    """Run `function` in one of two threads; a connection to a file is kept, one to a server goes back to the pool."""
    context = copy_context()
    return await asyncio.get_running_loop().run_in_executor(
        _executor, lambda: context.run(lambda: _run(function, *args, **kwargs))
    )


def _run(function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
    try:
        return function(*args, **kwargs)
    except (OperationalError, InterfaceError):
        # Whatever was wrong with it, the next call opens another: a file's is kept below, even so.
        connection.close()
        raise
    finally:
        # As Django does after each request. The pool looks at a connection before it hands it out again.
        close_old_connections()
