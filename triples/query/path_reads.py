"""The facts around the terms of one side of a search for paths, each read once."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from triples.query.blocks import Clock, Fact, TooMany
from triples.query.lookups import JoinedRow, JoiningSource, Lookup
from triples.query.path_facts import Kind, PathStep, step_of
from triples.recursion.programs import Key

# A term with more facts than this is a hub: see `triples.query.path_round`.
HUB = 100
# After so many rows, other threads get their turn.
_LONG = 1_000
# So far are the facts around a term counted.
MOST_COUNTED = 5_000


class ReadFact(NamedTuple):
    """A fact around a term: the term at its other end, its weight, and the row that was read."""

    end: int
    weight: float
    kind: Kind
    row: JoinedRow

    def step(self, term: int, *, forward: bool) -> PathStep:
        """The fact as a step between the term and its other end."""
        is_subject, predicate = self.kind
        if predicate is None:
            predicate = self.row[1 if is_subject else -3]
        key = Key(term, predicate, self.end) if is_subject else Key(self.end, predicate, term)
        return step_of(Fact(key, self.weight, self.row[-1]), is_subject=is_subject, forward=forward)


class Reads:
    """Reads facts around terms, and remembers them for the next round. TooMany beyond so many in a round."""

    def __init__(self, source: JoiningSource, kinds: Sequence[Kind], clock: Clock) -> None:
        self._source = source
        self._kinds = kinds
        self._clock = clock
        # The facts around a term, and down to what weight they are known.
        self._facts: dict[int, tuple[float, list[ReadFact]]] = {}
        self._hubs: dict[int, int] = {}

    def hubs(self, terms: Collection[int], least: float) -> Mapping[int, int]:
        """The numbers of facts of at least this weight around those that have many, or less than these."""
        unknown = [term for term in terms if term not in self._hubs and not self._knows(term, least)]
        if unknown:
            self._clock.check()
            lookups = [_around(kind) for kind in self._kinds]
            for term, number in zip(
                unknown, self._source.numbers(lookups, _rows(unknown), least, MOST_COUNTED), strict=True
            ):
                if number > HUB:
                    self._hubs[term] = number
        return {term: self._hubs[term] for term in terms if term in self._hubs and not self._knows(term, least)}

    def read(self, terms: Iterable[int], least: float, most: int) -> int:
        """Read the facts of at least this weight around the terms, where they are not known; how many."""
        unknown = [term for term in terms if not self._knows(term, least)]
        if not unknown:
            return 0
        found: dict[int, list[ReadFact]] = {term: [] for term in unknown}
        read = 0
        for kind in self._kinds:
            self._clock.check()
            rows = self._source.joined([_around(kind)], _rows(unknown), [least], most + 1)
            read += len(rows)
            if read > most:
                raise TooMany
            self._clock.keep(len(rows))
            if len(rows) > _LONG:
                self._clock.passed(len(rows))
            end = _end(kind)
            for row in rows:
                found[unknown[row[0]]].append(ReadFact(row[end], row[-2], kind, row))
        for term, facts in found.items():
            self._facts[term] = (least, facts)
        return read

    def around(self, term: int) -> Sequence[ReadFact]:
        """The facts around a term that were read."""
        return self._facts[term][1]

    def between(self, pairs: Sequence[tuple[int, int]], least: float, most: int) -> Iterator[tuple[int, ReadFact]]:
        """The facts of at least this weight from the first to the second term of any of the pairs, with the first."""
        for is_subject, predicate in self._kinds:
            self._clock.check()
            rows = self._source.joined([_lookup((is_subject, predicate), 0, 1)], pairs, [least], most + 1)
            if len(rows) > most:
                raise TooMany
            self._clock.keep(len(rows))
            for row in rows:
                term, end = pairs[row[0]]
                yield term, ReadFact(end, row[-2], (is_subject, predicate), row)

    def linked(
        self, near: Collection[int], far: Collection[int], least: float, most: int
    ) -> Iterator[tuple[int, ReadFact]]:
        """The facts of at least this weight from any of the first to any of the second terms, with the first."""
        for kind in self._kinds:
            self._clock.check()
            is_subject, predicate = kind
            subjects, objects = (near, far) if is_subject else (far, near)
            facts = self._source.linked(subjects, predicate, objects, least, most + 1)
            if len(facts) > most:
                raise TooMany
            self._clock.keep(len(facts))
            for key, weight, id_ in facts:
                term, end = (key.subject, key.object) if is_subject else (key.object, key.subject)
                yield term, ReadFact(end, weight, kind, (0, key.predicate, weight, id_))

    def through(self, term: int, far: int, least: float, most: int) -> Iterator[tuple[ReadFact, ReadFact]]:
        """The facts of at least this weight from a term to a next one, and from there to another."""
        for first in self._kinds:
            for second in self._kinds:
                self._clock.check()
                lookups = [_around(first), _lookup(second, 2, 1)]
                rows = self._source.joined(lookups, [(term, far)], [least, least], most + 1)
                if len(rows) > most:
                    raise TooMany
                self._clock.keep(len(rows))
                end, width = _end(first), 5 if first[1] is None else 4
                for row in rows:
                    one, other = row[:width], (0, *row[width:])
                    yield ReadFact(one[end], one[-2], first, one), ReadFact(far, other[-2], second, other)

    def _knows(self, term: int, least: float) -> bool:
        known = self._facts.get(term)
        return known is not None and known[0] <= least


def _rows(terms: Iterable[int]) -> list[tuple[int]]:
    return [(term,) for term in terms]


def _end(kind: Kind) -> int:
    """The column of a row with the term at the other end."""
    is_subject, predicate = kind
    return 2 if is_subject and predicate is None else 1


def _lookup(kind: Kind, near: int, far: int) -> Lookup:
    """The look-up of the facts from the term in one slot to that in another."""
    is_subject, predicate = kind
    subject, object_ = (near, far) if is_subject else (far, near)
    return Lookup((None, predicate, None), ((0, subject), (2, object_)), (), ())


def _around(kind: Kind) -> Lookup:
    """The look-up of the facts around a term."""
    is_subject, predicate = kind
    own, other = (0, 2) if is_subject else (2, 0)
    return Lookup((None, predicate, None), ((own, 0),), (other,), ())
