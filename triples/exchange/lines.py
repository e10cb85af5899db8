"""Bytes as lines: numbered, of bounded length, and with the place to go on from behind each."""

import lzma
import zlib
from collections.abc import Iterator, Sequence
from io import BufferedReader
from typing import BinaryIO, NamedTuple

# Far more than the longest fact needs; a file without line ends must not be read into memory whole.
MAX_LINE_BYTES = 1 << 20
# In a block.
MOST_LINES = 250
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_DAMAGED = (OSError, EOFError, lzma.LZMAError, zlib.error)


class InputError(Exception):
    """An input cannot be opened, read on or understood as a whole; the message says why."""


class Refused(ValueError):
    """Why a line holds no fact; the message goes on where the line's number ends."""


class Line(NamedTuple):
    """`content` is without its line end, and None where it is too long; `end` is the place behind the line."""

    number: int
    end: int
    content: bytes | None

    @property
    def text(self) -> str:
        return text_of(self.content)


class Span(NamedTuple):
    """Whole lines as they stand in a stream, from line `first` at byte `start` to line `last` and byte `end`."""

    first: int
    last: int
    start: int
    end: int
    content: bytes


class Block(NamedTuple):
    """Lines that follow on each other, from this number on, as `Line` has them; `end` is the place behind them."""

    first: int
    end: int
    contents: Sequence[bytes | None]


def lines(stream: BinaryIO, number: int = 0, offset: int = 0) -> Iterator[Line]:
    """The lines of a stream that was read up to the end of line `number` at `offset`, without its byte order mark."""
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
    """The lines of a stream as `lines` has them, but together as far as the stream was read ahead."""
    while True:
        size = peek(stream).rfind(b"\n") + 1
        if size:
            content = stream.read(size)
            span = Span(number + 1, number + content.count(b"\n"), offset, offset + size, content)
            number, offset = span.last, span.end
            yield span
            continue
        # The line that goes on where the stream was not read ahead is taken by itself, and bounded there.
        line = next(lines(stream, number, offset), None)
        if line is None:
            return
        number, offset = line[:2]
        yield line


def blocks(part: Span | Line) -> Iterator[Block]:
    """The lines of it, some at a time, which takes a fraction of the work of one by one."""
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
    """Go on at `offset`; a compressed stream has to be read up to there."""
    try:
        stream.seek(offset)
    except _DAMAGED as error:
        raise _unreadable(error) from error


def peek(stream: BufferedReader) -> bytes:
    """What was read ahead, or at least one byte; none only at the end."""
    try:
        return stream.peek()
    except _DAMAGED as error:
        raise _unreadable(error) from error


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
    """Leave out the rest of a line; how many bytes that was."""
    skipped = 0
    while content := _read(stream):
        skipped += len(content)
        if content.endswith(b"\n"):
            break
    return skipped


def _read(stream: BinaryIO) -> bytes:
    try:
        return stream.readline(MAX_LINE_BYTES)
    except _DAMAGED as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> InputError:
    return InputError(f"cannot be read on: {error}")
