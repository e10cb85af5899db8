"""The reads for one pattern, and their statements. Each read is a function of `fetch`.

A read that may show inferred facts is told which are visible. If there are none, or they are not wanted, it runs only
the statements for asserted facts. Every request needs these statements, so they are cached by a few values, which is
faster than by a whole selection.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from triples.patterns import Equal, Shape
from triples.query.fact_rows import ASSERTED, COLUMNS, AnyRow, rows_of_both, texts_of
from triples.recursion.programs import Key
from triples.store.dialect import Dialect
from triples.store.fact_tables import ANY, InferredFilter
from triples.store.inferred.read_snapshots import VisibleFacts
from triples.store.operations import Pattern, Row
from triples.store.select import TEXTS, Select, Start, heaviest_first, shape_of, sql
from triples.store.sessions import Fetch
from triples.store.statistics import tallied_facts

# Totals are exact up to here; counting on would cost as much as there are matches.
COUNT_LIMIT = 10_000


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


class Position(NamedTuple):
    """A place in the order of answers: after the fact of this weight and id, or the inferred one of this key."""

    weight: float
    id: int = 0
    key: Key | None = None


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


@cache
def select_asserted(shape: Shape, start: Start, dialect: Dialect, *, with_metadata: bool, equal: Equal = ()) -> str:
    """ASSERTED and the texts of the free places, by falling weight, then rising id.

    Parameters: the constants, the bounds of `start`, the limit.
    """
    columns = (*ASSERTED, *_free_texts(shape))
    select = heaviest_first("asserted", columns, shape, start)
    return sql(select._replace(equal=equal, metadata=with_metadata), dialect)


@cache
def select_inferred(
    shape: Shape, start: Start, dialect: Dialect, inferred: InferredFilter, *, equal: Equal = ()
) -> str:
    """COLUMNS and the texts of the free places, by falling weight, then by key; the parameters as above.

    Where predicates are merged, the parameters once for each, and the limit again.
    """
    columns = (*COLUMNS, *_free_texts(shape))
    select = heaviest_first("inferred", columns, shape, start)
    return sql(select._replace(equal=equal, filter=inferred), dialect)


@cache
def select_both(
    shape: Shape,
    start: Start,
    dialect: Dialect,
    inferred: InferredFilter,
    *,
    with_metadata: bool,
    equal: Equal = (),
) -> str:
    """The same of both kinds. Parameters: those of `select_asserted`, those of `select_inferred`, the limit."""
    select = heaviest_first("both", (*COLUMNS, *_free_texts(shape)), shape, start)
    return sql(select._replace(equal=equal, metadata=with_metadata, filter=inferred), dialect)


@cache
def count_asserted(
    shape: Shape, dialect: Dialect, *, least_weight: bool, equal: Equal = (), limit: int | None = COUNT_LIMIT + 1
) -> str:
    """The number of matches, up to the limit. Parameters: the constants, and the least weight if any.

    Without one the weights are not looked at, which saves a quarter of the time or more.
    """
    start: Start = "top" if least_weight else "any"
    return sql(Select("asserted", shape=shape, equal=equal, start=start, limit=limit, counted=True), dialect)


@cache
def count_inferred(
    shape: Shape,
    dialect: Dialect,
    inferred: InferredFilter,
    *,
    equal: Equal = (),
    limit: int | None = COUNT_LIMIT + 1,
) -> str:
    """The same of inferred facts; the parameters once for each predicate that is merged."""
    select = Select("inferred", shape=shape, equal=equal, start="top", limit=limit, counted=True, filter=inferred)
    return sql(select, dialect)


def _free_texts(shape: Shape) -> tuple[str, ...]:
    return tuple(text for text, given in zip(TEXTS, shape, strict=True) if not given)
