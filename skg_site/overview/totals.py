"""The numbers at the top of the overview, each with the page that has more of it."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone

from apikeys.models import ApiKey
from skg_site.cli.durations import duration_text
from skg_site.host.backup_record import BackupRecord, read_backup_record
from triples.models import RecursionRun, Rule
from triples.query.fact_lists import fetch
from triples.runs.summaries import run_sentence
from triples.store.backend import backend
from triples.store.statistics import Statistics, statistics


class Total(NamedTuple):
    """A number, what it counts, a line on it, and where there is more."""

    name: str
    value: str
    note: str = ""
    url: str = ""


def totals(user: User) -> list[Total]:
    found: list[Total] = []
    counted = statistics(fetch) if user.has_perm("triples.view_triple") else None
    if counted is not None:
        found.append(_facts(counted))
    if user.has_perm("triples.view_inferredtriple"):
        found.append(_inferred())
    if user.has_perm("triples.view_rule"):
        found.append(_rules())
    if user.has_perm("triples.view_recursionrun"):
        found.append(_last_run())
    if user.has_perm("apikeys.view_apikey"):
        found.append(_keys())
    if counted is not None:
        found.append(Total("database", filesizeformat(counted.size_bytes), connection.display_name))
    if user.is_superuser:
        found.append(_backup())
    return found


def _facts(counted: Statistics) -> Total:
    parts = f"{_many(counted.subjects, 'subject')}, {_many(counted.predicates, 'predicate')}"
    return Total("facts", f"{counted.triples:,}", parts, reverse("admin:triples_triple_changelist"))


def _inferred() -> Total:
    state = backend().read_state()
    url = reverse("admin:triples_inferredtriple_changelist")
    if state is None:
        return Total("inferred facts", "0", "no run yet", url)
    age = (timezone.now() - datetime.fromtimestamp(state.written_ms / 1000, UTC)).total_seconds()
    return Total("inferred facts", f"{state.facts:,}", f"derived {ago(age)}", url)


def _rules() -> Total:
    enabled, disabled = (Rule.objects.filter(enabled=which).count() for which in (True, False))
    note = f"and {disabled:,} disabled" if disabled else "enabled"
    return Total("rules", f"{enabled:,}", note, reverse("admin:triples_rule_changelist"))


def _last_run() -> Total:
    run = RecursionRun.objects.first()
    if run is None:
        return Total("last run", "none", "a run derives facts", reverse("admin:triples_recursionrun_changelist"))
    url = reverse("admin:triples_recursionrun_change", args=[run.pk])
    if run.finished_at is None:
        return Total("last run", run.get_status_display().lower(), run_sentence(run), url)
    age = (timezone.now() - run.finished_at).total_seconds()
    return Total("last run", run.get_status_display().lower(), ago(age), url)


def _keys() -> Total:
    working = ApiKey.objects.working(timezone.now())
    used = working.filter(last_used_at__gte=timezone.now() - timedelta(days=1)).count()
    note = f"{used:,} used within a day"
    return Total("working keys", f"{working.count():,}", note, reverse("admin:apikeys_apikey_changelist"))


def _backup() -> Total:
    record = last_backup()
    if record is None:
        return Total("last backup", "none", "from this host")
    return Total("last backup", ago(backup_age(record)), f"{filesizeformat(record.bytes)} in {record.file}")


def last_backup() -> BackupRecord | None:
    """The last one from this host whose record can be read."""
    try:
        return read_backup_record(settings.ENV.state_dir)
    except ValueError:
        return None


def backup_age(record: BackupRecord) -> float:
    return (timezone.now() - record.finished_at).total_seconds()


def ago(seconds: float) -> str:
    """The time since then, in its greatest unit."""
    if seconds < 60:
        return "just now"
    number, unit = duration_text(seconds).split(" ")[:2]
    return f"{number} {unit} ago"


def _many(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"
