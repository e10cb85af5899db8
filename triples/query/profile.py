"""Profiles of terms: the facts from a term and to it, by predicate, the heaviest first, and their numbers.

A term with few facts is read whole. Of a hub, the facts to show are read by index, and counted up to a limit, so that
it costs no more than a term with as many facts as that.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from triples.query.fact_rows import AnyRow
from triples.query.graph_facts import GraphFacts
from triples.query.predicates import predicate_ids
from triples.query.reads import Wanted, number, page
from triples.store.inferred.read_snapshots import VisibleFacts
from triples.store.operations import Pattern

# A term with at most this many facts on a side is read whole.
WHOLE = 2_000
# The facts of a side are counted up to this number; where there are more, those of one predicate up to the other.
COUNTED, COUNTED_EACH = 100_000, 1_000
# So many facts are shown of one predicate, and so many predicates are shown with facts.
EACH, SHOWN = 5, 20
# Of all predicates of a side, so many of the heaviest facts are kept.
HEAVIEST = 100
# A hub's predicates are looked for one by one. Where there are more, only those of its heaviest facts are known.
MOST_PREDICATES = {"subject": 1_000, "object": 64}

Side = Literal["subject", "object"]


class Number(NamedTuple):
    """A number of facts; if `more`, there are more than were counted."""

    facts: int
    more: bool = False

    def __str__(self) -> str:
        return f"more than {self.facts:,}" if self.more else f"{self.facts:,}"


class Group(NamedTuple):
    """The facts of one predicate on a side: the heaviest of them, and how many there are."""

    predicate: str
    number: Number
    rows: Sequence[AnyRow]


class Half(NamedTuple):
    """The facts that have the term in one place."""

    side: Side
    number: Number
    # The most frequent first; those behind the first `SHOWN` are without rows.
    groups: Sequence[Group]
    # Whether these are all predicates.
    complete: bool
    # The heaviest facts of all groups.
    heaviest: Sequence[AnyRow]


class Profile(NamedTuple):
    out: Half
    in_: Half
    # The facts that have the term as their predicate; None if there are none.
    between: Group | None
    # The ids of all terms that are named.
    ids: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ProfileReader:
    """Reads profiles from the facts of one moment. Inferred facts are among them if `source` may show any."""

    source: GraphFacts
    shown: VisibleFacts | None

    def read(self, term: int, text: str) -> Profile:
        out, in_ = self._half("subject", term, text), self._half("object", term, text)
        between = Group(text, self._number((None, text, None), COUNTED), self._rows((None, text, None), EACH))
        groups = [*out.groups, *in_.groups, between]
        rows = [*out.heaviest, *in_.heaviest, *(row for group in groups for row in group.rows)]
        texts = {text for row in rows for text in (row.subject, row.object)} | {group.predicate for group in groups}
        return Profile(out, in_, between if between.rows else None, self.source.ids(texts))

    def _half(self, side: Side, term: int, text: str) -> Half:
        rows = self._rows(_pattern(side, text), WHOLE + 1)
        heaviest = rows[:HEAVIEST]
        if len(rows) <= WHOLE:
            return Half(side, Number(len(rows)), _grouped(rows), complete=True, heaviest=heaviest)
        counted = self._number(_pattern(side, text), COUNTED)
        predicates, complete = self._predicates(side, term, rows)
        limit = COUNTED_EACH if counted.more else COUNTED
        numbers = [(predicate, self._number(_pattern(side, text, predicate), limit)) for predicate in predicates]
        # All inferred facts of a predicate may be hidden.
        found = sorted((one for one in numbers if one[1].facts), key=_frequent_first)
        groups = [
            Group(predicate, facts, self._rows(_pattern(side, text, predicate), EACH) if place < SHOWN else [])
            for place, (predicate, facts) in enumerate(found)
        ]
        complete |= sum(group.number.facts for group in groups) == counted.facts
        return Half(side, counted, groups, complete, heaviest)

    def _predicates(self, side: Side, term: int, heaviest: Sequence[AnyRow]) -> tuple[Collection[str], bool]:
        """The predicates of a hub's facts on this side, and whether these are all."""
        source, most = self.source, MOST_PREDICATES[side]
        subject = term if side == "subject" else None
        ids = predicate_ids(source.fetch, source.dialect, source.visible, limit=most + 1, subject=subject)
        if len(ids) <= most:
            return source.texts(ids).values(), True
        return {row.predicate for row in heaviest}, False

    def _rows(self, pattern: Pattern, limit: int) -> list[AnyRow]:
        return page(self.source.fetch, self.source.dialect, self.shown, self._wanted(pattern), limit=limit, after=None)

    def _number(self, pattern: Pattern, limit: int) -> Number:
        wanted = self._wanted(pattern)
        found = number(self.source.fetch, self.source.dialect, self.shown, wanted, limit=limit + 1)
        return Number(min(found, limit), more=found > limit)

    def _wanted(self, pattern: Pattern) -> Wanted:
        return Wanted(pattern, inferred=self.source.visible is not None)


def _pattern(side: Side, text: str, predicate: str | None = None) -> Pattern:
    return (text, predicate, None) if side == "subject" else (None, predicate, text)


def _grouped(rows: Sequence[AnyRow]) -> list[Group]:
    """Groups of all rows of a side, which come heaviest first."""
    found: dict[str, list[AnyRow]] = defaultdict(list)
    for row in rows:
        found[row.predicate].append(row)
    numbers = sorted(((predicate, Number(len(own))) for predicate, own in found.items()), key=_frequent_first)
    return [
        Group(predicate, facts, found[predicate][:EACH] if place < SHOWN else [])
        for place, (predicate, facts) in enumerate(numbers)
    ]


def _frequent_first(group: tuple[str, Number]) -> tuple[int, str]:
    predicate, found = group
    return -found.facts, predicate
