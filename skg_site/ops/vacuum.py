"""A vacuum: it removes what nobody uses any more, and returns the free space."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

from django.apps import apps
from django.utils import timezone

from apikeys.audit import remove_old_events
from skg_site.cli.progress import Report
from triples.models import Rule
from triples.patterns import Variable
from triples.recursion.programs import constants
from triples.runs.lease import lease
from triples.runs.retention import remove_old_runs
from triples.store.backend import backend
from triples.store.term_lookup import find_term_ids
from triples.store.unused_terms import remove_unused_terms

# Processes that test whether the lease is taken hold it for a moment.
LEASE_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Retention:
    """The time for which events and runs are kept; None means for ever."""

    events: timedelta | None
    runs: timedelta | None


@dataclass(frozen=True, slots=True)
class Vacuumed:
    """The numbers of what was removed, or would be in a dry run."""

    dry_run: bool
    terms: int
    key_events: int
    runs: int
    bytes_before: int
    bytes_after: int
    seconds: float

    @property
    def content(self) -> dict[str, Any]:
        return asdict(self) | {"seconds": round(self.seconds, 3)}

    @property
    def text(self) -> str:
        text = f"{self.terms:,} terms, {self.key_events:,} key events and {self.runs:,} runs"
        if self.dry_run:
            return f"{text} would be removed ({self.seconds:,.1f} s). Nothing was changed."
        return f"{text} removed; {self.bytes_before:,} bytes before, {self.bytes_after:,} now ({self.seconds:,.1f} s)."


def vacuum(retention: Retention, report: Report, *, dry: bool) -> Vacuumed:
    """Remove what is not used. Raises LeaseTaken while a run is active: it may be about to use such terms."""
    began = monotonic()
    before = backend().upkeep.bytes_of_tables()
    with lease(LEASE_PATIENCE):
        terms = remove_unused_terms(_kept(), lambda done, total: report("terms", done, total), dry=dry)
        if not dry:
            # On PostgreSQL, those that an older version made after the migration are not in the index.
            backend().term_index.fill(lambda done: report("terms indexed", done, None))
        report("old runs", 0, None)
        runs = 0 if retention.runs is None else remove_old_runs(timezone.now() - retention.runs, dry=dry)
    report("old key events", 0, None)
    events = 0 if retention.events is None else remove_old_events(timezone.now() - retention.events, dry=dry)
    if not dry:
        backend().upkeep.tidy(_tables(), report)
    return Vacuumed(dry, terms, events, runs, before, backend().upkeep.bytes_of_tables(), monotonic() - began)


def _kept() -> set[int]:
    """The terms in rules, and in the program that the inferred facts were derived with."""
    texts = {text for rule in Rule.objects.all() for text in constants(rule.parsed)}
    kept = set(find_term_ids(texts).values())
    if (state := backend().read_state()) is not None:
        for rule in state.program.rules:
            places = [place for pattern in (rule.head, *rule.body, *rule.distinct) for place in pattern]
            kept.update(place for place in places if not isinstance(place, Variable))
    return kept


def _tables() -> list[str]:
    return sorted({model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed})
