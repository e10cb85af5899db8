"""The beginning of an input: its encoding, and whether its first line names the columns."""

from collections.abc import Callable, Iterator, Sequence
from io import BufferedReader, BytesIO
from itertools import chain, islice
from typing import BinaryIO, NamedTuple

from triples.exchange.encodings import foreign_encoding
from triples.exchange.fields import NAMES, REQUIRED
from triples.exchange.graphs.neo4j import looks_like_neo4j
from triples.exchange.lines import Line, Refused, Span, lines, peek, skip_to, spans
from triples.exchange.samples import MOST_ROWS, is_number, reason_for_header
from triples.exchange.tables import (
    PLAIN_TABLE,
    BadBeginning,
    Layout,
    TableOptions,
    layout_by_number,
    layout_of,
    listed,
    shown,
)

SUBJECT, PREDICATE, OBJECT, WEIGHT, METADATA = range(len(NAMES))

# Other programs' names of the five columns, in the form that `_plain` returns.
_ELSEWHERE: dict[int, str] = {
    SUBJECT: "subject subj source src from head start startid startnode sourcenode node1 entity1 subjectid sourceid",
    PREDICATE: "predicate pred relation relationship relationtype rel property type edge edgetype predicateid",
    OBJECT: "object obj target dst dest to tail end endid endnode targetnode node2 entity2 value objectid targetid",
    WEIGHT: "weight weights score confidence probability strength certainty",
    METADATA: "metadata meta properties attributes attrs",
}
_PLACES = {name: place for place, names in _ELSEWHERE.items() for name in names.split()}
# These names are also ordinary predicates, so they prove nothing in a row with an ordinary term.
_WEAK = {"type"}


class Beginning(NamedTuple):
    """The layout of the columns, if a header or the command line gives it, and the place where the facts begin."""

    layout: Layout | None
    # A line that was read to look for a header, and is none.
    first: Line | None
    number: int
    offset: int

    def lines(self, stream: BufferedReader) -> Iterator[Line]:
        """All lines of the stream that may hold facts."""
        return chain(self._read, lines(stream, self.number, self.offset))

    @property
    def names(self) -> Sequence[str] | None:
        """The fields in the order of the columns, if each column is one."""
        return None if self.layout is None else self.layout.names

    def spans(self, stream: BufferedReader) -> Iterator[Span | Line]:
        """All lines of the stream that may hold facts, in spans as long as the stream is read ahead."""
        return chain(self._read, spans(stream, self.number, self.offset))

    @property
    def _read(self) -> list[Line]:
        return [] if self.first is None else [self.first]


def read_beginning(
    stream: BufferedReader,
    cells: Callable[[str], Sequence[str]],
    number: int = 0,
    offset: int = 0,
    *,
    header: bool = True,
    table: TableOptions = PLAIN_TABLE,
) -> Beginning:
    """Read the first line of a stream, then skip to the end of line `number`, at `offset`.

    `cells` splits a line; it returns none for a format without columns. Raises BadBeginning. Without `header`, the
    first line is a fact, whatever it looks like.
    """
    ahead = peek(stream)
    first = _first_line(BytesIO(ahead))
    # A pipe may not have sent a whole line yet.
    taken = first is None or first.end == len(ahead)
    if taken:
        first = _first_line(stream)
    if first is None:
        return Beginning(None, None, number, offset)
    if encoding := foreign_encoding(first.content or b""):
        raise BadBeginning(f"the text is {encoding}, not UTF-8; `iconv -f {encoding} -t UTF-8` makes UTF-8 of it")
    row = _cells(first, cells)
    layout = _layout(row, header=header, table=table) if row else None
    if layout is None and row and header and (reason := reason_for_header([row, *_next_rows(ahead, first, cells)])):
        raise _unknown_names(row, f" ({reason})")
    if offset:
        skip_to(stream, offset)
        return Beginning(layout, None, number, offset)
    if layout is None or not header:
        return Beginning(layout, first, first.number, first.end) if taken else Beginning(layout, None, 0, 0)
    if not taken:
        stream.read(first.end)
    return Beginning(layout, None, first.number, first.end)


def _layout(row: Sequence[str], *, header: bool, table: TableOptions) -> Layout | None:
    if table.says_columns:
        return layout_of(row, table) if header else layout_by_number(len(row), table)
    if not header:
        return None
    if looks_like_neo4j(row):
        raise BadBeginning(f"the first line is a header of Neo4j's CSV ({listed(row)}): give --format 'neo4j'")
    if not looks_like_names(row):
        return None
    if not set(REQUIRED) <= {cell.strip().lower() for cell in row}:
        raise _unknown_names(row)
    return layout_of(row, table)


def _unknown_names(row: Sequence[str], reason: str = "") -> BadBeginning:
    return BadBeginning(
        f"the first line looks like a header with the columns {listed(row)}{reason}; a header "
        f"names {', '.join(REQUIRED)}, and if wanted weight and metadata. Say which column is which, such as "
        f"--columns '{_suggestion(row)}'; or give --no-header if this line is a fact"
    )


def _suggestion(row: Sequence[str]) -> str:
    """A mapping of the columns, of which each is the likeliest for its field."""
    places = [_PLACES.get(word) for word in map(_word, row)]
    found = {place: shown(cell) for place, cell in reversed(list(zip(places, row, strict=True))) if place is not None}
    rest = [shown(cell) for place, cell in zip(places, row, strict=True) if place is None]
    for place in range(len(REQUIRED)):
        if place not in found:
            found[place] = rest.pop(0) if rest else "COLUMN"
    return ",".join(f"{NAMES[place]}={found[place]}" for place in sorted(found))


def _next_rows(ahead: bytes, first: Line, cells: Callable[[str], Sequence[str]]) -> list[Sequence[str]]:
    """The rows after the first line, as far as they have been read ahead."""
    whole = ahead[first.end : ahead.rfind(b"\n") + 1]
    return [row for line in islice(lines(BytesIO(whole)), MOST_ROWS) if (row := _cells(line, cells))]


def looks_like_names(cells: Sequence[str]) -> bool:
    """True if a row has names of columns and is not a fact.

    Any single word can be a term, so one name alone proves nothing.
    """
    if any(map(is_number, cells)):
        return False
    if set(REQUIRED) <= {cell.strip().lower() for cell in cells}:
        return True
    words = list(map(_word, cells))
    found = [_PLACES.get(word) for word in words]
    if found[WEIGHT : METADATA + 1] and (found[WEIGHT] == WEIGHT or found[METADATA:] == [METADATA]):
        # A fact has no words in these places.
        return True
    if None not in found and len(set(found)) > 1:
        return True
    in_place = {place for place, column in enumerate(found) if column == place and words[place] not in _WEAK}
    return PREDICATE in in_place and not in_place.isdisjoint({SUBJECT, OBJECT})


def _first_line(stream: BinaryIO) -> Line | None:
    return next((line for line in lines(stream) if line.content != b""), None)


def _cells(line: Line, cells: Callable[[str], Sequence[str]]) -> Sequence[str]:
    try:
        return cells(line.text)
    except Refused:
        return []


def _word(cell: str) -> str:
    return "".join(filter(str.isalnum, cell)).lower()
