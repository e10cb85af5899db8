"""The probes: /health, for a process that answers, and /ready, for a service that can do its work."""

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Annotated, NamedTuple, NotRequired

from django.db import DatabaseError, connection, transaction
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from pydantic import Field
from rest_framework.request import Request
from typing_extensions import TypedDict  # Pydantic needs this one before Python 3.12

from skg_site.api.fields import Moment, rfc3339
from skg_site.api.views import APIViewSet, json_answer
from skg_site.host.unfit_database import UnfitDatabase
from skg_site.host.write_lock import write_lock
from skg_site.observe.schema_check import schema_fault as find_schema_fault
from skg_site.version import VERSION
from triples.store.backend import backend

# Seconds after which a database that does not answer counts as one that cannot be written.
PATIENCE = 5


class HealthOut(TypedDict):
    status: str
    version: str
    timestamp: Moment


HEALTH: HealthOut = {"status": "healthy", "version": "2.0.0", "timestamp": "2024-01-15T10:30:00.000Z"}


class ReplicasOut(TypedDict):
    configured: int
    # Without the others, the service is ready all the same.
    in_use: int


class ReadyOut(TypedDict):
    ready: bool
    db_connected: bool
    migrated: bool
    # Left out if the reason is not known.
    reason: NotRequired[Annotated[str, Field(default="")]]
    # Left out without SKG_DATABASE_REPLICA_URLS.
    replicas: NotRequired[ReplicasOut]


READY: ReadyOut = {"ready": True, "db_connected": True, "migrated": True}


class State(NamedTuple):
    """The state of the database; `reason` is empty if it is ready or the reason is not known."""

    writable: bool
    migrated: bool
    reason: str = ""


class ProbeViewSet(APIViewSet):
    """Open to everybody: a probe has no key, and a rate limit would make a healthy service look unwell."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @extend_schema(
        summary="Is the process alive?",
        responses={200: OpenApiResponse(HealthOut, "It is.")},
        examples=[OpenApiExample("Alive", HEALTH)],
    )
    async def health(self, _request: Request) -> HttpResponse:
        content: HealthOut = {"status": "healthy", "version": VERSION, "timestamp": rfc3339(datetime.now(UTC))}
        return json_answer(content)

    @extend_schema(
        summary="Can the service do its work?",
        responses={
            200: OpenApiResponse(ReadyOut, "It can read and write, and its tables are there."),
            503: OpenApiResponse(ReadyOut, "It cannot."),
        },
        examples=[OpenApiExample("Ready", READY)],
    )
    async def ready(self, _request: Request) -> HttpResponse:
        try:
            async with asyncio.timeout(PATIENCE):
                state = await asyncio.shield(asyncio.wrap_future(_check()))
        except TimeoutError:
            state = State(writable=False, migrated=False)
        ready = state.writable and state.migrated
        content: ReadyOut = {
            "ready": ready,
            "db_connected": state.writable,
            "migrated": state.migrated,
        }
        if state.reason:
            content["reason"] = state.reason
        if (use := backend().replica_use()) is not None:
            in_use = sum(replica.in_use for replica in use.members)
            content["replicas"] = {"configured": len(use.members), "in_use": in_use}
        return json_answer(content, 200 if ready else 503, headers=None if ready else {"Retry-After": "1"})


# The check may wait for a lock for long. It has a thread of its own, and all waiting probes share one check.
_thread = ThreadPoolExecutor(1, thread_name_prefix="ready")
_checking: Future[State] | None = None


def _check() -> Future[State]:
    global _checking  # noqa: PLW0603  # one check at a time for the whole process
    if _checking is None or _checking.done():
        _checking = _thread.submit(_database_state)
    return _checking


def _database_state() -> State:
    try:
        with write_lock(), transaction.atomic():
            writable = _takes_writes()
            fault = schema_fault() if writable else None
            # The write was a trial.
            transaction.set_rollback(True)
            return State(writable=writable, migrated=writable and fault is None, reason=fault or "")
    except UnfitDatabase as error:
        connection.close()
        return State(writable=False, migrated=False, reason=str(error))
    except DatabaseError:
        connection.close()
        return State(writable=False, migrated=False)
    except OSError as error:
        # A file or folder of the service's own was removed, or the disk is full.
        return State(writable=False, migrated=False, reason=f"The service cannot use its state: {error.strerror}.")


def _takes_writes() -> bool:
    with connection.cursor() as cursor:
        return backend().upkeep.takes_writes(cursor)


_migrated = False


def schema_fault() -> str | None:
    """The fault that `skg_site.observe.schema_check` finds, until it finds none."""
    # Migrations do not go away under a running service. Those that newer code adds meanwhile, as in a rolling update,
    # are made so that this code can go on.
    global _migrated  # noqa: PLW0603  # one fact for the whole process
    if _migrated:
        return None
    fault = find_schema_fault()
    _migrated = fault is None
    return fault
