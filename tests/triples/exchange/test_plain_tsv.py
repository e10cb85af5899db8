"""Lines by columns: the same facts as line by line, or none."""

import io
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triples.exchange.formats import TSV
from triples.exchange.facts import UNSCALED, FactMaker, Scale
from triples.exchange.fields import NAMES
from triples.exchange.formats import tsv
from triples.exchange.formats.base import Reading
from triples.exchange.lines import BYTE_ORDER_MARK, Refused
from triples.exchange.plain_tsv import plain_facts
from triples.store.fact_columns import FactColumns
from triples.store.operations import Fact

METADATA = b'{"a": 1.0, "b": ["\xc3\xa9"]}'


class Found(NamedTuple):
    """The facts, the lines that were refused and why, and the places behind the parts."""

    facts: list[Fact]
    refused: list[tuple[int, str]]
    places: list[tuple[int, int]]


def read(content: bytes, maker: FactMaker, most_lines: int) -> Found:
    refused: list[tuple[int, str]] = []

    def refuse(line: int, reason: Refused) -> None:
        refused.append((line, str(reason)))

    reading = Reading(maker, refuse, lambda: most_lines)
    found = list(TSV.parts(io.BufferedReader(io.BytesIO(content)), reading))
    return Found([fact for part in found for fact in part.facts], refused, [part[1:] for part in found])


@pytest.mark.parametrize(
    "content",
    [
        b"s\tp\to\n",
        b" s \tp\t\xc3\xa9\ne\xcc\x81\tp\to\n",
        b"s\tp\to\r\n\r\n\nt\tp\ts\r\n",
        b"s\tp\to\t0.5\ns\tp\to\t\ns\tp\to\t 1e-3 \n",
        b"s\tp\to\t1\t" + METADATA + b"\ns\tp\to\t\t{}\ns\tp\to\t0\t \n",
        b'"s\tp\\\t"o"\n\'\tNULL\t#\nnull\tN/A\tNaN\n',
        b"s\tp\t\xef\xbb\xbf\n",
        b"1\t2\t3\t0\ntrue\tfalse\t2020-01-01\t1\n",
    ],
)
def test_ordinary_lines_are_taken(content: bytes) -> None:
    for maker in (FactMaker(0.25, UNSCALED), FactMaker(1.0, Scale(2.0, -1.0))):
        found = plain_facts(content, maker)
        assert isinstance(found, FactColumns)
        assert (list(found), []) == read(content, maker, most_lines=0)[:2]


@pytest.mark.parametrize(
    "content",
    [
        b"\n\n",
        b"s\tp\n",
        b"s\tp\to\t1\t{}\tx\n",
        b"s\tp\to\ns\tp\to\t1\n",
        b"s\tp\to\t1\ns\tp\to\n",
        b"s\tp\t\n",
        b"s\tp\ta\rb\n",
        b"s\tp\to\r\r\n",
        b"s\tp\to\xff\n",
        b"s\tp\t\xed\xa0\x80\n",
        b"s\tp\ta\x00b\n",
        b"s\tp\t" + b"o" * 501 + b"\n",
        b"s\t" + b"p" * 501 + b"\to\n",
        b"s\tp\to\t2\n",
        b"s\tp\to\tNaN\n",
        b"s\tp\to\ttrue\n",
        b"s\tp\to\t1\t[]\n",
        b's\tp\to\t1\t{"a": 1, "a": 2}\n',
        b's\tp\to\t1\t{"a": "' + b"x" * 17_000 + b'"}\n',
    ],
)
def test_what_is_out_of_the_ordinary_is_left_to_others(content: bytes) -> None:
    assert plain_facts(content, FactMaker(1.0, UNSCALED)) is None
    if content.strip():
        assert plain_facts(b"s\tp\to\n" + content, FactMaker(1.0, UNSCALED)) is None


def test_what_begins_with_a_byte_order_mark_is_left_to_others() -> None:
    assert plain_facts(BYTE_ORDER_MARK + b"s\tp\to\n", FactMaker(1.0, UNSCALED)) is None


ODD_BYTES = [b"\r", b"\x00", b"\x0b", b"\x1c", b"\x85", b"\xff", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe4\xb8"]
ODD_TEXTS = [
    "",
    " ",
    " c",
    "e\u0301",
    "\xa0d",
    '"',
    'a"b',
    "#",
    "\x85",
    "\ufeff",
    "\u2028",
    "y" * 501,
    "a\tb",
]
TEXTS = st.sampled_from([b"a", b"b", *ODD_BYTES, *map(str.encode, ODD_TEXTS)])
PLAIN_TEXTS = st.sampled_from([b"a", b"b", b"c d", b" e", b"\xc3\xa9", b"NULL", b'"', b"\\n"])
NUMBERS = [b"0", b"1", b"0.5", b"1e-3", b"-0", b"-0.0", b"0.1000000000000000055511151231257827", b"1e-400", b" 0.25 "]
NO_NUMBERS = [b"01", b".5", b"1.", b"+1", b"nan", b"1e999", b"true", b"2", b"0x1", b"1_0", b'"1"', b"\xef\xbc\x91"]
WEIGHTS = st.sampled_from([*NUMBERS, *NO_NUMBERS, b"", b"\xc2\xa01"])
OBJECTS = st.sampled_from(
    [b"", b"{}", METADATA, b"[]", b"null", b"{", b'{"a":1,"a":2}', b' {"a":null} ', b'{"\x00":1}']
)
ENDS = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\n\n", b"\r\r\n", b"\r"])


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    """Lines of which most are alike, and some are not."""
    texts = draw(st.sampled_from([PLAIN_TEXTS, PLAIN_TEXTS, TEXTS]))
    columns = draw(st.integers(3, 5))
    ends = draw(st.sampled_from([st.just(b"\n"), st.just(b"\r\n"), ENDS]))
    weights = draw(st.sampled_from([st.sampled_from([b"0", b"0.5", b"", b" 1.0"]), WEIGHTS]))
    parts_ = [draw(st.sampled_from([b"", b"", b"", BYTE_ORDER_MARK, b"\n"]))]
    for _ in range(draw(st.integers(0, 8))):
        fields = [draw(texts), draw(texts), draw(texts), draw(weights), draw(OBJECTS)][:columns]
        extra = draw(st.sampled_from([0, 0, 0, 0, 0, 0, 0, 1, -1]))
        fields = fields[: columns + extra] if extra <= 0 else [*fields, b"x"]
        parts_.append(b"\t".join(fields) + draw(ends))
    parts_.append(draw(st.sampled_from([b"", b"", b"a\tb\tc"])))
    return b"".join(parts_)


@given(contents(), st.sampled_from([FactMaker(1.0, UNSCALED), FactMaker(0.5, Scale(-1.0, 3.0))]))
def test_any_lines_make_the_same_of_both(content: bytes, maker: FactMaker) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tsv, "FEWEST_LINES", 0)
        by_columns = read(content, maker, most_lines=1_000)
    by_line = read(content, maker, most_lines=0)
    assert repr(by_columns.facts) == repr(by_line.facts)
    assert by_columns.refused == by_line.refused
    assert by_columns.places[-1:] == by_line.places[-1:]
    assert set(by_columns.places) <= set(by_line.places)


def test_only_as_many_lines_as_are_asked_for_are_taken_at_once() -> None:
    content = b"".join(b"s%d\tp\to\n" % number for number in range(2 * tsv.FEWEST_LINES))
    maker = FactMaker(1.0, UNSCALED)
    assert len(read(content, maker, most_lines=2 * tsv.FEWEST_LINES).places) == 1
    assert len(read(content, maker, most_lines=2 * tsv.FEWEST_LINES - 1).places) > 1


@pytest.mark.parametrize("names", [("object", "weight", "subject", "predicate"), NAMES])
@pytest.mark.parametrize("line", [b"a\t0.5\tb\tc\n", b"a\tb\tc\n", b"a\tb\tc\t0\t{}\n", b"a\tb\n", b"a\tb\tc\t0\n"])
def test_columns_are_those_that_a_header_names(names: tuple[str, ...], line: bytes) -> None:
    content = "\t".join(names).encode() + b"\n" + 3 * line
    maker = FactMaker(1.0, UNSCALED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tsv, "FEWEST_LINES", 0)
        assert read(content, maker, most_lines=9)[:2] == read(content, maker, most_lines=0)[:2]
