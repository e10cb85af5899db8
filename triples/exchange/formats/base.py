"""The type of a file format: its names, its reader and its writer.

A module of this package that has a `Format` as `FORMAT` adds a format; nothing else has to name it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BufferedReader
from typing import ClassVar, NamedTuple

from triples.exchange.compressions import Writable
from triples.exchange.facts import FactMaker
from triples.exchange.graphs.nodes import Nodes
from triples.exchange.lines import Refused
from triples.exchange.rdf.options import PLAIN_RDF, PrefixStore, RdfOptions
from triples.exchange.rdf.writing import RdfWriting
from triples.exchange.tables import PLAIN_TABLE, TableOptions
from triples.query.export import StreamedFact
from triples.store.operations import Fact


class Part(NamedTuple):
    """Consecutive facts. `end` is the place after them, at the end of line `last_line`."""

    facts: Sequence[Fact]
    last_line: int
    end: int


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """The options of the command line about the files."""

    # If False, the first line of a table is a fact, whatever it looks like.
    header: bool = True
    table: TableOptions = PLAIN_TABLE
    rdf: RdfOptions = PLAIN_RDF


AS_IS = ReadOptions()


@dataclass(frozen=True, slots=True)
class Reading:
    """A reader of facts. `refuse` is called for a line that holds none; `most_lines` returns the most of a part."""

    maker: FactMaker
    refuse: Callable[[int, Refused], None]
    most_lines: Callable[[], int]
    options: ReadOptions = AS_IS
    prefixes: PrefixStore = field(default_factory=PrefixStore)
    # What all files of the import tell of nodes.
    nodes: Nodes = field(default_factory=Nodes)


@dataclass(frozen=True, slots=True)
class Writing:
    """A writer of facts."""

    # No spreadsheet takes a term for a formula.
    safe_csv: bool = False
    # Further columns: of `EXTRAS`.
    extras: tuple[str, ...] = ()
    rdf: RdfWriting = field(default_factory=RdfWriting)


PLAIN = Writing()


class Unwritable(Exception):
    """The format cannot carry a fact, or what the command line asks for. The message says why."""


Batches = Iterable[Sequence[StreamedFact]]


class Format(ABC):
    name: ClassVar[str]
    title: ClassVar[str]
    endings: ClassVar[tuple[str, ...]]
    media_type: ClassVar[str]
    # Its columns may be any, and have names.
    is_table: ClassVar[bool] = False
    # A fact that is stated several times has the greatest of its weights; else the first, as a fact that exists.
    keeps_greatest: ClassVar[bool] = False

    # The format whose endings its files have, too; their first bytes tell which it is.
    kind_of: ClassVar[str | None] = None
    # Its files are about the nodes of others, so that all of them are looked through first.
    shares_nodes: ClassVar[bool] = False
    # It can be read as it comes, and from any place on without what stands before it, but for its first lines.
    is_streamed: ClassVar[bool] = False
    # An export is a zip already.
    is_archive: ClassVar[bool] = False

    def __repr__(self) -> str:
        return self.name

    def begins(self, _beginning: bytes, /) -> bool:
        """True if a file with these first bytes can only be of this format."""
        return False

    def check(self, _stream: BufferedReader, _options: ReadOptions, /) -> None:  # noqa: B027  # most need none
        """Raise BadBeginning if the beginning shows that the rest would be misread."""

    def prepare(self, _stream: BufferedReader, _nodes: Nodes, /) -> None:  # noqa: B027  # most need none
        """Note what a file tells that is needed for reading others."""

    @abstractmethod
    def parts(self, stream: BufferedReader, reading: Reading, number: int = 0, offset: int = 0) -> Iterator[Part]:
        """The facts after line `number`, which ends at `offset`."""

    @abstractmethod
    def write(self, batches: Batches, file: Writable, writing: Writing = PLAIN) -> None:
        """Write these facts. An import of the file makes the same facts, as far as the format can carry them."""
