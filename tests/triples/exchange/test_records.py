"""Lines as fields in each of the formats: what is taken, what is refused, and why."""

import io
from contextlib import suppress
from typing import NamedTuple

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from tests.triples.exchange.formats import CSV, NDJSON, RECORD_FORMATS, TSV
from triples.exchange.fields import Fields
from triples.exchange.formats.records import RecordFormat
from triples.exchange.lines import InputError, Refused
from triples.exchange.tables import BadBeginning


class Record(NamedTuple):
    """A record of a batch, whose end is given for each of its records."""

    first_line: int
    last_line: int
    end: int
    fields: Fields | Refused


def read(content: str | bytes, format_: RecordFormat, *, number: int = 0, offset: int = 0) -> list[Record]:
    data = io.BytesIO(content.encode() if isinstance(content, str) else content)
    return [
        Record(line, batch.last_line, batch.end, complete(fields))
        for batch in format_.batches(io.BufferedReader(data), number, offset)
        for line, fields in batch.records
    ]


def complete(fields: Fields | list[str] | Refused) -> Fields | Refused:
    if not isinstance(fields, list):
        return fields
    subject, predicate, object_ = fields
    return Fields(subject, predicate, object_, None, None)


def only_fields(content: str | bytes, format_: RecordFormat) -> Fields:
    [record] = read(content, format_)
    assert isinstance(record.fields, Fields), record.fields
    return record.fields


def only_reason(content: str | bytes, format_: RecordFormat) -> str:
    [record] = read(content, format_)
    assert isinstance(record.fields, Refused)
    return str(record.fields)


@pytest.mark.parametrize(
    ("format_", "content", "expected"),
    [
        (TSV, "s\tp\to", ("s", "p", "o", None, None)),
        (TSV, "s\tp\to\t0.5", ("s", "p", "o", 0.5, None)),
        (TSV, "s\tp\to\t 1e-3 ", ("s", "p", "o", 0.001, None)),
        (TSV, "s\tp\to\t7", ("s", "p", "o", 7.0, None)),
        (TSV, "s\tp\to\t", ("s", "p", "o", None, None)),
        (TSV, 's\tp\to\t1\t{"a": [1, {}]}', ("s", "p", "o", 1.0, {"a": [1, {}]})),
        (TSV, 's\tp\to\t\t{"a": null}', ("s", "p", "o", None, {"a": None})),
        (TSV, "s\tp\to\t\t", ("s", "p", "o", None, None)),
        # Nothing is quoted in TSV: what looks like it is part of the text.
        (TSV, '"s\tp\\n\t# o"', ('"s', "p\\n", '# o"', None, None)),
        (TSV, "#s\t-p\t,o", ("#s", "-p", ",o", None, None)),
        (CSV, "s,p,o", ("s", "p", "o", None, None)),
        (CSV, "s;p;o", ("s", "p", "o", None, None)),
        (CSV, "s|p|o|0.5", ("s", "p", "o", 0.5, None)),
        (CSV, "s,p,o,0.5", ("s", "p", "o", 0.5, None)),
        (CSV, '"a, b","""p""",o,,"{""x"": ""y, z""}"', ("a, b", '"p"', "o", None, {"x": "y, z"})),
        (CSV, 's,p,o,1,"{\r\n  ""a"": 1\r\n}"\r\n', ("s", "p", "o", 1.0, {"a": 1})),
        (CSV, 's,5" disk,6" disk', ("s", '5" disk', '6" disk', None, None)),
        (CSV, "subject,predicate,object\ns,p,o", ("s", "p", "o", None, None)),
        (CSV, "Weight, OBJECT ,predicate,subject\r\n0.5,o,p,s\r\n", ("s", "p", "o", 0.5, None)),
        (CSV, "\ufeffsubject,predicate,object,metadata\ns,p,o,{}", ("s", "p", "o", None, {})),
        (NDJSON, '{"subject": "s", "predicate": "p", "object": "o"}', ("s", "p", "o", None, None)),
        (
            NDJSON,
            '{"metadata": {"a": 1.0}, "weight": 1, "object": "o", "predicate": "p", "subject": "s\\u2028"}',
            ("s\u2028", "p", "o", 1.0, {"a": 1.0}),
        ),
        (NDJSON, '{"subject": "s", "predicate": "p", "object": "o", "metadata": null}', ("s", "p", "o", None, None)),
    ],
)
def test_a_line_holds_a_fact(format_: RecordFormat, content: str, expected: tuple[object, ...]) -> None:
    assert only_fields(content, format_) == expected


DEEP = "[" * 31 + "]" * 31

BAD_LINES = [
    (TSV, "s", "has 1 column instead of 3 to 5"),
    (TSV, "s\tp", "has 2 columns instead of 3 to 5"),
    (TSV, "s p o", "has 1 column instead of 3 to 5"),
    (TSV, "s\tp\to\t1\t{}\tx", "has 6 columns instead of 3 to 5"),
    (TSV, "s\tp\to\tx", "weight must be a number such as 0.5, not 'x'"),
    (TSV, "s\tp\to\t0,5", "weight must be a number such as 0.5, not '0,5'"),
    (TSV, "s\tp\to\tNaN", "weight must be a number such as 0.5, not 'NaN'"),
    (TSV, "s\tp\to\tinf", "weight must be a number such as 0.5, not 'inf'"),
    (TSV, "s\tp\to\t.5", "weight must be a number such as 0.5, not '.5'"),
    (TSV, "s\tp\to\t1_0", "weight must be a number such as 0.5, not '1_0'"),
    (TSV, "s\tp\to\t\uff11", "weight must be a number such as 0.5, not '\uff11'"),
    (TSV, "s\tp\to\ttrue", "weight must be a number such as 0.5, not 'true'"),
    (TSV, 's\tp\to\t"1"', "weight must be a number"),
    (TSV, "s\tp\to\tnull", "weight must be a number such as 0.5, not 'null'"),
    (TSV, "s\tp\to\t1e999", "weight: The number cannot be kept"),
    (TSV, "s\tp\to\t1\t[]", "metadata must be a JSON object"),
    (TSV, "s\tp\to\t1\tnull", "metadata must be a JSON object"),
    (TSV, "s\tp\to\t1\t{", "metadata is not JSON: EOF while parsing an object at column 1"),
    (TSV, "s\tp\to\t1\t{'a': 1}", "metadata is not JSON"),
    (TSV, 's\tp\to\t1\t{"a": NaN}', "metadata is not JSON"),
    (TSV, 's\tp\to\t1\t{"a": "\\ud800"}', "metadata is not JSON"),
    (TSV, 's\tp\to\t1\t{"a": 1, "a": 2}', "metadata: Detected duplicate key"),
    (TSV, 's\tp\to\t1\t{"a": {"b": 12345678901234567890}}', "metadata.a.b: The number cannot be kept"),
    (TSV, f's\tp\to\t1\t{{"a": {DEEP}}}', "metadata: Nested deeper than 32 levels"),
    (TSV, b"s\tp\to\xff", "is not UTF-8 at byte 6"),
    (CSV, "s,p", "has 2 columns instead of 3 to 5"),
    (CSV, "s:p:o", "has 1 column instead of 3 to 5"),
    (CSV, "a,b,c,d,e,f", "has 6 columns instead of 3 to 5"),
    (CSV, '"s" x,p,o', "is not CSV: ',' expected after '\"'"),
    (CSV, '"s,p,o', "has a quotation mark that encloses no field"),
    (CSV, 's,5" disk,o', "has a quotation mark that encloses no field"),
    (CSV, b"s,p,\xff", "is not UTF-8 at byte 5"),
    (CSV, "s,p,o,x", "weight must be a number such as 0.5, not 'x'"),
    (TSV, "s\tp\to\t[" + "1" * 99, "weight must be a number such as 0.5, not '[" + "1" * 39 + "…'"),
    (NDJSON, "s\tp\to", "is not JSON: expected value at column 1"),
    (NDJSON, "[]", "must be a JSON object"),
    (NDJSON, '"s"', "must be a JSON object"),
    (NDJSON, "{}", "has no subject"),
    (NDJSON, '{"subject": "s", "object": "o"}', "has no predicate"),
    (NDJSON, '{"subject": "s", "predicate": "p", "object": 1}', "object must be a text"),
    (NDJSON, '{"subject": null, "predicate": "p", "object": "o"}', "subject must be a text"),
    (NDJSON, '{"subject": "s", "predicate": "p", "object": "o", "key": 1}', "has the unknown field 'key'"),
    (NDJSON, '{"subject": "s", "predicate": "p", "object": "o", "weight": "1"}', "weight must be a number"),
    (NDJSON, '{"subject": "s", "predicate": "p", "object": "o", "weight": null}', "weight must be a number"),
    (NDJSON, '{"subject": "s", "predicate": "p", "object": "o", "weight": true}', "weight must be a number"),
    (NDJSON, '{"subject": "s", "predicate": "p", "object": "o", "metadata": []}', "metadata must be a JSON object"),
    (NDJSON, '{"subject": "s", "predicate": "p", "object": "o", "object": "o"}', "Detected duplicate key"),
    (NDJSON, f'{{"subject": "s", "metadata": {{"a": {DEEP}}}}}', "Nested deeper than 32 levels"),
    (NDJSON, b'{"subject": "\xff"}', "is not UTF-8 at byte 14"),
]


@pytest.mark.parametrize(("format_", "content", "reason"), BAD_LINES)
def test_a_line_that_holds_none_says_why(format_: RecordFormat, content: str | bytes, reason: str) -> None:
    assert only_reason(content, format_).startswith(reason)


@pytest.mark.parametrize("format_", RECORD_FORMATS)
@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n\r\n\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_empty_lines_are_nothing(format_: RecordFormat, content: bytes) -> None:
    assert read(content, format_) == []


def test_metadata_may_be_as_deep_in_every_format() -> None:
    metadata = '{"a": ' + "[" * 30 + "]" * 30 + "}"
    as_json = f'{{"subject": "s", "predicate": "p", "object": "o", "weight": 1, "metadata": {metadata}}}'
    assert only_fields(f"s\tp\to\t1\t{metadata}", TSV) == only_fields(as_json, NDJSON)


class TestCSV:
    """What is particular to quoted line breaks and headers."""

    def test_a_mistaken_quotation_mark_costs_one_line(self) -> None:
        content = 'a,b,c\n5" disk,b,c\nd,e,f\nx,b,c,1,"{\n}"\n"never closed,b,c\ng,h,i\n'
        found = read(content, CSV)
        assert [
            (record.first_line, record.last_line, record.fields.subject)
            for record in found
            if isinstance(record.fields, Fields)
        ] == [(1, 1, "a"), (3, 3, "d"), (4, 5, "x"), (7, 7, "g")]
        assert [record.first_line for record in found if not _is_fact(record)] == [2, 6]

    def test_a_quoted_field_does_not_reach_over_the_whole_file(self) -> None:
        content = '"never closed,b,c\n' + "a,b,c\n" * 3_000
        found = read(content, CSV)
        assert [record.first_line for record in found if not _is_fact(record)] == [1]
        assert len(found) == 3_001

    def test_a_line_that_is_too_long_ends_a_quoted_field(self) -> None:
        found = read('"a\n' + "x" * (1 << 20) + '\nb",c,d\ne,f,g', CSV)
        assert [(record.first_line, _is_fact(record)) for record in found] == [
            (1, False),
            (2, False),
            (3, False),
            (4, True),
        ]

    def test_facts_that_use_the_header_s_words_are_facts_behind_it(self) -> None:
        row = "subject,predicate,object"
        assert only_fields(f"{row}\n{row}\n", CSV) == Fields("subject", "predicate", "object", None, None)

    def test_with_a_header_every_row_has_its_columns(self) -> None:
        assert only_reason("subject,predicate,object,weight\ns,p,o\n", CSV) == "has 3 columns, the header 4"

    @pytest.mark.parametrize(
        ("header", "reason"),
        [
            ("subject,predicate,object,id,ID", "the header names a column twice"),
            ("subject,predicate,object,weight,weight", "the header names a column twice"),
        ],
    )
    def test_a_header_that_is_not_understood_stops_the_import(self, header: str, reason: str) -> None:
        with pytest.raises(InputError, match=reason):
            read(f"{header}\ns,p,o,1\n", CSV)


def _is_fact(record: Record) -> bool:
    return isinstance(record.fields, Fields)


CONTENTS = {
    TSV: b"\xef\xbb\xbfa\tb\tc\r\nbad\n\nd\te\tf\t0.5\ng\th\ti",
    CSV: b'object,subject,predicate\r\na,b,c\nbad\n"x\ny",d,e\n5",f,g\nh,i,j',
    NDJSON: b'{"subject":"a","predicate":"b","object":"c"}\nbad\n\n{"subject":"d","predicate":"e","object":"f"}',
}


@pytest.mark.parametrize("format_", RECORD_FORMATS)
def test_from_behind_any_record_the_rest_is_the_same(format_: RecordFormat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triples.exchange.lines.MOST_LINES", 1)
    every = [repr(record) for record in read(CONTENTS[format_], format_)]
    for place, record in enumerate(read(CONTENTS[format_], format_), 1):
        rest = read(CONTENTS[format_], format_, number=record.last_line, offset=record.end)
        assert [repr(other) for other in rest] == every[place:]


@given(st.binary(max_size=200), st.sampled_from(RECORD_FORMATS))
def test_any_bytes_are_read_to_their_end(content: bytes, format_: RecordFormat) -> None:
    # What begins like UTF-16 is not read at all.
    with suppress(BadBeginning):
        for record in read(content, format_):
            assert 0 < record.end <= len(content)


@given(st.lists(st.sampled_from(['"', ",", "\n", "\r\n", "a", "b c", "\u2028", '""'])))
def test_in_csv_of_any_shape_every_line_is_in_one_row(parts: list[str]) -> None:
    content = "".join(parts)
    try:
        read(content, CSV)
    except BadBeginning:
        reject()
    covered = [line for record in read(content, CSV) for line in range(record.first_line, record.last_line + 1)]
    filled = [number for number, line in enumerate(content.split("\n"), 1) if line.removesuffix("\r")]
    assert covered == sorted(set(covered))
    assert set(filled) <= set(covered)
