"""A body on its way from a worker of the service to the process that imports it.

The worker writes it to the process's standard input in frames: four bytes of length, then as many bytes. An empty frame
ends the body. So a pipe that is closed without one, by whatever happens to the worker, is no end of the body.
"""

import io
from hashlib import blake2b
from typing import Any, BinaryIO, NamedTuple

END = bytes(4)
_LENGTH_BYTES = len(END)
# The part of a body by which it is recognised.
BEGINNING_BYTES = 1 << 16
_SKIPPED_AT_ONCE = 1 << 16


def framed(content: bytes) -> bytes:
    """A frame of the content, which is not empty."""
    return len(content).to_bytes(_LENGTH_BYTES, "big") + content


class BrokenOff(ConnectionResetError):
    def __init__(self) -> None:
        super().__init__("the connection broke before the end of the body")


class OtherBody(ValueError):
    """The body does not begin as the one did that is continued."""


class Beginning(NamedTuple):
    """The size and the digest of a body's first bytes."""

    size: int
    digest: str

    @classmethod
    def of(cls, content: bytes) -> "Beginning":
        return cls(len(content), blake2b(content, digest_size=16).hexdigest())

    @classmethod
    def parse(cls, text: str) -> "Beginning":
        size, _, digest = text.partition(":")
        return cls(int(size), digest)

    def __str__(self) -> str:
        return f"{self.size}:{self.digest}"


class FramedBody(io.RawIOBase):
    """The body, as it was before it was framed. Raises BrokenOff where it ends before its end."""

    def __init__(self, pipe: BinaryIO, expected: Beginning | None = None) -> None:
        """Begin to read. Raises OtherBody, and reads nothing, if the body does not begin as expected."""
        self._pipe = pipe
        self._left = 0
        self._ended = False
        self.broke = False
        self._position = 0
        self._first = bytearray()
        self._ready = b""
        if expected is not None and expected.size:
            self._check(expected)

    @property
    def beginning(self) -> Beginning:
        return Beginning.of(bytes(self._first))

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        content = self._ready[: len(view)] or self._next(len(view))
        self._ready = self._ready[len(content) :]
        view[: len(content)] = content
        self._position += len(content)
        return len(content)

    def _check(self, expected: Beginning) -> None:
        while len(self._first) < expected.size and (content := self._next(expected.size - len(self._first))):
            self._ready += content
        if self.beginning != expected:
            raise OtherBody("The body is not the one that the import began with; nothing of it was stored.")

    def _next(self, most: int) -> bytes:
        """At least one byte, and none only at the end."""
        if not self._left and not self._ended:
            self._left = int.from_bytes(self._exactly(_LENGTH_BYTES), "big")
            self._ended = not self._left
        content = self._exactly(min(most, self._left))
        self._left -= len(content)
        self._first += content[: BEGINNING_BYTES - len(self._first)]
        return content

    def _exactly(self, size: int) -> bytes:
        content = self._pipe.read(size)
        if len(content) < size:
            self.broke = True
            raise BrokenOff
        return content


class ForwardReader(io.BufferedReader):
    """A stream that goes forward only, to any byte."""

    def seekable(self) -> bool:
        return False

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence != io.SEEK_SET or offset < self.tell():
            raise io.UnsupportedOperation("a pipe cannot be read again")
        while (left := offset - self.tell()) and self.read(min(left, _SKIPPED_AT_ONCE)):
            pass
        return self.tell()
