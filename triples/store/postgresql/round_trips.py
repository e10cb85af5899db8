"""Statements that are sent together, so that one round trip to the server serves several.

A statement whose result nobody needs waits for the next one, or for COMMIT. The server carries them out in their order.
Cursors are psycopg's own here: those of the connection count each statement for /metrics, which takes longer than to
send it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from psycopg import Connection, Cursor

from triples.store.sessions import Rows

Statement = tuple[str, Sequence[Any]]

# The statements of a write transaction are prepared from their first time on. One that psycopg prepares later, behind
# another one that fails, it would take for prepared ever after.
_AT_ONCE = True

# The statements that wait, of each connection in a write transaction.
_queues: WeakKeyDictionary[Connection[Any], list[Statement]] = WeakKeyDictionary()


def execute(
    driver: Connection[Any], sql: str | bytes, parameters: Sequence[Any] | None = None, *, prepare: bool | None = None
) -> Cursor[Any]:
    return Cursor(driver).execute(sql, parameters, prepare=prepare)


@contextmanager
def queue_of(driver: Connection[Any]) -> Iterator[list[Statement]]:
    """Let statements wait during the block. Those that are left after it are to be sent with COMMIT."""
    queue: list[Statement] = []
    _queues[driver] = queue
    try:
        yield queue
    finally:
        del _queues[driver]


def run_with_next(driver: Connection[Any], sql: str, parameters: Sequence[Any]) -> None:
    """Run a statement before the next one that is fetched: at once, where there is no queue."""
    queue = _queues.get(driver)
    if queue is None:
        execute(driver, sql, parameters)
    else:
        queue.append((sql, parameters))


def fetch_all(driver: Connection[Any], *statements: Statement) -> list[Rows]:
    """The rows of each statement."""
    queue = _queues.get(driver)
    prepare = None if queue is None else _AT_ONCE
    if len(statements) == 1 and not queue:
        return [execute(driver, *statements[0], prepare=prepare).fetchall()]
    waiting = queue.copy() if queue else []
    if queue:
        queue.clear()
    with driver.pipeline():
        for statement in waiting:
            execute(driver, *statement, prepare=prepare)
        cursors = [execute(driver, *statement, prepare=prepare) for statement in statements]
    return [cursor.fetchall() for cursor in cursors]


def last_of(driver: Connection[Any], before: Sequence[Statement], sql: str) -> Cursor[Any]:
    """Run a statement after others. It is not run if one of them fails."""
    if not before:
        return execute(driver, sql, prepare=_AT_ONCE)
    with driver.pipeline():
        for statement in before:
            execute(driver, *statement, prepare=_AT_ONCE)
        return execute(driver, sql, prepare=_AT_ONCE)
