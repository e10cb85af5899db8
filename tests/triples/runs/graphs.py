"""A graph to derive from, with its runs in this process."""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from tests.support.database import in_orm
from triples.models import RecursionRun, Rule, Source
from triples.recursion.shorthands import expand
from triples.runs.options import RunOptions
from triples.runs.outcomes import Watcher
from triples.runs.recording import Recorder, perform
from triples.services.runs import run_queue
from triples.store.group_commit import write_now
from triples.store.operations import AddOne, Change, Fact, Remove, Stored


class Silence:
    """A watcher that shows nothing and remembers what it was told."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.rounds: list[int] = []

    def stage(self, name: str, done: int, total: int | None) -> None:
        self.stages.append(name)

    def round(self, number: int, new: int, improved: int, total: int, seconds: float) -> None:
        self.rounds.append(number)


class Graph:
    """Facts, rules and runs, each by one call."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, str], tuple[int, int]] = {}
        self.watcher = Silence()

    def add(self, *facts: tuple[str, str, str] | tuple[str, str, str, float]) -> None:
        operations = [
            AddOne(Fact(*fact[:3], fact[3] if len(fact) > 3 else 1.0, None, Source.API), True) for fact in facts
        ]
        for operation, outcome in zip(operations, in_orm(write_now, operations), strict=True):
            assert isinstance(outcome, Stored)
            self.rows[operation.fact[:3]] = outcome.row.id, outcome.row.created_ms

    def remove(self, *fact: str) -> None:
        subject, predicate, object_ = fact
        in_orm(write_now, [Remove(*self.rows.pop((subject, predicate, object_)))])

    def reweigh(self, fact: tuple[str, str, str], weight: float) -> None:
        in_orm(write_now, [Change(*self.rows[fact], weight=weight)])

    def rule(self, document: dict[str, Any]) -> None:
        now = timezone.now()
        for rule in expand(document):
            in_orm(
                Rule.objects.create,
                name=rule.name,
                weight=rule.weight,
                head=_places(rule.head),
                body=[_places(pattern) for pattern in rule.body],
                distinct=[_places(pair) for pair in rule.distinct],
                created_at=now,
                updated_at=now,
            )

    def run(self, watcher: Watcher | None = None, **options: Any) -> RecursionRun:
        def whole() -> RecursionRun:
            run = run_queue(options=RunOptions(**options), requested_by="tests")
            return perform(run, Recorder(run, watcher or self.watcher))

        return in_orm(whole)


def _places(places: Iterable[object]) -> list[str]:
    return [str(place) for place in places]
