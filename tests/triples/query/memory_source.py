"""Facts in memory as a source of blocks, which counts what it hands out."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from math import prod
from typing import Any

from triples.query.blocks import Ends, Fact, OutOfTime
from triples.query.joined_rows import columns_of
from triples.query.lookups import Between, GroupedJoin, JoinedRow, Lookup, OfTerms, OfWeight, Part, Slots, Terms
from triples.recursion.programs import Key

Triple = tuple[int, int, int]

# More rows than any join of a test has.
_ALL = 1_000_000


class MemorySource:
    """Sorted by falling weight, then as the store does: asserted facts by id, then inferred ones by key.

    Facts of weight 0 are handed out, too. After `reads` blocks time is over, if that is given.
    """

    def __init__(self, facts: Iterable[Fact], texts: Mapping[int, str] | None = None, reads: int | None = None) -> None:
        self.facts = sorted(facts, key=_order)
        self.read_facts = 0
        self.read_blocks = 0
        self.reads = reads
        self._texts = texts or {}
        self._by_ends: dict[Ends, list[Fact]] = defaultdict(list)
        for fact in self.facts:
            subject, predicate, object_ = fact.key
            for s in (subject, None):
                for p in (predicate, None):
                    for o in (object_, None):
                        self._by_ends[s, p, o].append(fact)

    def block(self, ends: Ends, after: Fact | None, size: int) -> Sequence[Fact]:
        if self.reads is not None and self.read_blocks >= self.reads:
            raise OutOfTime
        facts = self._by_ends.get(ends, [])
        begin = 0 if after is None else bisect_right(facts, _order(after), key=_order)
        block = facts[begin : begin + size]
        self.read_facts += len(block)
        self.read_blocks += 1
        return block

    def together(self, ends: Sequence[Ends], limit: int) -> Sequence[Fact]:
        if self.reads is not None and self.read_blocks >= self.reads:
            raise OutOfTime
        found = [fact for one in ends for fact in self._by_ends.get(one, [])]
        self.read_facts += len(found)
        self.read_blocks += 1
        return found[: limit + 1]

    def terms(self, ends: Ends, column: int, after: int, weight: float, size: int) -> Sequence[int]:
        facts = [fact for fact in self._read(ends) if fact.weight > 0 and fact.weight >= weight]
        return sorted({fact.key[column] for fact in facts if fact.key[column] > after})[:size]

    def weight_at(self, ends: Ends, most: float, place: int) -> float | None:
        found = [fact.weight for fact in self._read(ends) if 0 < fact.weight <= most]
        return found[place] if place < len(found) else None

    def id_at(self, ends: Ends, weight: float, after: int, place: int) -> int | None:
        found = [fact.id for fact in self._read(ends) if fact.weight == weight and fact.id and fact.id > after]
        return found[place] if place < len(found) else None

    most_joined = 2
    scans_columns = True
    joins_in_order = True

    def joined(
        self, lookups: Sequence[Lookup], given: Sequence[Terms] | Part, least: Sequence[float], limit: int
    ) -> Sequence[JoinedRow]:
        if self.reads is not None and self.read_blocks >= self.reads:
            raise OutOfTime
        rows: Sequence[Terms] = [()] if isinstance(given, Part) else given
        found: list[tuple[Terms, JoinedRow]] = [(row, (number,)) for number, row in enumerate(rows)]
        for step, (lookup, weight) in enumerate(zip(lookups, least, strict=True)):
            found = [
                (extended, (*read, *(fact.key[column] for column in lookup.free), fact.weight, fact.id))
                for terms, read in found
                for fact in self._by_ends.get(lookup.ends(terms), [])
                if fact.weight > 0
                and fact.weight >= weight
                and (step > 0 or not isinstance(given, Part) or _is_part(fact, given))
                and (extended := lookup.extended(terms, fact.key)) is not None
            ]
            if step == 0 and isinstance(given, OfTerms):
                place = 1 + lookup.free.index(given.column)
                found.sort(key=lambda one: one[1][place])
        self.read_facts += len(found[:limit]) * len(lookups)
        self.read_blocks += 1
        return [read for _, read in found[:limit]]

    def joined_terms(
        self, lookups: Sequence[Lookup], part: OfTerms, least: Sequence[float], limit: int, wanted: Slots
    ) -> Sequence[Terms]:
        places, _ = columns_of(lookups)
        number = len(lookups)
        found: list[Terms] = []
        for row in self.joined(lookups, part, least[:number], _ALL if wanted.present else limit):
            terms = tuple([row[place] for place in places])
            if all(
                self.joined([one], [terms], [weight], 1)
                for one, weight in zip(wanted.present, least[number:], strict=True)
            ):
                found.append(tuple([terms[slot] for slot in wanted.slots]))
        return found[:limit]

    def joined_number(
        self, lookups: Sequence[Lookup], given: Sequence[Terms] | Part, least: Sequence[float], limit: int
    ) -> int:
        return len(self.joined(lookups, given, least, limit))

    def joined_groups(self, join: GroupedJoin, part: Part) -> Sequence[Sequence[Any]]:
        places, weights = columns_of(join.lookups)
        groups: dict[Terms, list[float]] = {}
        for row in self.joined(join.lookups, part, [join.least] * len(join.lookups), _ALL):
            weight = prod([row[weights[factor]] for factor in join.factors])
            if weight >= join.least_product:
                groups.setdefault(tuple([row[places[slot]] for slot in join.slots]), []).append(weight)
        return [(*terms, len(found), max(found)) for terms, found in groups.items()]

    def numbers(self, lookups: Sequence[Lookup], given: Sequence[Terms], least: float, limit: int) -> Sequence[int]:
        if self.reads is not None and self.read_blocks >= self.reads:
            raise OutOfTime
        self.read_blocks += 1
        return [sum(self._number(one.ends(terms), least, limit) for one in lookups) for terms in given]

    def size(self) -> int:
        return len(self.facts)

    def linked(
        self, subjects: Collection[int], predicate: int | None, objects: Collection[int], least: float, limit: int
    ) -> Sequence[Fact]:
        if self.reads is not None and self.read_blocks >= self.reads:
            raise OutOfTime
        self.read_blocks += 1
        found = [
            fact
            for subject in subjects
            for fact in self._by_ends.get((subject, predicate, None), [])
            if fact.key.object in objects and 0 < fact.weight >= least
        ]
        self.read_facts += len(found)
        return found[:limit]

    def _number(self, ends: Ends, least: float, limit: int) -> int:
        return min(sum(0 < fact.weight >= least for fact in self._by_ends.get(ends, [])), limit)

    def _read(self, ends: Ends) -> Sequence[Fact]:
        if self.reads is not None and self.read_blocks >= self.reads:
            raise OutOfTime
        self.read_blocks += 1
        return self._by_ends.get(ends, [])

    def number(self, ends: Ends, limit: int) -> int:
        return min(len(self._by_ends.get(ends, [])), limit)

    def texts(self, terms: Collection[int]) -> Mapping[int, str]:
        return {term: self._texts[term] for term in terms}


def facts_of(weights: Mapping[Triple, float], inferred: Collection[Triple] = ()) -> list[Fact]:
    return [
        Fact(Key(*key), weight, None if key in inferred else number)
        for number, (key, weight) in enumerate(weights.items(), start=1)
    ]


def _order(fact: Fact) -> tuple[float, bool, int, Key]:
    return -fact.weight, fact.id is None, fact.id or 0, fact.key


def _is_part(fact: Fact, part: Part) -> bool:
    match part:
        case OfTerms(column, terms):
            return fact.key[column] in terms
        case Between(most=most, above=above):
            return above < fact.weight <= most
        case OfWeight(weight=weight, after=after, last=last):
            by_id = last is None if fact.id is None else after < fact.id <= (last or fact.id)
            return fact.weight == weight and by_id
