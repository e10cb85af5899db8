"""Parquet and Arrow: what is written comes back, and tables of other programs can be read."""

import io
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import ipc, parquet

from tests.triples.exchange.reading import read, write
from tests.triples.exchange.test_round_trip import facts
from triples.exchange.formats.base import Format, ReadOptions, Writing
from triples.exchange.formats.registry import FORMATS, format_at
from triples.exchange.lines import InputError
from triples.exchange.tables import BadBeginning, TableOptions
from triples.query.export import StreamedFact

ARROW_FORMATS = [FORMATS["parquet"], FORMATS["arrow"]]
TABLE = pa.table({"from": ["a", "b", None], "how": ["p", "p", "p"], "to": [1, 2, 3], "share": [0.5, 2.0, 1.0]})
COLUMNS = {"subject": "from", "predicate": "how", "object": "to", "weight": "share"}


@pytest.mark.parametrize("format_", ARROW_FORMATS)
@given(exported=st.lists(facts, max_size=5))
def test_any_facts_come_back_as_they_are(format_: Format, exported: list[StreamedFact]) -> None:
    content = write(format_, exported, Writing())
    found = read(format_, content)
    assert (repr(found.facts), found.refused) == (repr(exported), [])
    assert format_at(content) is format_


def written(format_: Format) -> bytes:
    file = io.BytesIO()
    if format_ is FORMATS["parquet"]:
        parquet.write_table(TABLE, file)
    else:
        with ipc.new_stream(file, TABLE.schema) as writer:
            writer.write_table(TABLE)
    return file.getvalue()


@pytest.mark.parametrize("format_", ARROW_FORMATS)
@pytest.mark.parametrize("most", [1, 2, 100])
def test_columns_of_other_names_and_types_are_mapped(format_: Format, most: int) -> None:
    found = read(format_, written(format_), ReadOptions(table=TableOptions(COLUMNS)), most=most)
    assert [fact[:4] for fact in found.facts] == [("a", "p", "1", 0.5)]
    assert found.refused == [(2, "weight must be from 0 to 1, not 2.0"), (3, "subject must not be empty")]
    rest = read(format_, written(format_), ReadOptions(table=TableOptions(COLUMNS)), start=(1, 1))
    assert (rest.facts, [line for line, _ in rest.refused]) == ([], [2, 3])


@pytest.mark.parametrize("format_", ARROW_FORMATS)
def test_what_cannot_be_read_is_an_error(format_: Format) -> None:
    with pytest.raises(BadBeginning, match="no column is named 'subject', for the subject; the columns are from, how"):
        read(format_, written(format_))
    with pytest.raises(InputError, match="cannot be read on"):
        read(format_, written(format_)[:-20], ReadOptions(table=TableOptions(COLUMNS)))


def of_column(name: str, column: list[object] | pa.Array) -> bytes:
    file = io.BytesIO()
    rows = {"subject": [f"s{number}" for number in range(len(column))], "predicate": ["p"] * len(column)}
    parquet.write_table(pa.table({**rows, "object": ["o"] * len(column), name: column}), file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("column", "metadata"),
    [
        (
            [{"day": date(2020, 1, 2), "of": [1, None], "share": Decimal("0.5")}],
            '{"day":"2020-01-02","of":[1,null],"share":"0.5"}',
        ),
        (pa.array([[("a", [("b", 1)])]], pa.map_(pa.string(), pa.map_(pa.string(), pa.int64()))), '{"a":{"b":1}}'),
        (pa.array([[]], pa.map_(pa.string(), pa.int64())), None),
    ],
)
def test_nested_metadata_is_taken(column: list[object] | pa.Array, metadata: str | None) -> None:
    found = read(FORMATS["parquet"], of_column("metadata", column))
    assert ([fact.metadata for fact in found.facts], found.refused) == ([metadata], [])


def test_nested_values_are_their_json() -> None:
    found = read(FORMATS["parquet"], of_column("more", [{"a": True, "b": ["x"]}]))
    assert [fact.metadata for fact in found.facts] == [r'{"more":"{\"a\": true, \"b\": [\"x\"]}"}']


@pytest.mark.parametrize("name", ["object", "metadata", "more"])
def test_bytes_that_are_no_text_are_refused(name: str) -> None:
    found = read(FORMATS["parquet"], of_column(name, [b"\xff", b"{}"]))
    assert ([fact.subject for fact in found.facts], found.refused) == (["s1"], [(1, "is not UTF-8 at byte 1")])


def test_a_map_that_names_a_key_twice_is_no_object() -> None:
    twice = pa.array([[("a", 1), ("a", 2)]], pa.map_(pa.string(), pa.int64()))
    assert read(FORMATS["parquet"], of_column("metadata", twice)).refused == [(1, "metadata must be a JSON object")]
