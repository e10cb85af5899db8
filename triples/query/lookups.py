"""Look-ups of joins: the terms that a pattern is given, and the terms that it finds.

A partial answer is a tuple of terms. Its slots are the variables in the order in which the plan binds them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from triples.patterns import Variable
from triples.query.blocks import Ends, Fact, Source
from triples.query.questions import AskedPattern
from triples.recursion.programs import Key

Terms = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Lookup:
    """A look-up of the facts of a pattern, given the slots that are filled, and the new slots that they fill."""

    constants: Ends
    # (column, slot) of the variables that are bound.
    bound: tuple[tuple[int, int], ...]
    # Columns that fill new slots, and pairs of columns that must hold the same.
    taken: tuple[int, ...]
    equal: tuple[tuple[int, int], ...]

    @property
    def free(self) -> tuple[int, ...]:
        """The columns that are not given."""
        given = {column for column, _ in self.bound}
        return tuple([column for column in range(3) if self.constants[column] is None and column not in given])

    def ends(self, terms: Terms) -> Ends:
        ends = list(self.constants)
        for column, slot in self.bound:
            ends[column] = terms[slot]
        return (ends[0], ends[1], ends[2])

    def extended(self, terms: Terms, key: Key) -> Terms | None:
        """The terms with those of a fact that was looked up; None if it does not match after all."""
        for first, second in self.equal:
            if key[first] != key[second]:
                return None
        return terms + tuple([key[column] for column in self.taken])


class Slots(NamedTuple):
    """The slots that are read of each row, and the look-ups that must find a fact from it.

    `least` has the weights of these look-ups last. With them, a part of asserted facts is joined.
    """

    slots: Sequence[int]
    present: Sequence[Lookup] = ()


class OfTerms(NamedTuple):
    """A part of a pattern's facts: those with one of these terms in a column."""

    column: int
    terms: Sequence[int]


class Between(NamedTuple):
    """A part of a pattern's facts: those of at most one weight, and of more than another one.

    `by_column`: the part is a large share of all facts of a predicate, and the next look-up needs their terms in this
    column alone. Then it takes less to go through these terms of all of them, in order, than to read each fact.
    """

    most: float
    above: float
    by_column: int | None = None


class OfWeight(NamedTuple):
    """A part of a pattern's facts: those of one weight that come after an id and not after the last one.

    Without a last one, all others of this weight are among them, the inferred ones, too.
    """

    weight: float
    after: int
    last: int | None
    # As in `Between`.
    by_column: int | None = None


Part = OfTerms | Between | OfWeight


class GroupedJoin(NamedTuple):
    """A join whose rows are put into groups: each has the terms in some slots, a number of rows, the greatest weight.

    The weight of a row is the product of its facts' weights, multiplied in the order in which `factors` names look-ups.
    """

    lookups: Sequence[Lookup]
    # The least weight of a fact, for all look-ups, and of a row.
    least: float
    least_product: float
    slots: tuple[int, ...]
    factors: tuple[int, ...]


# The number of the partial answer that was given; then for each look-up the terms of its free columns, weight and id.
JoinedRow = Sequence[Any]


class JoiningSource(Source, Protocol):
    """A source that can follow several look-ups by itself."""

    def terms(self, ends: Ends, column: int, after: int, weight: float, size: int) -> Sequence[int]:
        """Return the different terms in the column of facts of at least this weight, those after a term, in order.

        They are at least `size` if there are as many. Facts of weight 0 do not count.
        """

    def weight_at(self, ends: Ends, most: float, place: int) -> float | None:
        """Return the weight of the fact at a place, from 0, among those of at most a weight, by falling weight.

        None if there are fewer facts, and where this has weight 0.
        """

    def id_at(self, ends: Ends, weight: float, after: int, place: int) -> int | None:
        """Return the id of the asserted fact at a place, from 0, among those of a weight after an id, by rising id."""

    @property
    def most_joined(self) -> int:
        """Return how many look-ups it follows at a time."""

    @property
    def scans_columns(self) -> bool:
        """Return True if it makes use of `by_column`."""

    @property
    def joins_in_order(self) -> bool:
        """Return True if `joined_terms` may be asked."""

    def joined(
        self, lookups: Sequence[Lookup], given: Sequence[Terms] | Part, least: Sequence[float], limit: int
    ) -> Sequence[JoinedRow]:
        """Follow the look-ups, each from what the one before has found, from each of these partial answers.

        Each uses facts of at least its weight, and none of weight 0. Returns rows in any order, or in that of the
        partial answers if the source joins in order; at most `limit`. If a part is given, the first look-up finds just
        its facts, and the number of the partial answer is 0.
        """

    def joined_terms(
        self, lookups: Sequence[Lookup], part: OfTerms, least: Sequence[float], limit: int, wanted: Slots
    ) -> Sequence[Terms]:
        """Return the terms in the wanted slots of each row that `joined` would return, if all stands that must.

        The terms of the part, which are given in order, are taken in this order, as far as the limit lets them.
        """

    def joined_number(
        self, lookups: Sequence[Lookup], given: Sequence[Terms] | Part, least: Sequence[float], limit: int
    ) -> int:
        """Return how many rows `joined` would return."""

    def joined_groups(self, join: GroupedJoin, part: Part) -> Sequence[Sequence[Any]]:
        """Return the groups of the rows that `joined` would return of a part, in any order."""

    def numbers(self, lookups: Sequence[Lookup], given: Sequence[Terms], least: float, limit: int) -> Sequence[int]:
        """Return for each partial answer how many facts of at least this weight these look-ups find.

        For each look-up, facts are counted up to the limit.
        """

    def size(self) -> int:
        """Return about how many facts there are in all."""

    def linked(
        self, subjects: Collection[int], predicate: int | None, objects: Collection[int], least: float, limit: int
    ) -> Sequence[Fact]:
        """Return the facts of at least this weight from any of the subjects to any of the objects, up to a limit."""


def ends_of(pattern: AskedPattern[int]) -> Ends:
    """The constants of a pattern, with None in the place of each variable."""
    subject, predicate, object_ = (None if isinstance(place, Variable) else place for place in pattern)
    return subject, predicate, object_


def lookup_of(pattern: AskedPattern[int], slots: Mapping[Variable, int], filled: int) -> Lookup:
    """The look-up when this many slots are filled. Variables without a slot must only be equal within the pattern."""
    bound: list[tuple[int, int]] = []
    taken: list[int] = []
    equal: list[tuple[int, int]] = []
    for column, place in enumerate(pattern):
        if not isinstance(place, Variable):
            continue
        slot = slots.get(place)
        if slot is not None and slot < filled:
            bound.append((column, slot))
        elif pattern.index(place) < column:
            equal.append((pattern.index(place), column))
        elif slot is not None:
            taken.append(column)
    return Lookup(ends_of(pattern), tuple(bound), tuple(taken), tuple(equal))
