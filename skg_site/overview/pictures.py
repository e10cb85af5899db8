"""The plots of the overview."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from skg_site.observe.requests_by_minute import Counts, changes
from skg_site.overview.time_bins import bins, length_text, names, round_places
from triples.admin.plots import Axis, Plot, Series, bars, labels_that_fit, lines
from triples.models import RecursionRun
from triples.query.fact_lists import fetch
from triples.runs.metrics import ENDED_WELL
from triples.runs.responses import duration
from triples.store.facts_over_time import Growth

# Each moment of the facts' plot is a search in the database.
MOMENTS = 30
RUNS = 24


class Picture(NamedTuple):
    """A plot with its heading, or what to say in its place."""

    heading: str
    note: str
    plot: Plot | None
    url: str = ""
    # What to do about it that there is nothing to see.
    link: str = ""


def pictures(user: User) -> Iterator[Picture]:
    now = timezone.now()
    if user.has_perm("triples.view_triple"):
        yield facts(now)
    if user.is_superuser:
        yield from requests(now)
    if user.has_perm("triples.view_recursionrun"):
        yield runs()


def facts(now: datetime) -> Picture:
    heading = "Facts over time"
    growth = Growth(fetch)
    if growth.since is None:
        note = "No facts yet. manage.py import_triples imports a file."
        return Picture(heading, note, None, reverse("admin:triples_triple_add"), "Add the first one")
    # What was added within a minute should not fill the picture.
    begins, length = bins(min(growth.since, now - timedelta(minutes=10)), now, MOMENTS)
    axis = _times("At (UTC)", begins, length, "now")
    counts = growth.counts([*begins, now])
    plot = lines(heading, axis, [Series("facts", "first", counts)], "{:,}".format)
    return Picture(heading, "Those that are stored now, by when they were added.", plot)


def requests(now: datetime) -> Iterator[Picture]:
    seen = [(datetime.fromtimestamp(minute * 60, UTC), counts) for minute, counts in changes(now.timestamp())]
    if not seen:
        note = "Nothing to show yet: requests are counted from now on, minute by minute."
        yield Picture("Requests", note, None)
        yield Picture("Time to answer", note, None)
        return
    begins, length = bins(seen[0][0], seen[-1][0])
    sums = [Counts.none() for _ in begins]
    for minute, counts in seen:
        place = (minute - begins[0]) // length
        sums[place] = sums[place].plus(counts)
    every = f"Of this host's API, for each {length_text(length)} (UTC), without probes."
    axis = _times("From (UTC)", begins, length)
    kinds = [
        Series("answered", "first", [each.good for each in sums]),
        Series("refused (4xx)", "second", [each.refused for each in sums]),
        Series("failed (5xx)", "third", [each.failed for each in sums]),
    ]
    yield Picture("Requests", every, bars("Requests", axis, kinds, "{:,}".format))
    times = [
        Series("half within", "first", [_milliseconds(each.quantile(0.5)) for each in sums]),
        Series("99 % within", "second", [_milliseconds(each.quantile(0.99)) for each in sums]),
    ]
    heading = "Time to answer, in milliseconds"
    yield Picture(heading, every, lines(heading, axis, times, "{:,.3g} ms".format))


def runs() -> Picture:
    heading = "Runs, in seconds"
    ended = RecursionRun.objects.filter(active=None, started_at__isnull=False).defer("rounds")
    last = list(ended[:RUNS])[::-1]
    if not last:
        rules = reverse("admin:triples_rule_changelist")
        return Picture(heading, "No run has ended yet. A run derives facts by rules.", None, rules, "To the rules")
    well = {run.id for run in last if run.status in ENDED_WELL}
    series = [
        _took("from nothing", "first", last, {run.id for run in last if run.id in well and run.mode == "full"}),
        _took("from changes", "second", last, {run.id for run in last if run.id in well and run.mode != "full"}),
        _took("without success", "third", last, {run.id for run in last if run.id not in well}),
    ]
    axis = Axis("Run", [f"{run.id}" for run in last])
    plot = bars(heading, axis, series, "{:,.1f} s".format)
    return Picture(heading, "The last ones, by their numbers.", plot, reverse("admin:triples_recursionrun_changelist"))


def _times(heading: str, begins: Sequence[datetime], length: timedelta, *further: str) -> Axis:
    labels = names(begins, length)
    return Axis(heading, [*labels, *further], round_places(begins, length, labels_that_fit(labels)))


def _took(name: str, kind: str, ended: list[RecursionRun], chosen: set[int]) -> Series:
    return Series(name, kind, [duration(run) if run.id in chosen else None for run in ended])


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000
