"""Probes: whether the process answers, and whether it can do its work."""

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime

from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from pydantic import BaseModel
from rest_framework.request import Request

from skg_site.api.answers import json_answer
from skg_site.api.views import APIViewSet
from skg_site.version import VERSION
from triples.store.turns import write_lock

# Seconds after which a database that does not answer counts as one that cannot be written.
PATIENCE = 5


class HealthOut(BaseModel):
    status: str
    version: str
    timestamp: datetime


class ReadyOut(BaseModel):
    ready: bool
    db_connected: bool
    migrated: bool


class ProbeViewSet(APIViewSet):
    """Open to everybody: a probe has no key, and a limit would take a healthy service down."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @extend_schema(
        summary="Is the process alive?",
        responses={200: OpenApiResponse(HealthOut, "It is.")},
        examples=[
            OpenApiExample("Alive", {"status": "healthy", "version": "2.0.0", "timestamp": "2024-01-15T10:30:00.000Z"})
        ],
    )
    async def health(self, _request: Request) -> HttpResponse:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return json_answer({"status": "healthy", "version": VERSION, "timestamp": now})

    @extend_schema(
        summary="Can the service do its work?",
        responses={
            200: OpenApiResponse(ReadyOut, "It can read and write, and its tables are there."),
            503: OpenApiResponse(ReadyOut, "It cannot."),
        },
        examples=[OpenApiExample("Ready", {"ready": True, "db_connected": True, "migrated": True})],
    )
    async def ready(self, _request: Request) -> HttpResponse:
        try:
            async with asyncio.timeout(PATIENCE):
                writable, migrated = await asyncio.shield(asyncio.wrap_future(_look()))
        except TimeoutError:
            writable = migrated = False
        ready = writable and migrated
        content = {"ready": ready, "db_connected": writable, "migrated": migrated}
        return json_answer(content, 200 if ready else 503, headers=None if ready else {"Retry-After": "1"})


# A look may wait for a lock that somebody holds for long; it keeps nobody waiting but the probes, which share it.
_thread = ThreadPoolExecutor(1, thread_name_prefix="ready")
_looking: Future[tuple[bool, bool]] | None = None


def _look() -> Future[tuple[bool, bool]]:
    global _looking  # noqa: PLW0603  # one look at a time for the whole process
    if _looking is None or _looking.done():
        _looking = _thread.submit(_database_state)
    return _looking


def _database_state() -> tuple[bool, bool]:
    """Whether the database takes writes, and whether no migration is missing."""
    try:
        with write_lock(), transaction.atomic():
            writable = _takes_writes()
            migrated = writable and _is_migrated()
            # What was written to see whether it can be is not kept.
            transaction.set_rollback(True)
            return writable, migrated
    except DatabaseError:
        connection.close()
        return False, False


def _takes_writes() -> bool:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SHOW transaction_read_only")
            return bool(cursor.fetchone()[0] == "off")
        # SQLite begins a transaction even on a file that it cannot write; the first statement that writes raises.
        cursor.execute("PRAGMA user_version = 0")
        return True


_migrated = False


def _is_migrated() -> bool:
    # Looked at until it is so; migrations do not go away under a running service.
    global _migrated  # noqa: PLW0603  # one fact for the whole process
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated
