"""Hints about all that needs attention, most urgent first, each with its remedy."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from apikeys.models import ApiKey
from skg_site.cli.durations import duration_text
from skg_site.host.attention_levels import LITTLE_DISK, OLD_BACKUP_SECONDS
from skg_site.observe.probes import schema_fault
from skg_site.overview.changes_since_run import facts_since, rules_since
from skg_site.overview.totals import ago, backup_age, last_backup
from triples.models import RecursionRun, RunStatus, Triple
from triples.runs.metrics import ENDED_WELL
from triples.runs.summaries import run_sentence
from triples.store.backend import backend

SOON = timedelta(days=7)
MOST_KEYS = 3

_UNWELL = {RunStatus.FAILED, RunStatus.DIED, RunStatus.TIMED_OUT}


class Item(NamedTuple):
    """A sentence, and the page or the command that mends what it says."""

    text: str
    url: str = ""
    link: str = ""
    command: str = ""
    urgent: bool = False


def attention(user: User) -> list[Item]:
    found: list[Item] = []
    if user.is_superuser:
        found += _database()
    if user.has_perm("triples.view_recursionrun"):
        found += _runs(may_run=user.has_perm("triples.add_recursionrun"))
    if user.has_perm("apikeys.view_apikey"):
        found += _keys()
    if user.is_superuser:
        found += _host()
    return sorted(found, key=lambda item: not item.urgent)


def _database() -> Iterator[Item]:
    if (fault := schema_fault()) is not None:
        yield Item(fault, command="manage.py migrate", urgent=True)


def _runs(*, may_run: bool) -> Iterator[Item]:
    last = RecursionRun.objects.filter(active=None).first()
    if last is not None and (last.status in _UNWELL or last.status == RunStatus.LIMITED):
        url = reverse("admin:triples_recursionrun_change", args=[last.pk])
        unwell = last.status != RunStatus.LIMITED
        yield Item(f"{str(last).capitalize()}: {run_sentence(last)}", url, "Look at the run", urgent=unwell)
    if RecursionRun.objects.filter(active=True).exists():
        return
    reasons = _reasons_to_run()
    if reasons and may_run:
        yield Item(" ".join(reasons), reverse("admin:triples_recursionrun_run"), "Run now")
    elif reasons:
        yield Item(" ".join(reasons))


def _reasons_to_run() -> list[str]:
    """Sentences that say what the inferred facts do not know yet."""
    state = backend().read_state()
    good = RecursionRun.objects.filter(status__in=ENDED_WELL, started_at__isnull=False).first()
    return [*facts_since(state), *rules_since(state, good)]


def _keys() -> Iterator[Item]:
    now = timezone.now()
    working = ApiKey.objects.working(now)
    if settings.ENV.enable_auth and not working.exists():
        yield Item("No key works, so nobody can call the API.", reverse("admin:apikeys_apikey_add"), "Issue a key")
    soon = working.filter(expires_at__lte=now + SOON, successor__isnull=True).order_by("expires_at")
    for key in soon[:MOST_KEYS]:
        assert key.expires_at is not None
        left = duration_text((key.expires_at - now).total_seconds())
        url = reverse("admin:apikeys_apikey_change", args=[key.pk])
        yield Item(f"The key {key} expires in {left}.", url, "Rotate or extend it")
    if (others := soon.count() - MOST_KEYS) > 0:
        url = f"{reverse('admin:apikeys_apikey_changelist')}?state=active"
        yield Item(f"{others:,} more key{'s' * (others > 1)} will expire within a week.", url, "All keys")


def _host() -> Iterator[Item]:
    folder = settings.ENV.state_dir
    disk = shutil.disk_usage(folder)
    if disk.free < LITTLE_DISK * disk.total:
        text = f"Only {disk.free / disk.total:.0%} of the disk is free ({disk.free / (1 << 30):,.1f} GiB)."
        yield Item(text, command="manage.py vacuum", urgent=True)
    record = last_backup()
    if record is None:
        if Triple.objects.exists():
            yield Item("There is no backup from this host.", command="manage.py backup")
    elif (age := backup_age(record)) > OLD_BACKUP_SECONDS:
        yield Item(f"The last backup was made {ago(age)}.", command="manage.py backup")
