"""Bytes as lines: where they end, and what they may be."""

import gzip
import io
from collections.abc import Iterator
from typing import BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triples.exchange.lines import MAX_LINE_BYTES, Block, InputError, Line, Refused, blocks, lines, skip_to, spans


def read_blocks(stream: io.BufferedReader) -> Iterator[Block]:
    for part in spans(stream):
        yield from blocks(part)


def split(content: bytes) -> list[bytes | None]:
    return [line.content for line in lines(io.BytesIO(content))]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"a", [b"a"]),
        (b"a\nb\n", [b"a", b"b"]),
        (b"a\r\nb\r\n", [b"a", b"b"]),
        (b"a\n\nb", [b"a", b"", b"b"]),
        (b"a\rb\n", [b"a\rb"]),
        (b"a\r\r\n", [b"a\r"]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb", [b"a", b"\xef\xbb\xbfb"]),
        (b"\xef\xbb\xbf", [b""]),
        ("a\u2028b\x85c\x0cd\n".encode(), ["a\u2028b\x85c\x0cd".encode()]),
    ],
)
def test_lines_end_at_line_feeds_alone(content: bytes, expected: list[bytes]) -> None:
    assert split(content) == expected


def test_every_line_knows_its_number_and_the_place_behind_it() -> None:
    content = b"\xef\xbb\xbfone\r\n\ntwo"
    assert list(lines(io.BytesIO(content))) == [Line(1, 8, b"one"), Line(2, 9, b""), Line(3, 12, b"two")]


@pytest.mark.parametrize("behind", [0, 1, 2])
def test_reading_goes_on_from_any_place(behind: int) -> None:
    content = b"one\ntwo\r\nthree\n"
    every = list(lines(io.BytesIO(content)))
    number, end = (every[behind - 1].number, every[behind - 1].end) if behind else (0, 0)
    stream = io.BytesIO(content)
    skip_to(stream, end)
    assert list(lines(stream, number, end)) == every[behind:]


@pytest.mark.parametrize("length", [MAX_LINE_BYTES, MAX_LINE_BYTES + 1, 3 * MAX_LINE_BYTES])
def test_a_line_that_is_too_long_is_passed_over(length: int) -> None:
    found = list(lines(io.BytesIO(b"a\n" + b"x" * length + b"\nb")))
    assert [line.content for line in found] == [b"a", None, b"b"]
    assert found[-1].end == length + 4
    with pytest.raises(Refused, match="longer than"):
        assert found[1].text


def test_the_longest_line_is_not_too_long() -> None:
    assert split(b"x" * (MAX_LINE_BYTES - 1) + b"\nb") == [b"x" * (MAX_LINE_BYTES - 1), b"b"]


@pytest.mark.parametrize("content", [b"a\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe4\xb8"])
def test_a_line_that_is_not_utf_8_says_so(content: bytes) -> None:
    with pytest.raises(Refused, match="is not UTF-8 at byte"):
        assert Line(1, 0, content).text


def damaged() -> BinaryIO:
    whole = gzip.compress(b"".join(b"%d\n" % number for number in range(100_000)))
    return cast("BinaryIO", gzip.GzipFile(fileobj=io.BytesIO(whole[: len(whole) // 2])))


def test_damage_is_an_input_error_behind_the_lines_before_it() -> None:
    read: list[Line] = []
    with pytest.raises(InputError, match="cannot be read on"):
        read.extend(lines(damaged()))
    assert len(read) > 1_000
    with pytest.raises(InputError, match="cannot be read on"):
        skip_to(damaged(), 10_000_000)


@given(
    st.lists(st.sampled_from([b"\n", b"\r\n", b"\r", b"a", b"bc\td", b"\xff", b"\xef\xbb\xbf"])).map(b"".join),
    st.integers(1, 12),
)
def test_blocks_are_the_same_lines_however_the_stream_is_read_ahead(content: bytes, buffer_size: int) -> None:
    found = list(read_blocks(io.BufferedReader(cast("io.RawIOBase", io.BytesIO(content)), buffer_size)))
    expected = list(lines(io.BytesIO(content)))
    assert [line for block in found for line in block.contents] == [line.content for line in expected]
    ends = {line.number: line.end for line in expected}
    for block in found:
        assert block.end == ends[block.first + len(block.contents) - 1]


def test_a_line_that_is_too_long_is_a_block_of_its_own() -> None:
    content = b"a\n" + b"x" * MAX_LINE_BYTES + b"\nb\n"
    found = list(read_blocks(io.BufferedReader(io.BytesIO(content))))
    assert [(block.first, block.contents) for block in found] == [(1, [b"a"]), (2, [None]), (3, [b"b"])]


def test_damage_is_an_input_error_behind_the_blocks_before_it() -> None:
    read: list[Block] = []
    with pytest.raises(InputError, match="cannot be read on"):
        read.extend(read_blocks(io.BufferedReader(cast("io.RawIOBase", damaged()))))
    assert read[-1].first > 1_000
