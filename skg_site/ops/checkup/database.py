"""Checks of the database, from this host."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection, transaction

from skg_site.cli.durations import duration_text
from skg_site.host.write_lock import write_lock
from skg_site.observe.schema_check import schema_fault
from skg_site.ops.checkup.findings import Finding, Limits, failed, not_applicable, ok, warning
from skg_site.ops.checkup.web import clock_finding
from triples.models import RecursionRun, RunStatus, Term
from triples.query.explanations import own_connection
from triples.store.backend import backend

_UNWELL = {RunStatus.FAILED, RunStatus.DIED, RunStatus.TIMED_OUT}


def if_it_exists(check: Callable[[], Finding]) -> Finding:
    """Run the check unless the database file is missing: opening it would create an empty one."""
    env = settings.ENV
    if not env.database_url and not env.db_path.exists():
        return failed(f"There is no file {env.db_path}.")
    return check()


def check_database() -> Finding:
    """Write a term, and roll back before anybody can see it."""
    with write_lock(), transaction.atomic():
        Term.objects.create(text=f"system check {uuid.uuid4()}")
        transaction.set_rollback(True)
    return ok(f"{backend().upkeep.description()} takes writes.")


def check_migrations() -> Finding:
    fault = schema_fault()
    return ok("All migrations are applied.") if fault is None else failed(fault)


def check_replicas() -> Finding:
    found = list(backend().look_at_replicas())
    if not found:
        return not_applicable("SKG_DATABASE_REPLICA_URLS names no replica.")
    texts = [
        f"{replica.name} {replica.fault or f'is {replica.lag_seconds:.2f} seconds behind'}".rstrip(".") + "."
        for replica in found
    ]
    # Without a replica the primary answers.
    return (ok if all(replica.in_use for replica in found) else warning)(" ".join(texts))


def check_clock_by_database(limits: Limits) -> Finding:
    with connection.cursor() as cursor:
        before = datetime.now(UTC)
        cursor.execute("SELECT clock_timestamp()")
        theirs = cursor.fetchone()[0]
        after = datetime.now(UTC)
    # The answer was made at some moment between the two.
    seconds = max(0.0, (before - theirs).total_seconds(), (theirs - after).total_seconds())
    return clock_finding(seconds, limits, backend().upkeep.description())


def check_recursion() -> Finding:
    run = RecursionRun.objects.first()
    if run is None:
        return not_applicable("No rules have been run yet.")
    now = datetime.now(UTC)
    if run.finished_at is None:
        lasts = (now - (run.started_at or run.created_at)).total_seconds()
        text = f"Run {run.pk} is {run.status} since {duration_text(lasts)}."
        return failed(text) if lasts > settings.ENV.recursion_timeout else ok(text)
    age = duration_text((now - run.finished_at).total_seconds())
    if run.status in _UNWELL:
        reason = f": {run.error.splitlines()[0]}" if run.error else ""
        return warning(f"Run {run.pk} {run.status} {age} ago{reason}".rstrip(".") + ".")
    with own_connection() as (_, _, shown):
        if shown is not None and shown.filter is None:
            return warning("No inferred facts are shown, since too many rest on deleted facts; `recurse` ends that.")
    return ok(f"Run {run.pk} {run.status} {age} ago.")
