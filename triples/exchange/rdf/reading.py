"""Reader of a file of RDF: its facts in parts, with what is said of them."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from pyoxigraph import BlankNode, DefaultGraph, Quad, RdfFormat

from triples.exchange.formats.base import Part, Reading
from triples.exchange.lines import Refused
from triples.exchange.rdf.annotated import Annotations, facts_first
from triples.exchange.rdf.blank_nodes import BlankNodes
from triples.exchange.rdf.feeding import LineFeed
from triples.exchange.rdf.gathering import Gathering
from triples.exchange.rdf.options import GRAPH
from triples.exchange.rdf.quads import Quads
from triples.exchange.rdf.scanning import Content
from triples.exchange.rdf.scattered import Apart, Said
from triples.exchange.rdf.terms import TermTexts
from triples.store.operations import Fact

# The most facts of a part.
MOST_FACTS = 50_000
# The most facts of one line by which a part may be longer.
_MOST_OF_LINE = 100
# Where a fault is one of its line. The others may be one line as a whole.
_OF_LINES = (RdfFormat.N_TRIPLES, RdfFormat.N_QUADS, RdfFormat.TURTLE, RdfFormat.TRIG)


def texts_of_file(reading: Reading, content: Content, prefixes: Mapping[str, str], *, numbered: bool) -> TermTexts:
    """The texts of the terms of a file with these prefixes.

    If `numbered`, the blank nodes without a label are known by their order in the file.
    """
    return TermTexts(reading.prefixes.adopt(prefixes), BlankNodes(lambda: content.digest, numbered=numbered))


class RdfReader:
    """Reads the quads of a feed. `start` of them were stored by an earlier import, and are passed over."""

    def __init__(
        self, feed: LineFeed, syntax: RdfFormat, content: Content, reading: Reading, *, start: int = 0, numbered: bool
    ) -> None:
        self._feed = feed
        self._start = start
        # How many quads have been taken; in a file that says anything anywhere, how many facts.
        self.count = 0
        self._reading = reading
        self._options = reading.options.rdf
        # The most facts of the part; 0 until it begins. Faults after a part that is full belong to the next.
        self._most = 0
        self._ahead: list[tuple[int, Refused]] = []
        self._unread_lines: set[int] = set()
        self._drops_lines = syntax in _OF_LINES
        quads = self._source = Quads(feed, syntax, self._refuse_line, self._options.base)
        iterator = iter(quads)
        # The prefixes stand before the first quad.
        first = next(iterator, None)
        self._quads: Iterator[Quad] = iterator if first is None else chain([first], iterator)
        self._texts = texts_of_file(reading, content, quads.prefixes, numbered=numbered)
        self._facts = Gathering(reading.maker, self._texts, self._refuse, self._unread_lines)
        self._begin_part()

    def check_end(self) -> None:
        """Raise InputError if the parser has left a part of the file unread. For when all parts have been taken."""
        if self._source.fault is not None:
            raise self._source.fault

    def lines(self) -> Iterator[Part]:
        """The parts of a file in which each line is a fact of which nothing is said. Their ends are places of bytes."""
        feed = self._feed
        line, offset = feed.line, feed.offset
        for quad in self._quads:
            if self._is_full(line):
                yield Part(self._facts_until(line), line, offset)
                self._begin_part()
            line, offset = feed.line, feed.offset
            self._add(quad, line)
        yield Part(self._facts_until(line), feed.line, feed.offset)
        self._begin_part()

    def plain(self) -> Iterator[Part]:
        """The parts of a file that says nothing of its facts. Their ends, and those below, are numbers of quads."""
        feed, line = self._feed, 0
        for quad in self._quads:
            if self._is_full(line) or self.count == self._start > 0:
                yield from self._taken(line)
            self.count += 1
            line = feed.line
            self._add(quad, line)
        yield from self._taken(line)

    def annotated(self) -> Iterator[Part]:
        """The parts of a file of Turtle that says of a fact what it says right after it."""
        annotations = Annotations(self._facts, self._reading.maker, self._options)
        take, line = annotations.take, 0
        for quad, place in facts_first((quad, self._feed.line) for quad in self._quads):
            # What is said of a fact has a blank node as its subject, so it is in the part of the fact.
            is_full = self._is_full(line) and not isinstance(quad.subject, BlankNode)
            if is_full or self.count == self._start > 0:
                yield from self._taken(line)
                annotations.begin()
            self.count += 1
            line = place
            take(quad, line)
        yield from self._taken(line)

    def apart(self) -> Iterator[Part]:
        """The parts of a file that may say anything of a fact anywhere."""
        with Apart(self._quads, self._feed, self._reading.maker, self._texts, self._options) as apart:
            line = 0
            for said in apart.facts():
                self.count += 1
                line = said.line
                self._add_said(said)
                if len(self._facts) >= self._most or self.count == self._start:
                    yield from self._taken(line)
            yield from self._taken(line)

    def _begin_part(self) -> None:
        self._most = min(MOST_FACTS, self._reading.most_lines())
        self._refuse_ahead()

    def _refuse_ahead(self) -> None:
        for line, reason in self._ahead:
            self._reading.refuse(line, reason)
        self._ahead.clear()

    def _is_full(self, line: int) -> bool:
        """True if the part ends after its last fact, which is in this line.

        A part has the facts of whole lines, since a fault later in a line refuses all of it. Very long ones are broken.
        """
        room = self._most - len(self._facts)
        return room <= 0 and (self._feed.line > line or not self._drops_lines or room <= -_MOST_OF_LINE)

    def _facts_until(self, line: int) -> Sequence[Fact]:
        """The facts of the part. The last is in this line."""
        facts = self._facts.taken()
        self._unread_lines.difference_update([each for each in self._unread_lines if each < line])
        return facts

    def _taken(self, line: int) -> Iterator[Part]:
        facts = self._facts_until(line)
        if self.count > self._start or not self._start:
            yield Part(facts, line, self.count)
        self._begin_part()

    def _refuse(self, line: int, reason: Refused) -> None:
        if self.count > self._start or not self._start:
            self._reading.refuse(line, reason)

    def _refuse_line(self, line: int, reason: Refused) -> None:
        """Refuse what cannot be read. What the parser makes of the rest of the line is no fact of the file."""
        if self._drops_lines:
            self._unread_lines.add(line)
        if self.count >= self._start:
            self._ahead.append((line, reason))
        if self._most and len(self._facts) < self._most:
            self._refuse_ahead()

    def _add_said(self, said: Said) -> None:
        place = self._add(said.quad, said.line, is_named=said.is_named)
        if said.fault is not None:
            self._facts.fault(place, Refused(said.fault))
        if said.weight is not None:
            self._facts.weigh(place, said.weight)
        if said.metadata is not None:
            self._facts.describe(place, said.metadata)

    def _add(self, quad: Quad, line: int, *, is_named: bool = False) -> int:
        """Add the fact of a quad. `is_named` tells that the name of its graph is but a name of the fact."""
        subject, predicate, object_, graph = quad
        place = self._facts.add(subject, predicate, object_, line)
        if not isinstance(graph, DefaultGraph) and not is_named:
            if self._options.refuses_graphs:
                self._facts.fault(place, Refused(f"is in the named graph {self._texts.text(graph)}"))
            self._facts.say(place, GRAPH, self._texts.text(graph))
        return place
