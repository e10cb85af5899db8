"""A join in progress: the facts and texts that it has read, and what it does with a partial answer."""

from collections.abc import Iterable, Iterator, Sequence

from triples.query.blocks import NO_TERM, Clock, Source, Stream, Streams
from triples.query.join_plan import Checks, Group, JoinPlan, Step
from triples.query.lookups import Lookup, Terms


class Join:
    def __init__(self, plan: JoinPlan, source: Source, clock: Clock) -> None:
        self.plan = plan
        self.clock = clock
        self._source = source
        self._streams = Streams(source, clock)
        self._texts: dict[int, str] = {}

    @property
    def read(self) -> int:
        """The number of facts that have been read."""
        return self._streams.read

    def has_stream(self, lookup: Lookup, terms: Terms) -> bool:
        """True if the facts that a look-up finds are being read already."""
        return self._streams.has(lookup.ends(terms))

    def read_together(self, lookup: Lookup, rows: Iterable[Terms], limit: int) -> None:
        """Read what a look-up finds for all of these partial answers; TooMany if that is more than `limit` facts."""
        self._streams.read_together((lookup.ends(terms) for terms in rows), limit)

    def greatest_weights(self) -> tuple[float, ...] | None:
        """A greatest weight for each pattern, in the order of the question; None if one has no facts."""
        greatest = [0.0] * len(self.plan.steps)
        for step in self.plan.steps:
            subject, predicate, object_ = step.lookup.constants
            stream = self._streams.of((subject, predicate, object_))
            if not stream.has(0):
                return None
            greatest[step.place] = stream.facts[0].weight
        return tuple(greatest)

    def stream(self, lookup: Lookup, terms: Terms) -> Stream:
        return self._streams.of(lookup.ends(terms))

    def extended(self, step: Step, terms: Terms, stream: Stream, index: int) -> Terms | None:
        """The partial answer with the fact at this index; None where it does not match or a filter does not hold."""
        extended = step.lookup.extended(terms, stream.facts[index].key)
        if extended is None or not step.checks.filters:
            return extended
        return extended if self.filtered(step.checks, extended, stream, index) else None

    def is_absent(self, checks: Checks, terms: Terms) -> bool:
        """True if the patterns that must not match do not."""
        return not any(True for lookup in checks.absent for _ in self._matches(lookup, terms))

    def rows(self, terms: Terms) -> Iterator[Terms]:
        """The answers that the optional groups make of one answer."""
        for row in self._joined(self.plan.optional, terms):
            if self.filtered(self.plan.checks, row) and self.is_absent(self.plan.checks, row):
                yield row

    def _joined(self, groups: Sequence[Group], terms: Terms) -> Iterator[Terms]:
        if not groups:
            yield terms
            return
        matched = False
        for row in self._group(groups[0].lookups, terms):
            matched = True
            yield from self._joined(groups[1:], row)
        if not matched:
            yield from self._joined(groups[1:], terms + (NO_TERM,) * groups[0].width)

    def _group(self, lookups: Sequence[Lookup], terms: Terms) -> Iterator[Terms]:
        if not lookups:
            yield terms
            return
        for row in self._matches(lookups[0], terms):
            yield from self._group(lookups[1:], row)

    def _matches(self, lookup: Lookup, terms: Terms) -> Iterator[Terms]:
        for fact in self.stream(lookup, terms):
            self.clock.tick()
            extended = lookup.extended(terms, fact.key)
            if extended is not None:
                yield extended

    def read_texts(self, terms: Iterable[int]) -> None:
        missing = {term for term in terms if term and term not in self._texts}
        if missing:
            self.clock.check()
            self._texts |= self._source.texts(missing)

    def filtered(self, checks: Checks, terms: Terms, stream: Stream | None = None, index: int = 0) -> bool:
        """True if the filters hold. The texts of a stream's facts from the index on are read together.

        Without a stream, call `read_texts` first to read many at once.
        """
        if checks.filters:
            # A filter may take as long as a fact.
            self.clock.tick()
        for filter_, slots in checks.filters:
            wanted = [terms[slot] for slot in slots]
            if any(term and term not in self._texts for term in wanted):
                coming = [] if stream is None else stream.facts[index:]
                self.read_texts([*wanted, *(term for fact in coming for term in fact.key)])
            texts = [self._texts.get(term) for term in wanted]
            if not filter_.holds(dict(zip(filter_.variables, texts, strict=True))):
                return False
        return True
