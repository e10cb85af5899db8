"""Compressed inputs: all of their content, or an error that says what was left unread."""

import gzip
import io
import lzma
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triples.exchange.formats import TSV
from triples.exchange.inputs import find_inputs, opened
from triples.exchange.lines import InputError, lines, skip_to
from triples.exchange.xz import XZReader

PADDING = b"\0" * 4
XZ = lzma.compress
# With the same time in each, so that every process of a run calls the tests by the same names.
GZIP = partial(gzip.compress, mtime=0)


def streams(*contents: bytes, padding: bytes = b"") -> bytes:
    return padding.join(map(XZ, contents))


def read(folder: Path, content: bytes) -> list[bytes | None]:
    file = folder / "facts.tsv"
    file.write_bytes(content)
    with opened(find_inputs(str(file), TSV).inputs[0]) as found:
        return [line.content for line in lines(found.stream)]


@pytest.mark.parametrize(
    "content",
    [
        streams(b"a\n", b"b\n"),
        streams(b"a\n", b"b\n", padding=PADDING),
        streams(b"a\n", b"b\n", padding=20_000 * PADDING),
        streams(b"a\n", b"b\n") + PADDING,
        streams(b"a\n", b"b\n", padding=PADDING) + 40_000 * PADDING,
        streams(b"a", b"\nb", b"", b"\n"),
        streams(b"", b"a\nb\n", padding=2 * PADDING),
        GZIP(b"a\n") + GZIP(b"b\n"),
        GZIP(b"a\n") + b"\0" * 3 + GZIP(b"b\n"),
        GZIP(b"a\nb\n") + b"\0" * 70_001,
    ],
)
def test_every_stream_of_a_file_is_read(tmp_path: Path, content: bytes) -> None:
    assert read(tmp_path, content) == [b"a", b"b"]


@pytest.mark.parametrize("compress", [XZ, GZIP])
@pytest.mark.parametrize(
    "damage",
    [
        lambda compress: compress(b"a\n") + b"x",
        lambda compress: compress(b"a\n") + b"garbage" * 20_000,
        lambda compress: compress(b"a\n") + PADDING + b"garbage",
        lambda compress: compress(b"a\n") + compress(b"b\n")[:-1],
        lambda compress: compress(b"a\n") + compress(b"b\n")[:4],
        lambda compress: compress(b"a\n") + (GZIP if compress is XZ else XZ)(b"b\n"),
        lambda compress: compress(b"a\n") + compress(b"b\n")[:-6] + b"xx" + compress(b"b\n")[-4:],
        lambda compress: compress(b"a\n")[:-1],
        lambda compress: compress(b"a\n")[:9],
    ],
)
def test_what_cannot_be_read_is_an_error(
    tmp_path: Path, compress: Callable[[bytes], bytes], damage: Callable[[Callable[[bytes], bytes]], bytes]
) -> None:
    with pytest.raises(InputError, match="cannot be read on: "):
        read(tmp_path, damage(compress))


@pytest.mark.parametrize("padding", [b"\0", b"\0" * 6])
def test_padding_of_other_lengths_is_damage(tmp_path: Path, padding: bytes) -> None:
    with pytest.raises(InputError, match="neither another stream nor padding"):
        read(tmp_path, streams(b"a\n", b"b\n", padding=padding))
    with pytest.raises(InputError, match="neither another stream nor padding"):
        read(tmp_path, streams(b"a\n") + padding)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=4), st.integers(0, 2), st.integers(1, 9), st.data())
def test_any_streams_are_their_contents_from_any_place(
    contents: list[bytes], padding: int, size: int, data: st.DataObject
) -> None:
    whole = b"".join(contents)
    reader = XZReader(io.BytesIO(streams(*contents, padding=padding * PADDING) + padding * PADDING))
    assert b"".join(iter(lambda: reader.read(size), b"")) == whole
    start = data.draw(st.integers(0, len(whole)))
    buffered = io.BufferedReader(reader, size)
    skip_to(buffered, start)
    assert buffered.read() == whole[start:]


def test_going_back_to_the_beginning_reads_all_streams_again() -> None:
    reader = XZReader(io.BytesIO(streams(b"abc", b"def", padding=PADDING)))
    assert (reader.read(5), reader.seek(1), reader.read(3), reader.seek(3)) == (b"abc", 1, b"bc", 3)
    assert reader.read() == b"def"
    with pytest.raises(io.UnsupportedOperation):
        reader.seek(0, io.SEEK_END)
