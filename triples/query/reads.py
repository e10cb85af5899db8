"""The reads for one pattern or one fact. Each is a function of `fetch`.

A read that may show inferred facts is told which are visible. If there are none, or they are not wanted, it runs only
the statements for asserted facts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from triples.patterns import Equal
from triples.query.fact_rows import AnyRow, InferredRow, rows_of_both, texts_of
from triples.query.statements import (
    COUNT_LIMIT,
    Position,
    asserted_by_id,
    count_asserted,
    count_inferred,
    inferred_by_key,
    select_asserted,
    select_both,
    select_inferred,
)
from triples.recursion.programs import Key
from triples.store.dialect import Dialect
from triples.store.fact_tables import ANY, InferredFilter
from triples.store.inferred.read_snapshots import VisibleFacts
from triples.store.operations import Pattern, Row
from triples.store.select import Start, shape_of
from triples.store.sessions import Fetch
from triples.store.statistics import tallied_facts


class Matches(NamedTuple):
    """The heaviest facts of a pattern, and the number of all facts that match it."""

    rows: list[AnyRow]
    total: int
    capped: bool


class Wanted(NamedTuple):
    """The facts that a read wants."""

    pattern: Pattern
    min_weight: float = 0.0
    asserted: bool = True
    inferred: bool = True
    # Columns that must hold the same term. No index finds such facts: they are looked at until enough match.
    equal: Equal = ()


def heaviest(
    fetch: Fetch, dialect: Dialect, shown: VisibleFacts | None, wanted: Wanted, *, k: int, with_metadata: bool
) -> Matches:
    """The k heaviest facts that match; `total` is exact up to `COUNT_LIMIT`.

    At equal weight the asserted facts come first, by id, then the inferred ones, by key.
    """
    read = _Read(fetch, dialect, shown, wanted, with_metadata)
    rows = read.part("top", [wanted.min_weight], k)
    total = len(rows) if len(rows) < k else read.number(COUNT_LIMIT + 1)
    return Matches(rows, min(total, COUNT_LIMIT), total > COUNT_LIMIT)


def page(
    fetch: Fetch, dialect: Dialect, shown: VisibleFacts | None, wanted: Wanted, *, limit: int, after: Position | None
) -> list[AnyRow]:
    """At most `limit` facts in the order of `heaviest`, from the position on.

    The facts of the position's own weight and the lighter ones are reads of their own, because each is one range
    of an index; one condition for all would read the whole weight again for every page.
    """
    read = _Read(fetch, dialect, shown, wanted, with_metadata=True)
    if after is None:
        return read.part("top", [wanted.min_weight], limit)
    found: list[AnyRow] = []
    if after.weight >= wanted.min_weight:
        found = read.rest_of_weight(after, limit)
    if len(found) < limit:
        found += read.part("lighter", [after.weight, wanted.min_weight], limit - len(found))
    return found


def total(fetch: Fetch, dialect: Dialect, shown: VisibleFacts | None, wanted: Wanted) -> int:
    """The exact number of facts that match."""
    return _Read(fetch, dialect, shown, wanted, with_metadata=False).exact_total()


def number(fetch: Fetch, dialect: Dialect, shown: VisibleFacts | None, wanted: Wanted, *, limit: int) -> int:
    """The number of facts that match, or any number from the limit on."""
    return _Read(fetch, dialect, shown, wanted, with_metadata=False).number(limit)


def fact(fetch: Fetch, dialect: Dialect, id_: int) -> Row | None:
    """The asserted fact with this id."""
    found = fetch(asserted_by_id(dialect), [id_])
    return Row(*found[0]) if found else None


def inferred_fact(fetch: Fetch, dialect: Dialect, shown: VisibleFacts | None, key: Key) -> InferredRow | None:
    """The inferred fact of these terms."""
    if shown is None or shown.filter is None:
        return None
    found = fetch(inferred_by_key(dialect, shown.filter), key)
    for weight, depth, rule, *texts in found:
        return InferredRow(key, shown.state.written_ms, weight, depth, shown.state.program.rules[rule].name, *texts)
    return None


@dataclass(frozen=True, slots=True)
class _Read:
    """One request's statements."""

    fetch: Fetch
    dialect: Dialect
    shown: VisibleFacts | None
    wanted: Wanted
    with_metadata: bool

    def part(self, start: Start, bounds: Sequence[float], limit: int) -> list[AnyRow]:
        """The first facts of both kinds, within the same bounds."""
        if self._filter is None:
            return self._asserted(start, bounds, limit) if self.wanted.asserted else []
        if not self.wanted.asserted:
            return self._inferred(start, bounds, limit)
        statement = select_both(
            self._shape, start, self.dialect, self._filter, with_metadata=self.with_metadata, equal=self.wanted.equal
        )
        asserted = [*self._constants, *bounds, limit]
        return self._rows(statement, [*asserted, *self._inferred_parameters(bounds, limit), limit])

    def rest_of_weight(self, after: Position, limit: int) -> list[AnyRow]:
        """The first facts of the position's weight that come after it."""
        found: list[AnyRow] = []
        if self.wanted.asserted and after.key is None:
            found = self._asserted("same weight", [after.weight, after.id], limit)
        if len(found) < limit and self._filter is not None:
            left = limit - len(found)
            if after.key is None:
                found += self._inferred("whole weight", [after.weight], left)
            else:
                found += self._inferred("same weight", [after.weight, *after.key], left)
        return found

    def number(self, limit: int) -> int:
        """The number of facts that match, or any number from the limit on."""
        number = self._number_asserted(limit) if self.wanted.asserted else 0
        if self._filter is not None and number < limit:
            number += self._number_inferred(self._filter, limit)
        return number

    def exact_total(self) -> int:
        """The number of facts that match. It is counted only if no tally, and no state of inferred facts, has it."""
        total = 0
        everything = self.wanted.min_weight == 0 and not self.wanted.equal
        if self.wanted.asserted:
            subject, predicate, object_ = self.wanted.pattern
            tallied = everything and subject is None and object_ is None
            total = tallied_facts(self.fetch, predicate) if tallied else self._number_asserted(None)
        if self._filter is not None:
            assert self.shown is not None
            known = everything and self._shape == ANY and not (self._filter.asserted or self._filter.hidden)
            total += self.shown.state.facts if known else self._number_inferred(self._filter, None)
        return total

    def _number_asserted(self, limit: int | None) -> int:
        least = self.wanted.min_weight
        equal = self.wanted.equal
        statement = count_asserted(self._shape, self.dialect, least_weight=least > 0, equal=equal, limit=limit)
        [(number,)] = self.fetch(statement, [*self._constants, least] if least > 0 else self._constants)
        return int(number)

    def _number_inferred(self, inferred: InferredFilter, limit: int | None) -> int:
        parameters = [*self._constants, self.wanted.min_weight] * (len(inferred.merged_for(self._shape)) or 1)
        statement = count_inferred(self._shape, self.dialect, inferred, equal=self.wanted.equal, limit=limit)
        [(number,)] = self.fetch(statement, parameters)
        return int(number)

    def _asserted(self, start: Start, bounds: Sequence[float], limit: int) -> list[AnyRow]:
        statement = select_asserted(
            self._shape, start, self.dialect, with_metadata=self.with_metadata, equal=self.wanted.equal
        )
        found = self.fetch(statement, [*self._constants, *bounds, limit])
        return [Row._make((*row[:6], *texts_of(self.wanted.pattern, row[6:]))) for row in found]

    def _inferred(self, start: Start, bounds: Sequence[float], limit: int) -> list[AnyRow]:
        assert self._filter is not None
        statement = select_inferred(self._shape, start, self.dialect, self._filter, equal=self.wanted.equal)
        return self._rows(statement, self._inferred_parameters(bounds, limit))

    def _inferred_parameters(self, bounds: Sequence[float], limit: int) -> list[Any]:
        assert self._filter is not None
        one: list[Any] = [*self._constants, *bounds, limit]
        merged = len(self._filter.merged_for(self._shape))
        return [*one * merged, limit] if merged else one

    def _rows(self, statement: str, parameters: Sequence[Any]) -> list[AnyRow]:
        assert self.shown is not None
        return rows_of_both(self.fetch(statement, parameters), self.wanted.pattern, self.shown.state)

    @property
    def _filter(self) -> InferredFilter | None:
        """The filter for the inferred facts that may be shown; None where none may."""
        return self.shown.filter if self.shown is not None and self.wanted.inferred else None

    @property
    def _shape(self) -> tuple[bool, bool, bool]:
        return shape_of(self.wanted.pattern)

    @property
    def _constants(self) -> list[str]:
        key_of = self.dialect.key_of
        return [key_of(term) for term in self.wanted.pattern if term is not None]
