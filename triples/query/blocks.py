"""Facts read in blocks, heaviest first and only as far as an answer needs them. No cursor stays open between blocks."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from time import sleep
from typing import NamedTuple, Protocol

from triples.recursion.programs import Key

# The id of no term. An unknown constant and a variable that is null have it, and it matches no fact.
NO_TERM = 0

# The terms that a fact must have; None for any term.
Ends = tuple[int | None, int | None, int | None]

FIRST_BLOCK = 16
LARGEST_BLOCK = 1024
_TICKS = 64
# Facts that a search looks at without a pause, and the seconds of one.
_SHORT = 1_000
_PAUSE = 50e-6
# Facts and partial answers that a search may keep, at some 500 bytes each. On a fast machine, time alone is no bound.
MOST_KEPT = 2_000_000


class Fact(NamedTuple):
    """A visible fact; an inferred one has no id."""

    key: Key
    weight: float
    id: int | None


class TooMany(Exception):
    """There are too many facts to read them together."""


class OutOfTime(Exception):
    """The time for an answer is over, or it needs too much memory. A source may raise it instead of answering."""


class Source(Protocol):
    """The facts of one moment: those that are visible, each once."""

    def block(self, ends: Ends, after: Fact | None, size: int) -> Sequence[Fact]:
        """Return the first facts with these ends that follow `after`; fewer than `size` when no more follow.

        They are sorted by falling weight, and within a weight in any order that stays the same.
        """

    def together(self, ends: Sequence[Ends], limit: int) -> Sequence[Fact]:
        """Return the facts with any of these ends, in any order; more than `limit` when there are more.

        All ends have their terms at the same places.
        """

    def number(self, ends: Ends, limit: int) -> int:
        """Return how many facts have these ends, those of weight 0 included; any number from the limit on for more."""

    def texts(self, terms: Collection[int]) -> Mapping[int, str]:
        """Return the texts of these terms."""


class Clock:
    """Raises OutOfTime once the time is over. Looking at the time for every single fact would cost too much.

    A search that lasts pauses now and then: a thread that computes keeps Python's lock from those that answer others.
    """

    def __init__(self, expired: Callable[[], bool]) -> None:
        self._expired = expired
        self._ticks = 0
        self._kept = 0

    def check(self) -> None:
        if self._expired():
            raise OutOfTime

    def keep(self, number: int) -> None:
        """Count what the search keeps until its end."""
        self._kept += number
        if self._kept > MOST_KEPT:
            raise OutOfTime

    def passed(self, number: int) -> None:
        """Count so many ticks at once."""
        self._ticks += number
        self.check()
        if self._ticks > _SHORT:
            sleep(_PAUSE)

    def tick(self) -> None:
        self._ticks += 1
        if self._ticks % _TICKS == 0:
            self.check()
            if self._ticks > _SHORT:
                sleep(_PAUSE)


class Stream:
    """The facts with certain ends, as far as they have been read. Facts of weight 0 are not among them."""

    def __init__(self, source: Source, ends: Ends, clock: Clock) -> None:
        self.facts: list[Fact] = []
        # An unknown term has no facts, so no statement is needed.
        self.finished = NO_TERM in ends
        self._source = source
        self._ends = ends
        self._clock = clock
        self._size = FIRST_BLOCK

    def has(self, index: int) -> bool:
        """True if there is a fact at this index; reads on if it must."""
        while index >= len(self.facts) and not self.finished:
            self.read()
        return index < len(self.facts)

    def read(self) -> None:
        """Read one more block."""
        self._clock.check()
        block = self._source.block(self._ends, self.facts[-1] if self.facts else None, self._size)
        self._clock.keep(len(block))
        self.finished = len(block) < self._size or block[-1].weight <= 0
        self.facts += block if not block or block[-1].weight > 0 else [fact for fact in block if fact.weight > 0]
        self._size = min(self._size * 2, LARGEST_BLOCK)

    def __iter__(self) -> Iterator[Fact]:
        index = 0
        while self.has(index):
            yield self.facts[index]
            index += 1


class Streams:
    """One stream for each combination of ends, so that nothing is read twice."""

    def __init__(self, source: Source, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._streams: dict[Ends, Stream] = {}

    @property
    def read(self) -> int:
        """The number of facts that have been read."""
        return sum(len(stream.facts) for stream in self._streams.values())

    def of(self, ends: Ends) -> Stream:
        stream = self._streams.get(ends)
        if stream is None:
            stream = self._streams[ends] = Stream(self._source, ends, self._clock)
        return stream

    def has(self, ends: Ends) -> bool:
        return ends in self._streams

    def read_together(self, ends: Iterable[Ends], limit: int) -> None:
        """Read whole streams by few statements; TooMany if they have more than `limit` facts."""
        missing = [one for one in dict.fromkeys(ends) if one not in self._streams and NO_TERM not in one]
        if not missing:
            return
        self._clock.check()
        found = self._source.together(missing, limit)
        if len(found) > limit:
            raise TooMany
        self._clock.keep(len(found))
        given = [place for place, term in enumerate(missing[0]) if term is not None]
        by_terms: dict[tuple[int, ...], list[Fact]] = {}
        for fact in found:
            if fact.weight > 0:
                by_terms.setdefault(tuple([fact.key[place] for place in given]), []).append(fact)
        for one in missing:
            stream = self._streams[one] = Stream(self._source, one, self._clock)
            facts = by_terms.get(tuple([one[place] or NO_TERM for place in given]), [])
            stream.facts = sorted(facts, key=_heaviest_first)
            stream.finished = True


def _heaviest_first(fact: Fact) -> tuple[float, bool, int, Key]:
    return -fact.weight, fact.id is None, fact.id or 0, fact.key
