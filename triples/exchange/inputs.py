"""Inputs of imports: files and pipes, compressed or not."""

import errno
import io
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

from triples.exchange.compressions import LONGEST_BEGINNING, NONE, ZIP, compression_at, members
from triples.exchange.formats.base import Format
from triples.exchange.formats.registry import ENDINGS, format_at, format_of, has_kinds, kind_of
from triples.exchange.framed_body import ForwardReader
from triples.exchange.lines import DAMAGED, MAX_LINE_BYTES, InputError, unreadable
from triples.visible import visible

PIPE = "-"

# The bytes that are read at once; a longer line is refused.
_BUFFER_BYTES = MAX_LINE_BYTES
# The first bytes that may show the format.
_LOOKED_AT = 1 << 12
_LONGEST_SHOWN = 200
# So many files of a zip without any data are named.
_NAMED = 5
_NO_ENDING = f"the name does not end in {', '.join(ENDINGS)}; give --format"
_PASSED_OVER = "passed over, since neither its name nor its content shows the format of data"
# If the content is damaged, less than this is lost before the damage.
_DECOMPRESSED_BYTES = 1 << 18


class File(NamedTuple):
    """The identity of a file's content: its path, its size, and the time of its last change."""

    path: str
    size: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class Input:
    """An input. `name` is that of the command line; `file` is None for a pipe, which can be read only once."""

    name: str
    format: Format
    file: File | None
    # The file in a zip.
    member: str | None = None
    # What is read, if it is neither a file nor standard input; the name is the one that is shown.
    pipe: ForwardReader | None = None
    # What is shown in place of the name.
    label: str | None = None

    @property
    def shown_name(self) -> str:
        return "stdin" if self.name == PIPE else shown_name(self.label or self.name, self.member)

    @property
    def size(self) -> int:
        return 0 if self.file is None else self.file.size


def shown_name(name: str, member: str | None) -> str:
    """The name of a file, or of one in a zip."""
    if member is None:
        return visible(name)
    # The reports of refused lines repeat it, and a name in a zip can be as long as a page.
    return visible(f"{name}/{member[:_LONGEST_SHOWN]}{'…' if len(member) > _LONGEST_SHOWN else ''}")


class UnknownFormat(InputError):
    """Neither the name of a file nor its content shows its format."""


class Found(NamedTuple):
    """The inputs that a name stands for. The sentences tell which files of a zip are no data beside others that are."""

    inputs: list[Input]
    passed_over: Sequence[str] = ()


def find_inputs(name: str, chosen: Format | None, label: str | None = None) -> Found:
    """The inputs of this name: one, or each file of a zip; `-` is standard input.

    The format is the chosen one or, without a choice, that of the name, or that of the first bytes. A label is told in
    place of the name, and shows the format instead of it. Raises InputError.
    """
    if name == PIPE:
        return Found([Input(name, _known(name, chosen), None)])
    path = Path(name)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise InputError(f"{visible(label or name)}: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode):
        return Found([Input(name, _known(name, chosen or format_of(name)), None)])
    file = File(str(path.resolve()), status.st_size, status.st_mtime_ns)
    own = label or name
    names = _members(path, own)
    if names is None:
        return Found([Input(name, _known(own, chosen or _format(name, None, format_of(own))), file, label=label)])
    formats = {member: chosen or found for member, found in _formats_in_zip(name, names, format_of(own)).items()}
    inputs = [Input(name, found, file, member, label=label) for member, found in formats.items() if found is not None]
    others = [shown_name(own, member) for member, found in formats.items() if found is None]
    if not inputs:
        raise UnknownFormat(f"{', '.join(others[:_NAMED])}{' …' if len(others) > _NAMED else ''}: {_NO_ENDING}")
    return Found(inputs, [f"{other}: {_PASSED_OVER}" for other in others])


def _formats_in_zip(name: str, members: Sequence[str], own: Format | None) -> dict[str, Format | None]:
    """The format of each file; None for what is no data. The zip's own name tells it where theirs tell none."""
    named = {member: format_of(member) for member in members}
    if own is not None and not any(named.values()):
        named = dict.fromkeys(members, own)
    found: dict[str, Format | None] = {}
    for member, format_ in named.items():
        with suppress(InputError):
            found[member] = None
            found[member] = _format(name, member, format_)
    return found


def _members(path: Path, shown: str) -> Sequence[str] | None:
    """The files in a zip; None if it is no zip."""
    with path.open("rb") as raw:
        if compression_at(raw.read(LONGEST_BEGINNING)) is not ZIP:
            return None
        raw.seek(0)
        try:
            return members(raw)
        except InputError as error:
            raise InputError(f"{visible(shown)}: {error}") from error


def _format(name: str, member: str | None, named: Format | None) -> Format | None:
    """The format that a name shows or, if it shows none or one of several kinds, the content."""
    if named is not None and not has_kinds(named):
        return named
    try:
        with _content(name, member) as (_, content):
            beginning = content.peek()[:_LOOKED_AT]
    except (InputError, *DAMAGED) as error:
        if named is None:
            raise error if isinstance(error, InputError) else unreadable(error) from error
        # It is reported when the import comes to it.
        return named
    return format_at(beginning) if named is None else kind_of(named, beginning)


def _known(name: str, found: Format | None) -> Format:
    if found is None:
        raise UnknownFormat(f"{visible(name)}: {_NO_ENDING}")
    return found


@dataclass(frozen=True, slots=True)
class Opened:
    """An open input. `stream` has the decompressed content; `consumed` returns the bytes of the input read so far."""

    stream: io.BufferedReader
    consumed: Callable[[], int]


@contextmanager
def opened(source: Input) -> Iterator[Opened]:
    """The input. Damage raises InputError wherever in the `with` it is met: not every reader of a format knows it."""
    try:
        with _content(source.name, source.member, source.pipe) as (raw, stream):
            yield Opened(stream, raw.tell if source.file is not None else _nothing)
    except DAMAGED as error:
        raise unreadable(error) from error


@contextmanager
def _content(
    name: str, member: str | None, pipe: ForwardReader | None = None
) -> Iterator[tuple[io.BufferedReader, io.BufferedReader]]:
    """The file, and its decompressed content."""
    with ExitStack() as stack:
        if pipe is not None:
            raw: io.BufferedReader = pipe
        elif name == PIPE:
            raw = cast("io.BufferedReader", sys.stdin.buffer)
        else:
            raw = io.BufferedReader(stack.enter_context(io.FileIO(name)), _BUFFER_BYTES)
        compression = compression_at(raw.peek(LONGEST_BEGINNING))
        stream = raw
        if compression is not NONE:
            content = stack.enter_context(compression.read(raw, member))
            # Buffered, so that the decompressor's Python code does not run for each line.
            reader = io.BufferedReader if pipe is None else ForwardReader
            stream = reader(cast("io.RawIOBase", content), _DECOMPRESSED_BYTES)
        yield raw, stream


def _nothing() -> int:
    return 0


def format_names(formats: Iterable[Format]) -> str:
    """The names of the formats, each once."""
    return ", ".join(dict.fromkeys(each.name for each in formats))
