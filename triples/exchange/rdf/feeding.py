"""The input of a parser, line by line, so that it is known which line has been read."""

from io import BufferedReader

from triples.exchange.lines import DAMAGED


class LineFeed:
    """A file for a parser, which gets one line at a time. `line` is the number of the last one."""

    def __init__(self, stream: BufferedReader, line: int = 0, offset: int = 0) -> None:
        self._readline = stream.readline
        self._ended = True
        self.line = line
        self.offset = offset
        # What was wrong with the stream: the parser reports it in words of its own.
        self.damage: Exception | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            content = self._readline(size)
        except DAMAGED as error:
            self.damage = error
            raise
        self.offset += len(content)
        if self._ended and content:
            self.line += 1
        self._ended = content.endswith(b"\n")
        return content
