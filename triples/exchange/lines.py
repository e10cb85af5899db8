"""Reader of lines: numbered, of bounded length, and each with the place after it, from which to continue."""

import lzma
import resource
import zlib
from collections.abc import Iterator, Sequence
from io import BufferedReader
from typing import BinaryIO, NamedTuple
from zipfile import BadZipFile

from triples.exchange.zstd import ZstdError

# Far longer than any fact. A file without line ends must not be read into memory whole.
MAX_LINE_BYTES = 1 << 20
# The most lines of a block.
MOST_LINES = 250
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

DAMAGED = (OSError, EOFError, lzma.LZMAError, zlib.error, BadZipFile, ZstdError)


class InputError(Exception):
    """An input cannot be opened, read or understood. The message says why."""


class Refused(ValueError):
    """A line holds no fact. The message continues a sentence that begins with the line's number."""


class Line(NamedTuple):
    """A line. `content` has no line end, and is None if it is too long; `end` is the place after the line."""

    number: int
    end: int
    content: bytes | None

    @property
    def text(self) -> str:
        return text_of(self.content)


class Span(NamedTuple):
    """Consecutive whole lines of a stream, from line `first` at byte `start` to line `last`, which ends at `end`."""

    first: int
    last: int
    start: int
    end: int
    content: bytes


class Block(NamedTuple):
    """Consecutive lines, from this number on, with the contents that `Line` has. `end` is the place after them."""

    first: int
    end: int
    contents: Sequence[bytes | None]


def lines(stream: BinaryIO, number: int = 0, offset: int = 0) -> Iterator[Line]:
    """The lines of a stream after line `number`, which ends at `offset`, without a byte order mark."""
    while content := _read(stream):
        number += 1
        start, offset = offset, offset + len(content)
        if content.endswith(b"\n"):
            content = content[:-2] if content.endswith(b"\r\n") else content[:-1]
        elif len(content) == MAX_LINE_BYTES:
            offset += _skip_line(stream)
            yield Line(number, offset, None)
            continue
        yield Line(number, offset, content if start else content.removeprefix(BYTE_ORDER_MARK))


def spans(stream: BufferedReader, number: int = 0, offset: int = 0) -> Iterator[Span | Line]:
    """The lines of a stream as in `lines`, but in spans as long as the stream is read ahead."""
    while True:
        size = peek(stream).rfind(b"\n") + 1
        if size:
            content = stream.read(size)
            span = Span(number + 1, number + content.count(b"\n"), offset, offset + size, content)
            number, offset = span.last, span.end
            yield span
            continue
        # A line that goes beyond the data read ahead is read by itself, up to the longest line.
        line = next(lines(stream, number, offset), None)
        if line is None:
            return
        number, offset = line[:2]
        yield line


def blocks(part: Span | Line) -> Iterator[Block]:
    """The lines of the part in blocks, which is much faster than line by line."""
    if isinstance(part, Line):
        yield Block(part.number, part.end, [part.content])
        return
    contents = part.content.split(b"\n")[:-1]
    number, offset = part.first, part.start
    for start in range(0, len(contents), MOST_LINES):
        block = contents[start : start + MOST_LINES]
        first, beginning = number, offset
        number, offset = number + len(block), offset + sum(map(len, block)) + len(block)
        if not beginning:
            block[0] = block[0].removeprefix(BYTE_ORDER_MARK)
        yield Block(first, offset, [content.removesuffix(b"\r") for content in block])


def skip_to(stream: BinaryIO, offset: int) -> None:
    """Continue at `offset`. A compressed stream has to be read up to there."""
    try:
        stream.seek(offset)
    except DAMAGED as error:
        raise unreadable(error) from error


def peek(stream: BufferedReader) -> bytes:
    """The bytes read ahead; at least one, except at the end."""
    try:
        return stream.peek()
    except DAMAGED as error:
        raise unreadable(error) from error


def text_of(content: bytes | None) -> str:
    if content is None:
        raise Refused(f"is longer than {MAX_LINE_BYTES:,} bytes")
    return decoded(content)


def decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Refused(f"is not UTF-8 at byte {error.start + 1}") from None


def _skip_line(stream: BinaryIO) -> int:
    """Skip the rest of a line. Returns the number of bytes."""
    skipped = 0
    while content := _read(stream):
        skipped += len(content)
        if content.endswith(b"\n"):
            break
    return skipped


def _read(stream: BinaryIO) -> bytes:
    try:
        return stream.readline(MAX_LINE_BYTES)
    except DAMAGED as error:
        raise unreadable(error) from error


def unreadable(error: Exception) -> InputError:
    if isinstance(error, MemoryError):
        # Those of Arrow, too.
        most, _ = resource.getrlimit(resource.RLIMIT_DATA)
        if most == resource.RLIM_INFINITY:
            return InputError("needs more memory than there is")
        return InputError(f"needs more than {most >> 20:,} MiB of memory (SKG_IMPORT_MEMORY)")
    return InputError(f"cannot be read on: {error}")
