"""Write transactions, limited in time on the server as well.

The limits are those of one transaction: those of a session would get lost behind a pooler such as PgBouncer. They are
sent with BEGIN, so they take no time of their own.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError, connection, transaction
from psycopg import errors

from triples.store.group_commit import GaveUp
from triples.store.postgresql.round_trips import execute, last_of, queue_of


@contextmanager
def write_transaction() -> Iterator[None]:
    """A transaction on this thread's connection; inside of another one, the outer commit decides.

    The caller translates the driver's errors.

    Raises GaveUp if it had to wait for a lock for more than SKG_POOL_TIMEOUT, or a statement took longer.
    """
    if connection.in_atomic_block:
        with transaction.atomic():
            yield
        return
    try:
        driver = _begun()
    except (OperationalError, InterfaceError):
        # The server may have closed an idle connection.
        connection.close()
        driver = _begun()
    try:
        with queue_of(driver) as last:
            yield
        ended = last_of(driver, last, "COMMIT")
    except BaseException as error:
        # The connection may be broken.
        with suppress(Exception):
            execute(driver, "ROLLBACK")
        if isinstance(error, (errors.LockNotAvailable, errors.QueryCanceled)):
            raise GaveUp(*error.args) from error
        raise
    # The server answers ROLLBACK if a statement has failed, whoever has caught that.
    if ended.statusmessage != "COMMIT":
        raise InternalError("the transaction was rolled back, since a statement of it had failed")


def _begun() -> Any:
    """This thread's connection, with a transaction begun."""
    connection.ensure_connection()
    driver: Any = connection.connection
    with connection.wrap_database_errors:
        execute(driver, _begin(settings.ENV.pool_timeout), prepare=False)
    return driver


@cache
def _begin(seconds: float) -> bytes:
    wait = round(seconds * 1000)
    # A wait for a lock is part of a statement's time; the longer limit lets the server name the reason.
    return f"BEGIN; SET LOCAL lock_timeout = {wait}; SET LOCAL statement_timeout = {wait + 1000}".encode()
