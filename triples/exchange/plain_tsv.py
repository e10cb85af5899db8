"""A fast parser for plain lines of TSV. It works on columns, and checks each text once, however often it occurs.

If a line is not plain, the other modules parse all of them, line by line, and give reasons for refusals. The results
are the same.
"""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from triples.exchange.facts import FactMaker
from triples.exchange.fields import NAMES, REQUIRED, metadata_of, weight_of
from triples.exchange.lines import BYTE_ORDER_MARK
from triples.exchange.term_columns import clean_terms
from triples.fact_validation import LONGEST_PREDICATE, LONGEST_TERM, clean_predicate, clean_text, metadata_text
from triples.models import Source
from triples.store.fact_columns import PLACES, TEXT, FactColumns

_PARSE = csv.ParseOptions(delimiter="\t", quote_char=False, double_quote=False, escape_char=False)


def plain_facts(content: bytes, maker: FactMaker, names: Sequence[str] | None = None) -> FactColumns | None:
    """The facts of whole lines, whose columns a header may have named.

    None unless all lines have the same columns and none is refused.
    """
    try:
        table = _table(content, names)
        return None if table is None else _facts(table, maker)
    except ValueError:
        # Arrow's errors are ValueErrors, too: for lines with other columns than the first, and for text not in UTF-8.
        return None


def _table(content: bytes, header: Sequence[str] | None) -> pa.Table | None:
    columns = content.count(b"\t", 0, content.index(b"\n")) + 1
    names = (header or NAMES)[:columns]
    # Arrow takes every carriage return for a line end, and drops every byte order mark.
    if len(names) < columns or not set(REQUIRED) <= set(names) or content.startswith(BYTE_ORDER_MARK):
        return None
    if content.count(b"\r") != content.count(b"\r\n"):
        return None
    return csv.read_csv(
        pa.BufferReader(content),
        read_options=csv.ReadOptions(column_names=names, use_threads=False, block_size=len(content) + 1),
        parse_options=_PARSE,
        convert_options=csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
    )


def _facts(table: pa.Table, maker: FactMaker) -> FactColumns:
    lines = table.num_rows
    columns = {name: column.combine_chunks() for name, column in zip(table.column_names, table.columns, strict=True)}
    ends = pa.concat_arrays([columns["subject"], columns["object"]]).dictionary_encode()
    predicates = columns["predicate"].dictionary_encode()
    of_ends = clean_terms(ends.dictionary, clean_text, LONGEST_TERM)
    of_predicates = clean_terms(predicates.dictionary, clean_predicate, LONGEST_PREDICATE)
    predicate_places = pc.add(predicates.indices, pa.scalar(len(of_ends), pa.int32()))
    weights = pa.repeat(maker.weight(None), lines)
    if "weight" in columns:
        given = columns["weight"].dictionary_encode()
        distinct = [maker.weight(weight_of(text)) for text in given.dictionary.to_pylist()]
        weights = pa.array(distinct, pa.float64()).take(given.indices)
    metadata = pa.nulls(lines, TEXT)
    if "metadata" in columns:
        given = columns["metadata"].dictionary_encode()
        kept = [metadata_text(metadata_of(text)) for text in given.dictionary.to_pylist()]
        metadata = pa.array(kept, TEXT).take(given.indices)
    places = [ends.indices[:lines], predicate_places, ends.indices[lines:], weights, metadata]
    texts = pa.concat_arrays([of_ends, of_predicates])
    return FactColumns(texts, pa.table(places, schema=PLACES), Source.IMPORT)
