"""A reader of its own connection, as the service's threads are, and what it shows; beside the plainest way to tell."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import connection

from triples.models import Term
from triples.query import reads
from triples.query.fact_rows import AnyRow, InferredRow
from triples.query.facts_by_key import inferred_fact
from triples.query.reads import Matches, Position, Wanted
from triples.recursion.programs import Key
from triples.store.backend import backend
from triples.store.dialect import Dialect
from triples.store.group_commit import open_session
from triples.store.inferred.read_snapshots import ReadSnapshots, VisibleFacts
from triples.store.operations import Row
from triples.store.sessions import Fetch

EVERYTHING = Wanted((None, None, None))


class Reading(NamedTuple):
    fetch: Fetch
    dialect: Dialect
    snapshots: ReadSnapshots

    def heaviest(self, wanted: Wanted = EVERYTHING, k: int = 10_000) -> Matches:
        with self.snapshots.taken(self.fetch) as shown:
            return reads.heaviest(self.fetch, self.dialect, shown, wanted, k=k, with_metadata=True)

    def total(self, wanted: Wanted) -> int:
        with self.snapshots.taken(self.fetch, always=True) as shown:
            return reads.total(self.fetch, self.dialect, shown, wanted)

    def page(self, wanted: Wanted, limit: int, after: Position | None) -> list[AnyRow]:
        with self.snapshots.taken(self.fetch) as shown:
            return reads.page(self.fetch, self.dialect, shown, wanted, limit=limit, after=after)

    def pages(self, wanted: Wanted, limit: int) -> Iterator[list[AnyRow]]:
        after: Position | None = None
        while True:
            page = self.page(wanted, limit, after)
            yield page
            if len(page) < limit:
                return
            after = position(page[-1])

    def inferred(self) -> set[Key]:
        """The keys of the inferred facts that are shown."""
        return {row.key for row in self.heaviest().rows if isinstance(row, InferredRow)}

    def one(self, key: Key) -> InferredRow | None:
        with self.snapshots.taken(self.fetch) as shown:
            return inferred_fact(self.fetch, self.dialect, shown, key)

    def shown(self) -> VisibleFacts | None:
        with self.snapshots.taken(self.fetch) as shown:
            return shown


@contextmanager
def reading() -> Iterator[Reading]:
    own: Any = connection.copy()
    try:
        session = open_session(own)
        dialect = backend().dialect
        with own.wrap_database_errors:
            yield Reading(session.rows, dialect, backend().read_snapshots(session.driver))
    finally:
        own.close()


def position(row: AnyRow) -> Position:
    return Position(row.weight, row.id) if isinstance(row, Row) else Position(row.weight, key=row.key)


def in_order(rows: list[AnyRow]) -> list[AnyRow]:
    return sorted(rows, key=_place)


def _place(row: AnyRow) -> tuple[Any, ...]:
    return (-row.weight, 0, row.id) if isinstance(row, Row) else (-row.weight, 1, *row.key)


def matching(rows: list[AnyRow], wanted: Wanted) -> list[AnyRow]:
    """Those of the rows that are wanted, in the order of answers."""
    return in_order(
        [
            row
            for row in rows
            if row.weight >= wanted.min_weight
            and (wanted.asserted if isinstance(row, Row) else wanted.inferred)
            and all(
                term in {None, text}
                for term, text in zip(wanted.pattern, (row.subject, row.predicate, row.object), strict=True)
            )
            and all(row[-3 + first] == row[-3 + second] for first, second in wanted.equal)
        ]
    )


def texts(key: Key) -> tuple[str, str, str]:
    found = dict(Term.objects.values_list("id", "text"))
    return found[key.subject], found[key.predicate], found[key.object]
