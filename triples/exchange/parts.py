"""Reader of facts: it yields the facts of an input in parts, as large as the data read at once."""

from collections.abc import Callable, Iterator, Sequence
from io import BufferedReader
from typing import NamedTuple

from triples.exchange.facts import FactMaker
from triples.exchange.formats import Format
from triples.exchange.headers import read_beginning
from triples.exchange.lines import Refused, Span
from triples.exchange.plain import plain_facts
from triples.exchange.records import Batch, batches, tsv_batches
from triples.store.operations import Fact

# For fewer lines, columns are no faster.
FEWEST_LINES = 200


class Part(NamedTuple):
    """Consecutive facts. `end` is the place after them, at the end of line `last_line`."""

    facts: Sequence[Fact]
    last_line: int
    end: int


class Reader:
    """Reads the facts of an input, and refuses lines that hold none. `most_lines` returns the most lines of a part."""

    def __init__(
        self,
        maker: FactMaker,
        refuse: Callable[[int, Refused], None],
        most_lines: Callable[[], int],
        *,
        header: bool = True,
    ) -> None:
        """Without `header`, the first line is a fact, whatever it looks like."""
        self._maker = maker
        self._refuse = refuse
        self._most_lines = most_lines
        self._header = header

    def parts(self, stream: BufferedReader, format_: Format, number: int = 0, offset: int = 0) -> Iterator[Part]:
        """The facts after line `number`, which ends at `offset`."""
        if format_ is not Format.TSV:
            part = self._row_part if format_ is Format.CSV else self._part
            yield from map(part, batches(stream, format_, number, offset, header=self._header))
            return
        beginning = read_beginning(stream, format_, number, offset, header=self._header)
        for piece in beginning.spans(stream):
            plain = self._plain_part(piece, beginning.names) if isinstance(piece, Span) else None
            if plain is not None:
                yield plain
            else:
                yield from map(self._part, tsv_batches(piece, beginning.names))

    def _plain_part(self, span: Span, names: Sequence[str] | None) -> Part | None:
        if not FEWEST_LINES <= span.last - span.first < self._most_lines():
            return None
        facts = plain_facts(span.content, self._maker, names)
        return None if facts is None else Part(facts, span.last, span.end)

    def _part(self, batch: Batch) -> Part:
        return Part(self._maker.facts(batch.records, self._refuse), batch.last_line, batch.end)

    def _row_part(self, batch: Batch) -> Part:
        """A part of one record, which may have several lines. If it is refused, all of them are named."""
        if batch.records[0][0] == batch.last_line:
            return self._part(batch)

        def refuse(line: int, reason: Refused) -> None:
            self._refuse(line, Refused(f"{reason} (the row ends in line {batch.last_line:,})"))

        return Part(self._maker.facts(batch.records, refuse), batch.last_line, batch.end)
