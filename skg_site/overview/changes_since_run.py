"""The changes since the inferred facts were derived, in sentences; counted only as far as somebody would read."""

from collections.abc import Iterator

from triples.models import Change, Gone, RecursionRun, Rule, Triple
from triples.store.inferred.state import State

MOST_COUNTED = 10_000


def facts_since(state: State | None) -> Iterator[str]:
    if state is None:
        return
    changes = Change.objects.filter(id__gt=state.changes_up_to)
    if changes.filter(gone=Gone.UNFOLLOWED).exists():
        yield "No inferred facts are shown, since too many rest on deleted facts."
    added = _count(Triple.objects.filter(id__gt=state.triples_up_to).values("id")[: MOST_COUNTED + 1].count())
    changed = _count(changes.values("id")[: MOST_COUNTED + 1].count())
    if told := " and ".join(part for part in (added and f"{added} added", changed and f"{changed} changed") if part):
        yield f"Facts since the last run: {told}."


def rules_since(state: State | None, run: RecursionRun | None) -> Iterator[str]:
    """`run` is the last one that ended well."""
    enabled = {rule.name: rule.updated_at for rule in Rule.objects.filter(enabled=True).only("name", "updated_at")}
    if state is None:
        if enabled and Triple.objects.exists():
            yield "There are rules that have never been run."
        return
    applied = {rule.name for rule in state.program.rules}
    if run is not None and run.options.get("rules"):
        # A run of some rules says nothing of the others.
        enabled = {name: at for name, at in enabled.items() if name in applied}
    changed = {name for name, at in enabled.items() if run is not None and run.started_at and at > run.started_at}
    changed |= applied ^ enabled.keys()
    if changed:
        yield f"Rules that have changed since the last run: {len(changed):,}."


def _count(number: int) -> str:
    if number > MOST_COUNTED:
        return f"more than {MOST_COUNTED:,}"
    return f"{number:,}" if number else ""
