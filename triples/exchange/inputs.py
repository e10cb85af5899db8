"""Inputs of imports: files and pipes, compressed or not."""

import errno
import gzip
import io
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

from triples.exchange.formats import Compression, Format, compression_at
from triples.exchange.lines import MAX_LINE_BYTES, InputError
from triples.exchange.xz import XZReader
from triples.visible import visible

PIPE = "-"

_LONGEST_MAGIC = 6
# The bytes that are read at once; a longer line is refused.
_BUFFER_BYTES = MAX_LINE_BYTES
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

    @property
    def shown_name(self) -> str:
        return "stdin" if self.name == PIPE else visible(self.name)

    @property
    def size(self) -> int:
        return 0 if self.file is None else self.file.size


def find_input(name: str, format_: Format) -> Input:
    """The input of this name; `-` is standard input. Raises InputError if it cannot be read."""
    if name == PIPE:
        return Input(name, format_, None)
    path = Path(name)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise InputError(f"{visible(name)}: {error.strerror}") from error
    regular = stat.S_ISREG(status.st_mode)
    return Input(name, format_, File(str(path.resolve()), status.st_size, status.st_mtime_ns) if regular else None)


@dataclass(frozen=True, slots=True)
class Opened:
    """An open input. `stream` has the decompressed content; `consumed` returns the bytes of the input read so far."""

    stream: io.BufferedReader
    consumed: Callable[[], int]


@contextmanager
def opened(source: Input) -> Iterator[Opened]:
    with ExitStack() as stack:
        if source.name == PIPE:
            raw = cast("io.BufferedReader", sys.stdin.buffer)
        else:
            raw = io.BufferedReader(stack.enter_context(io.FileIO(source.name)), _BUFFER_BYTES)
        stream = raw
        match compression_at(raw.peek(_LONGEST_MAGIC)):
            case Compression.GZIP:
                stream = _buffered(stack.enter_context(gzip.GzipFile(fileobj=raw)))
            case Compression.XZ:
                stream = _buffered(stack.enter_context(XZReader(raw)))
        yield Opened(stream, raw.tell if source.file is not None else _nothing)


def _buffered(stream: gzip.GzipFile | XZReader) -> io.BufferedReader:
    """A buffered stream, so that the decompressor's Python code does not run for each line."""
    return io.BufferedReader(cast("io.RawIOBase", stream), _DECOMPRESSED_BYTES)


def _nothing() -> int:
    return 0
