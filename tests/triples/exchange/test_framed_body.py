"""Bodies in frames: whole, broken off, and continued."""

import gzip
import io
import lzma
from contextlib import suppress
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triples.exchange import zstd
from triples.exchange.compressions import COMPRESSIONS, compression_at
from triples.exchange.formats import media_types
from triples.exchange.formats.registry import FORMATS
from triples.exchange.framed_body import END, Beginning, BrokenOff, ForwardReader, FramedBody, OtherBody, framed

pieces = st.lists(st.binary(min_size=1, max_size=40), max_size=8)


def pipe(parts: list[bytes], *, end: bool = True) -> io.BytesIO:
    return io.BytesIO(b"".join(map(framed, parts)) + (END if end else b""))


@given(pieces, st.integers(1, 50))
def test_a_body_comes_out_as_it_went_in(parts: list[bytes], size: int) -> None:
    body = FramedBody(pipe(parts))
    found = b""
    while content := body.read(size):
        found += content
    assert found == b"".join(parts)
    assert body.read(size) == b""
    assert body.tell() == len(found)
    assert not body.broke


@given(pieces, st.data())
def test_a_body_that_is_cut_off_anywhere_is_never_taken_for_whole(parts: list[bytes], data: st.DataObject) -> None:
    whole = pipe(parts).getvalue()
    cut = data.draw(st.integers(0, len(whole) - 1))
    body = FramedBody(io.BytesIO(whole[:cut]))
    found = b""
    with suppress(BrokenOff):
        while content := body.read(7):
            found += content
    assert b"".join(parts).startswith(found)
    assert body.broke


@given(pieces, pieces, st.integers(0, 60))
def test_the_body_that_goes_on_must_begin_like_the_one_before(
    parts: list[bytes], others: list[bytes], size: int
) -> None:
    expected = Beginning.parse(str(Beginning.of(b"".join(parts)[:size])))
    body = FramedBody(pipe(parts), expected)
    assert body.read() == b"".join(parts)
    if b"".join(others)[: expected.size] != b"".join(parts)[: expected.size]:
        with pytest.raises(OtherBody):
            FramedBody(pipe(others), expected)


@pytest.mark.parametrize("compress", [bytes, gzip.compress, lzma.compress, zstd.compress])
@pytest.mark.parametrize("place", [0, 1, 70_000, 299_999, 300_000, 300_001])
def test_a_stream_goes_forward_to_any_place(compress: type[bytes], place: int) -> None:
    content = bytes(range(256)) * 1_171 + b"x" * 224
    sent = compress(content)
    raw = ForwardReader(FramedBody(pipe([sent[:1_000], sent[1_000:]])), 1 << 12)
    found = compression_at(raw.peek(8))
    with found.read(raw, None) as opened:
        stream = raw if found.name == "none" else ForwardReader(cast("io.RawIOBase", opened), 1 << 12)
        assert stream.peek()[:1] == content[:1]
        stream.seek(place)
        assert stream.tell() == min(place, len(content))
        assert stream.read() == content[place:]
        assert not stream.seekable()
        with pytest.raises(io.UnsupportedOperation):
            stream.seek(0)


def test_workers_know_the_formats_without_their_libraries() -> None:
    assert {name: each.media_type for name, each in FORMATS.items()} == media_types.MEDIA_TYPES
    assert media_types.ENDINGS.keys() == FORMATS.keys()
    for name, ending in media_types.ENDINGS.items():
        assert ending.removesuffix(".zip") in FORMATS[name].endings
    for name, compressed in media_types.COMPRESSED.items():
        assert COMPRESSIONS[name].ending == compressed.ending
    assert {"none", *media_types.COMPRESSED} == COMPRESSIONS.keys()
