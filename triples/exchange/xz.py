"""Reader of an xz file with all of its streams and the padding between them (.xz format, 2.1, 2.2)."""

import io
import lzma
from typing import Any, BinaryIO

_MAGIC = b"\xfd7zXZ\x00"
# Stream padding is zero bytes, and as many as are a multiple of this.
_PADDING_UNIT = 4
_READ_BYTES = 1 << 16
# As much as any preset of xz needs to be read, several times over; a file may ask for 4 GiB.
_MOST_MEMORY = 1 << 29


class XZReader(io.RawIOBase):
    """Python's own reader ends where no stream follows at once, without a word of what it leaves unread.

    This one raises LZMAError on anything that is neither a stream nor padding, and EOFError where a stream is cut off.
    """

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._begin()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._raw.seekable()

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        content = self._content(len(view))
        view[: len(content)] = content
        self._position += len(content)
        return len(content)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a byte of the content: from the beginning again where it has been read already."""
        if whence == io.SEEK_CUR:
            offset += self._position
        elif whence != io.SEEK_SET:
            raise io.UnsupportedOperation("the end of the content is not known")
        if offset < self._position:
            self._raw.seek(0)
            self._begin()
        while self._position < offset and self.read(min(offset - self._position, _READ_BYTES)):
            pass
        return self._position

    def tell(self) -> int:
        return self._position

    def _begin(self) -> None:
        self._decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, _MOST_MEMORY)
        # Compressed bytes that were read and not yet given to the decompressor.
        self._compressed = b""
        self._position = 0

    def _content(self, size: int) -> bytes:
        """At least one byte, and none only at the end."""
        while True:
            if self._decompressor.eof and not self._find_stream():
                return b""
            if self._decompressor.needs_input and not self._compressed:
                self._compressed = self._raw.read(_READ_BYTES)
                if not self._compressed:
                    raise EOFError("the file ends within an xz stream")
            compressed, self._compressed = self._compressed, b""
            if content := self._decompressor.decompress(compressed, size):
                return content

    def _find_stream(self) -> bool:
        """Pass over padding to the next stream; whether there is one."""
        rest, passed = self._decompressor.unused_data, 0
        while True:
            following = rest.lstrip(b"\0")
            passed += len(rest) - len(following)
            if following:
                break
            rest = self._raw.read(_READ_BYTES)
            if not rest:
                break
        if passed % _PADDING_UNIT or not _MAGIC.startswith(following[: len(_MAGIC)]):
            raise lzma.LZMAError("an xz stream is followed by what is neither another stream nor padding")
        if following:
            self._decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, _MOST_MEMORY)
            self._compressed = following
        return bool(following)
