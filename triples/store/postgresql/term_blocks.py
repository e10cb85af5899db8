"""Blocks of the index of terms: terms with consecutive ids that one writer makes together share a row of it.

A row costs the server about as much as what is indexed of one term, and what the terms of a batch have in common is
indexed once. `trigrams` are those of all, and `ends` the place of each term's last one among them; a row without `ends`
is of one term. Whoever searches tries the terms of a block one by one, so blocks are small. Nor is a row as large as
those that PostgreSQL compresses.
"""

from array import array
from collections.abc import Sequence

from triples.store.postgresql.arrays import integers, numbers
from triples.store.postgresql.round_trips import Statement

INDEX = "triples_term_search"
# Blocks of sixteen gain no more, and a search for a frequent trigram takes three times as long as without blocks.
MOST_TERMS = 8
_MOST_TRIGRAMS = 400

_INSERT = (
    f"INSERT INTO {INDEX} (term_id, trigrams, ends) SELECT g.id, (%s::integer[])[g.first:g.last],"
    " (%s::integer[])[g.head:g.tail] FROM unnest"
    "(%s::bigint[], %s::integer[], %s::integer[], %s::integer[], %s::integer[]) AS g (id, first, last, head, tail)"
)
# Of the rows `b`, the terms by their places; and the trigrams of one.
EACH_TERM = "generate_series(1, coalesce(cardinality(b.ends), 1)) AS m (place)"
TERM_ID = "b.term_id + m.place - 1"
ITS_TRIGRAMS = (
    "CASE WHEN b.ends IS NULL THEN b.trigrams"
    " ELSE b.trigrams[coalesce(b.ends[m.place - 1], 0) + 1 : b.ends[m.place]] END"
)
# Only those terms that have this trigram, which takes less time than to try each.
EACH_TERM_WITH = (
    "(SELECT DISTINCT coalesce(width_bucket(p - 1, b.ends), 0) + 1 AS place"
    " FROM unnest(array_positions(b.trigrams, {})) AS p) AS m"
)
# That a row is of the term with an id: it begins at it, or at one of the few before it.
HAS_TERM = (
    f"b.term_id > {{0}} - {MOST_TERMS} AND b.term_id <= {{0}} AND b.term_id + coalesce(cardinality(b.ends), 1) > {{0}}"
)
# Of the terms with these ids. The other terms of their blocks get rows of their own.
FORGET = (
    f"WITH gone AS (DELETE FROM {INDEX} AS b USING unnest(%s::bigint[]) AS k (id) WHERE {HAS_TERM.format('k.id')}"
    " RETURNING b.term_id, b.trigrams, b.ends)"
    f" INSERT INTO {INDEX} (term_id, trigrams) SELECT {TERM_ID}, {ITS_TRIGRAMS} FROM gone AS b CROSS JOIN {EACH_TERM}"
    f" WHERE b.ends IS NOT NULL AND EXISTS (SELECT 1 FROM triples_term WHERE id = {TERM_ID})"
)


def insert_blocks(ids: Sequence[int], ends: Sequence[int], trigrams: "array[int]") -> Statement:
    """The statement that indexes terms with rising ids. `ends` are the places of each one's last trigram."""
    heads = _heads(ids, ends)
    tails = [*heads[1:], len(ids)]
    firsts = [ends[head - 1] if head else 0 for head in heads]
    own_ends = array("i", ends)
    for head, tail, first in zip(heads, tails, firsts, strict=True):
        if first:
            own_ends[head:tail] = array("i", [end - first for end in ends[head:tail]])
    columns = (
        [first + 1 for first in firsts],
        [ends[tail - 1] for tail in tails],
        [head + 1 for head in heads],
        tails,
    )
    parameters = (
        integers(trigrams),
        integers(own_ends),
        numbers([ids[head] for head in heads]),
        *(integers(array("i", column)) for column in columns),
    )
    return _INSERT, parameters


def _heads(ids: Sequence[int], ends: Sequence[int]) -> list[int]:
    """The places of the terms that begin a block."""
    heads = [0]
    for place in range(1, len(ids)):
        head = heads[-1]
        before = ends[head - 1] if head else 0
        if (
            ids[place] - ids[head] != place - head
            or place - head == MOST_TERMS
            or ends[place] - before > _MOST_TRIGRAMS
        ):
            heads.append(place)
    return heads
