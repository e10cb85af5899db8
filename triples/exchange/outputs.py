"""Where facts are exported to: a file that appears only once it is complete, or a pipe."""

import gzip
import lzma
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from triples.exchange.formats import Compression

# Facts repeat so much that a low level of xz compresses them nearly as well as a high one, and far sooner.
GZIP_LEVEL, XZ_LEVEL = 6, 1

_STDOUT, _STDERR = 1, 2


class Writable(Protocol):
    def write(self, content: bytes, /) -> int: ...


@contextmanager
def output(path: Path | None, compression: Compression) -> Iterator[Writable]:
    """A stream into a file, or into standard output if there is no path."""
    raw = _standard_output() if path is None else _file(path)
    with raw as stream:
        match compression:
            case Compression.NONE:
                yield stream
            case Compression.GZIP:
                # Without name and time, so that the same facts make the same file.
                with gzip.GzipFile("", "wb", GZIP_LEVEL, stream, mtime=0) as compressor:
                    yield compressor
            case Compression.XZ:
                with lzma.LZMAFile(stream, "wb", preset=XZ_LEVEL) as compressor:
                    yield compressor


@contextmanager
def _file(path: Path) -> Iterator[BinaryIO]:
    # What a link points to is replaced, not the link; a device or a named pipe cannot be.
    path = path.resolve()
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:
            yield stream
        return
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with new.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


@contextmanager
def _standard_output() -> Iterator[BinaryIO]:
    """For the facts alone: what else is printed meanwhile, such as the log, goes to standard error."""
    sys.stdout.flush()
    kept = os.dup(_STDOUT)
    os.dup2(_STDERR, _STDOUT)
    try:
        with os.fdopen(os.dup(kept), "wb") as stream:
            yield stream
    finally:
        sys.stdout.flush()
        os.dup2(kept, _STDOUT)
        os.close(kept)
