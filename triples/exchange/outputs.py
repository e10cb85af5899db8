"""Outputs of exports: a file, which appears when it is complete, or a pipe."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from triples.exchange.compressions import Compression, Writable

_STDOUT, _STDERR = 1, 2


@contextmanager
def output(path: Path | None, compression: Compression, member: str) -> Iterator[Writable]:
    """A stream into a file or, without a path, into standard output. `member` is the name of the file within a zip."""
    raw = _standard_output() if path is None else _file(path)
    with raw as stream, compression.write(stream, member) as compressor:
        yield compressor


@contextmanager
def _file(path: Path) -> Iterator[BinaryIO]:
    # The target of a link is replaced, not the link. A device or a named pipe is written to directly.
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
    """Standard output, for the facts only: other output, such as the log, goes to standard error meanwhile."""
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
