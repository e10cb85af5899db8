"""An import's memory does not grow with what it reads."""

import io
import tracemalloc
from typing import cast

import pyarrow as pa
import pytest

from tests.triples.exchange.formats import CSV, NDJSON, TSV
from triples.exchange.facts import UNSCALED, FactMaker
from triples.exchange.formats.base import Reading
from triples.exchange.formats.records import RecordFormat
from triples.exchange.lines import MAX_LINE_BYTES
from triples.store.fact_columns import FactColumns

pytestmark = pytest.mark.repetitive

# A line as long as it may be, as bytes, as text and as what becomes of it.
BOUND = 8 * MAX_LINE_BYTES


class Repeating(io.RawIOBase):
    """A stream of `size` bytes that stand nowhere at once."""

    def __init__(self, pattern: bytes, size: int) -> None:
        self._pattern = pattern
        self._size = size
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader gives
        count = min(len(buffer), self._size - self._given)
        start = self._given % len(self._pattern)
        buffer[:count] = (self._pattern * (count // len(self._pattern) + 2))[start : start + count]
        self._given += count
        return count


@pytest.mark.parametrize(
    ("format_", "pattern", "size"),
    [
        (TSV, b"a fact\tof few\tbytes\n", 400_000),
        (TSV, b"no line end", 40_000_000),
        (TSV, b"\n", 100_000),
        (CSV, b'"never closed', 20_000_000),
        (CSV, b'"\n', 60_000),
        (CSV, b'"never closed\n' + b"a,b,c\n" * 2_000, 400_000),
        (NDJSON, b"[" * 1_000, 20_000_000),
    ],
)
def test_what_is_read_is_forgotten(format_: RecordFormat, pattern: bytes, size: int) -> None:
    stream = cast("io.RawIOBase", Repeating(pattern, size))
    maker = FactMaker(1.0, UNSCALED)
    tracemalloc.start()
    try:
        for batch in format_.batches(io.BufferedReader(stream)):
            maker.facts(batch.records, lambda *_: None)
        assert tracemalloc.get_traced_memory()[1] < BOUND
    finally:
        tracemalloc.stop()


def test_what_is_read_in_columns_is_forgotten() -> None:
    stream = cast("io.RawIOBase", Repeating(b"a fact\tof few\tbytes\n", 8_000_000))
    reading = Reading(FactMaker(1.0, UNSCALED), lambda *_: None, lambda: MAX_LINE_BYTES)
    # At its first conversion, pyarrow loads pandas where that is installed.
    pa.array([0])
    tracemalloc.start()
    try:
        before, most = pa.total_allocated_bytes(), 0
        for part in TSV.parts(io.BufferedReader(stream, MAX_LINE_BYTES), reading):
            # Between two of them, one line stands alone where the stream was not read ahead.
            assert isinstance(part.facts, FactColumns) or len(part.facts) == 1
            most = max(most, pa.total_allocated_bytes() - before)
        assert 0 < most < BOUND
        assert tracemalloc.get_traced_memory()[1] < BOUND
    finally:
        tracemalloc.stop()
