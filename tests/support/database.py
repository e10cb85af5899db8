"""Work on the database from a thread of its own, as the service does: tests that await must not wait in the ORM."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache as cache_result
from functools import wraps
from typing import ParamSpec, TypeVar

import psycopg
import tenacity
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.core.management.color import no_style
from django.db import OperationalError, connection, transaction

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

# Up to which id terms are indexed for the search stays, as the ids do.
_EMPTY_SQLITE_INDEX = "INSERT INTO triples_term_search (triples_term_search) VALUES ('delete-all')"
# Those of PostgreSQL without a model.
_OTHER_TABLES = ("triples_term_search", "triples_inferredtriple", "triples_materialisation")
# Those that have pages or statistics, even if all rows were deleted, and those that refer to them, which TRUNCATE
# wants with them: to truncate a table takes PostgreSQL a millisecond, and there are twenty-three.
_TOUCHED = """
    WITH RECURSIVE touched (id) AS (
        SELECT oid FROM pg_class WHERE oid = ANY(%s::regclass[]) AND (reltuples >= 0 OR pg_relation_size(oid) > 0)
        UNION
        SELECT conrelid FROM touched JOIN pg_constraint ON confrelid = id AND contype = 'f'
    )
    SELECT id::regclass::text FROM touched
"""

_executor = ThreadPoolExecutor(1, thread_name_prefix="tests")


def in_orm(function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
    """The function's result; usable in tests that await and in those that do not."""
    return _executor.submit(function, *args, **kwargs).result()


def in_orm_thread(test: Callable[Parameters, None]) -> Callable[Parameters, None]:
    """The test, run in that thread from its beginning to its end."""

    @wraps(test)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        in_orm(test, *args, **kwargs)

    return run


def empty_tables() -> None:
    """Delete all rows but those that migrations made, the inferred facts, and what the workers share."""
    cache.clear()
    # Ids are not used again: what a process remembers of a row must never fit another test's.
    if connection.vendor == "sqlite":
        _delete_rows()
    else:
        _truncate()


def _delete_rows() -> None:
    # Its module can be imported once Django is set up.
    from triples.store.backend import backend

    filled = _filled(_tables())
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in connection.ops.sql_flush(no_style(), filled, reset_sequences=False, allow_cascade=False):
            cursor.execute(statement)
        cursor.execute(_EMPTY_SQLITE_INDEX)
    backend().inferred.discard()


@tenacity.retry(
    retry=tenacity.retry_if_exception_type(OperationalError),
    wait=tenacity.wait_random(0, 0.05),
    stop=tenacity.stop_after_delay(30),
    reraise=True,
)
def _truncate() -> None:
    """Truncate in one commit. Waiting for table after table would deadlock with services that go on reading."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TOUCHED, [[*_tables(), *_OTHER_TABLES]])
        if tables := ", ".join(name for (name,) in cursor):
            cursor.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE NOWAIT")
            cursor.execute(f"TRUNCATE {tables}")


@cache_result
def _tables() -> list[str]:
    kept = {"contenttypes", "auth.permission"}
    return [
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not kept & {model._meta.app_label, model._meta.label_lower}
    ]


def _filled(tables: list[str]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f'EXISTS (SELECT 1 FROM "{table}")' for table in tables))
        return [table for table, has_rows in zip(tables, cursor.fetchone(), strict=True) if has_rows]


def close_connections() -> None:
    """Close this thread's connection and that of `in_orm`."""
    connection.close()
    _executor.submit(lambda: connection.close()).result()  # noqa: PLW0108  # looked up in that thread


def disconnect_all() -> None:
    """End every connection to this PostgreSQL database, as its restart does; back when all are gone."""
    in_orm(lambda: connection.close())  # noqa: PLW0108  # looked up in that thread
    with psycopg.connect(settings.ENV.database_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 10_000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
