"""The beginning of an input: its encoding, and whether its first line names the columns."""

from collections.abc import Callable, Iterator, Sequence
from io import BufferedReader, BytesIO
from itertools import chain
from textwrap import shorten
from typing import BinaryIO, NamedTuple

from triples.exchange.encodings import foreign_encoding
from triples.exchange.fields import NAMES, REQUIRED
from triples.exchange.lines import InputError, Line, Refused, Span, lines, peek, skip_to, spans
from triples.visible import visible

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


class BadBeginning(InputError):
    """The beginning of an input shows that it would be misread. Nothing of it is stored."""


class Beginning(NamedTuple):
    """The names of the columns, if a header gives them, and the place where the facts begin."""

    names: Sequence[str] | None
    # A line that was read to look for a header, and is none.
    first: Line | None
    number: int
    offset: int

    def lines(self, stream: BufferedReader) -> Iterator[Line]:
        """All lines of the stream that may hold facts."""
        return chain(self._read, lines(stream, self.number, self.offset))

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
) -> Beginning:
    """Read the first line of a stream, then skip to the end of line `number`, at `offset`.

    `cells` splits the first line; it returns none for a format without headers. Raises BadBeginning. Without `header`,
    the first line is a fact, whatever it looks like.
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
    names = header_names(_cells(first, cells)) if header else None
    if offset:
        skip_to(stream, offset)
        return Beginning(names, None, number, offset)
    if names is None:
        return Beginning(None, first, first.number, first.end) if taken else Beginning(None, None, 0, 0)
    if not taken:
        stream.read(first.end)
    return Beginning(names, None, first.number, first.end)


def header_names(cells: Sequence[str]) -> list[str] | None:
    """The names of the columns, if the first row of a file gives them. Raises BadBeginning for unknown names."""
    if not looks_like_names(cells):
        return None
    names = [cell.strip().lower() for cell in cells]
    if not set(REQUIRED) <= set(names):
        raise BadBeginning(
            f"the first line looks like a header with the columns {', '.join(map(_shown, cells))}; a header "
            f"names {', '.join(REQUIRED)}, and if wanted weight and metadata. Rename the columns, "
            "or give --no-header if this line is a fact"
        )
    if unknown := [name for name in names if name not in NAMES]:
        raise BadBeginning(f"the header names the unknown column {_shown(unknown[0])!r}; known are {', '.join(NAMES)}")
    if len(set(names)) < len(names):
        raise BadBeginning("the header names a column twice")
    return names


def looks_like_names(cells: Sequence[str]) -> bool:
    """Whether a row has names of columns and is not a fact.

    Any single word can be a term, so one name alone proves nothing.
    """
    if any(map(_is_number, cells)):
        return False
    if set(REQUIRED) <= {cell.strip().lower() for cell in cells}:
        return True
    words = ["".join(filter(str.isalnum, cell)).lower() for cell in cells]
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


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _shown(cell: str) -> str:
    return visible(shorten(cell.strip(), 60))
