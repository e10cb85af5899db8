"""A check that texts are distinct, even if they do not fit into memory: their hashes are kept in files.

Texts that differ can only be taken for the same, which is as unlikely as two equal random numbers of 64 bits.
"""

from array import array
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

_AT_ONCE = 1 << 20


class Hashes:
    """Hashes of texts, in a temporary file."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._count = 0

    def __enter__(self) -> Self:
        self._file = self._stack.enter_context(TemporaryFile())
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __len__(self) -> int:
        return self._count

    def add(self, texts: Iterable[str]) -> None:
        hashes = array("q", map(hash, texts))
        self._count += len(hashes)
        hashes.tofile(self._file)

    def add_hashes(self, hashes: pa.Array) -> None:
        """Add hashes of 64 bits, none of them null."""
        self._count += len(hashes)
        if len(hashes):
            self._file.write(hashes.buffers()[1].slice(8 * hashes.offset, 8 * len(hashes)))

    def chosen(self, place: int, shares: int) -> pa.Array:
        """One of `shares` shares of the hashes, a power of two. The same text is always in the same share."""
        return pa.concat_arrays([pa.array([], pa.int64()), *self._chosen(place, shares)])

    def _chosen(self, place: int, shares: int) -> Iterator[pa.Array]:
        self._file.seek(0)
        while content := self._file.read(8 * _AT_ONCE):
            hashes = pa.Array.from_buffers(pa.int64(), len(content) // 8, [None, pa.py_buffer(content)])
            yield hashes.filter(pc.equal(pc.bit_wise_and(hashes, shares - 1), place)) if shares > 1 else hashes


def are_distinct(texts: Hashes, others: Hashes | None = None) -> bool:
    """True if no text occurs twice, and none is one of the others, which may occur several times."""
    shares = 1 << ((len(texts) + (len(others) if others else 0)) // _AT_ONCE).bit_length()
    for place in range(shares):
        ours = texts.chosen(place, shares)
        theirs = pc.unique(others.chosen(place, shares)) if others is not None else ours[:0]
        if pc.count_distinct(pa.concat_arrays([ours, theirs])).as_py() < len(ours) + len(theirs):
            return False
    return True
