"""How files begin: a header, one that is not understood, or a fact; in UTF-8 or not."""

import io
from typing import cast

import pytest

from tests.triples.exchange.formats import CSV, NDJSON, RECORD_FORMATS, TSV
from triples.exchange.formats.records import RecordFormat
from triples.exchange.headers import looks_like_names, read_beginning
from triples.exchange.lines import BYTE_ORDER_MARK
from triples.exchange.tables import BadBeginning

DELIMITERS = {TSV: "\t", CSV: ","}
TABLES = list(DELIMITERS)


def beginning_of(content: bytes, format_: RecordFormat, *, header: bool = True) -> list[str] | None:
    stream = cast("io.BufferedReader", io.BufferedReader(io.BytesIO(content)))
    found = read_beginning(stream, format_.cells, header=header)
    assert found.names is None or list(found.lines(stream)) == []
    return None if found.names is None else list(found.names)


def joined(columns: str, format_: RecordFormat) -> bytes:
    return DELIMITERS[format_].join(columns.split()).encode() + b"\r\n"


@pytest.mark.parametrize("format_", TABLES)
@pytest.mark.parametrize(
    "columns",
    [
        "subject predicate object",
        "subject predicate object weight metadata",
        "Object WEIGHT predicate Subject",
    ],
)
@pytest.mark.parametrize("before", [b"", BYTE_ORDER_MARK, b"\r\n\n"])
def test_a_first_line_of_the_column_names_is_a_header(format_: RecordFormat, columns: str, before: bytes) -> None:
    assert beginning_of(before + joined(columns, format_), format_) == columns.lower().split()
    assert beginning_of(before + joined(columns, format_), format_, header=False) is None


OTHER_HEADERS = [
    "source target weight",
    "Source Target Type Weight",
    "head relation tail",
    "from to type",
    "subject relation object",
    "subject predicate value",
    "subj pred obj",
    "entity1 relation entity2 score",
    "name relationship target",
    "source property city",
    "#subject predicate object",
    "node_1 edge node_2",
    "name friend city weight",
    "name friend city Score metadata",
    "subject object",
    "source target",
    "predicate object weight",
    "a b c d metadata",
]


@pytest.mark.parametrize("format_", TABLES)
@pytest.mark.parametrize("columns", OTHER_HEADERS)
def test_a_header_with_other_names_is_an_error_that_says_which_are_known(format_: RecordFormat, columns: str) -> None:
    with pytest.raises(BadBeginning, match=r"names subject, predicate, object, .* weight and metadata.*--no-header"):
        beginning_of(joined(columns, format_), format_)
    assert beginning_of(joined(columns, format_), format_, header=False) is None


@pytest.mark.parametrize("format_", TABLES)
@pytest.mark.parametrize("columns", [":START_ID :END_ID :TYPE", "id:ID name born:int :LABEL"])
def test_a_header_of_neo4j_is_told_as_one(format_: RecordFormat, columns: str) -> None:
    with pytest.raises(BadBeginning, match="--format 'neo4j'"):
        beginning_of(joined(columns, format_), format_)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ("subject predicate object weight weight", "names a column twice"),
    ],
)
def test_a_header_that_is_half_understood_is_an_error(columns: str, reason: str) -> None:
    for format_ in TABLES:
        with pytest.raises(BadBeginning, match=reason):
            beginning_of(joined(columns, format_), format_)


FACTS = [
    "head antonym tail",
    "head part_of body",
    "source type river",
    "person type subject",
    "confidence is_a score",
    "relation type property",
    "target opposite_of source",
    "object is_a subject",
    "property type relation",
    "s p o",
    "a b c",
    "a b c 0.5",
    "source relation target 1",
    "subject predicate object 1.0",
    "subject predicate object 1e-3 {}",
    "type type type",
    "from from from",
    "Einstein discovered Relativity",
    "weight measured_in kilogram",
    "value",
]


@pytest.mark.parametrize("columns", FACTS)
def test_a_fact_with_words_for_columns_is_a_fact(columns: str) -> None:
    assert not looks_like_names(columns.split())


@pytest.mark.parametrize("format_", RECORD_FORMATS)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_text_in_another_encoding_is_an_error_as_a_whole(format_: RecordFormat, encoding: str) -> None:
    text = '{"subject": "s", "predicate": "p", "object": "o"}\n' if format_ is NDJSON else "Käfer\tp\to\n"
    for header in (True, False):
        with pytest.raises(BadBeginning, match=r"the text is UTF-.*, not UTF-8; `iconv -f UTF-"):
            beginning_of(text.encode(encoding), format_, header=header)


@pytest.mark.parametrize("content", [b"", b"\n\n", BYTE_ORDER_MARK, b"\xff\xffs\tp\to\n", b'"never closed,p,o\n'])
def test_what_has_no_beginning_to_look_at_has_no_header(content: bytes) -> None:
    for format_ in RECORD_FORMATS:
        assert beginning_of(content, format_) is None
