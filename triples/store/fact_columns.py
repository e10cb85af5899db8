"""Many facts as Arrow columns: to work on all of them at once takes a fraction of the time."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, count, repeat
from typing import overload

import pyarrow as pa
import pyarrow.compute as pc

from triples.models import Source
from triples.store.operations import Fact

# Texts are of this type, since those of many facts can exceed the 2 GiB of Arrow's `string`.
TEXT = pa.large_string()
# `subject`, `predicate` and `object` are indexes into an array of texts.
PLACES = pa.schema(
    [
        pa.field("subject", pa.int32(), nullable=False),
        pa.field("predicate", pa.int32(), nullable=False),
        pa.field("object", pa.int32(), nullable=False),
        pa.field("weight", pa.float64(), nullable=False),
        pa.field("metadata", TEXT),
    ]
)
KEY = ("subject_id", "object_id", "predicate_id")
# An iteration makes this many facts at a time.
_FACTS_AT_ONCE = 10_000


class FactColumns(Sequence[Fact]):
    """A sequence of facts from one source. `texts` may hold a text several times."""

    def __init__(self, texts: pa.Array, places: pa.Table, source: Source) -> None:
        self._texts = texts
        self._places = places
        self.source = source

    @classmethod
    def of(cls, facts: Sequence[Fact]) -> "FactColumns":
        """The facts, of which there must be at least one, as columns."""
        if isinstance(facts, cls):
            return facts
        subjects, predicates, objects, weights, metadata, sources = zip(*facts, strict=True)
        places = dict(zip(dict.fromkeys(chain(subjects, predicates, objects)), count()))
        terms = [list(map(places.__getitem__, texts)) for texts in (subjects, predicates, objects)]
        table = pa.table([*terms, weights, metadata], schema=PLACES)
        return cls(pa.array(places, TEXT, size=len(places)), table, sources[0])

    @cached_property
    def texts(self) -> list[str]:
        """The texts, which take several times as much memory so."""
        texts: list[str] = self._texts.to_pylist()
        return texts

    def __len__(self) -> int:
        return int(self._places.num_rows)

    @overload
    def __getitem__(self, place: int) -> Fact: ...

    @overload
    def __getitem__(self, place: slice) -> list[Fact]: ...

    def __getitem__(self, place: int | slice) -> Fact | list[Fact]:
        if isinstance(place, int):
            return self[place : place + 1 or None][0]
        chosen = range(len(self))[place]
        if chosen.step == 1:
            return self._facts(self._places.slice(chosen.start, len(chosen)))
        return self._facts(self._places.take(pa.array(chosen, pa.int64())))

    def __iter__(self) -> Iterator[Fact]:
        for start in range(0, len(self), _FACTS_AT_ONCE):
            yield from self[start : start + _FACTS_AT_ONCE]

    def rows(self, ids: Mapping[str, int], *, keep_last: bool) -> pa.Table:
        """The facts by the ids of their texts, sorted by key; of those with the same key the first or the last."""
        found = pa.array(map(ids.__getitem__, self.texts), pa.int64(), size=len(self.texts))
        subjects, predicates, objects, weights, metadata = self._places.columns
        keys = [found.take(places.combine_chunks()) for places in (subjects, objects, predicates)]
        table = pa.table([*keys, weights, metadata], [*KEY, "weight", "metadata"])
        # Arrow leaves those with the same key in their order.
        return _distinct(table.sort_by([(name, "ascending") for name in KEY]), keep_last=keep_last)

    def heaviest(self) -> "FactColumns":
        """The facts in their order; of those that are the same fact only the heaviest, or the first of these."""
        weights = self._places["weight"]
        found = self._texts.dictionary_encode().indices
        keys = list(map(found.take, _terms(self._places)))
        table = pa.table([*keys[::2], keys[1], weights], [*KEY, "weight"])
        if table.group_by(list(KEY), use_threads=False).aggregate([]).num_rows == len(self):
            return self
        table = table.append_column("place", pa.array(range(len(self)), pa.int64()))
        order: list[tuple[str, str]] = [(name, "ascending") for name in KEY]
        places = _distinct(table.sort_by([*order, ("weight", "descending")]), keep_last=False)["place"]
        chosen = places.combine_chunks()
        return FactColumns(self._texts, self._places.take(chosen.take(pc.sort_indices(chosen))), self.source)

    def only(self, kept: pa.Array) -> "FactColumns":
        """The facts for which `kept` is true, without the texts of the others."""
        table = self._places.filter(kept)
        terms = _terms(table)
        used = pc.unique(pa.concat_arrays(terms))
        moved = _with_terms(table, [pc.index_in(places, value_set=used) for places in terms])
        return FactColumns(self._texts.take(used), moved, self.source)

    def _facts(self, places: pa.Table) -> list[Fact]:
        columns = [column.to_pylist() for column in places.columns]
        text = self.texts.__getitem__
        subjects, predicates, objects = (map(text, column) for column in columns[:3])
        weights, metadata = columns[3:]
        return list(map(Fact, subjects, predicates, objects, weights, metadata, repeat(self.source)))

    def characters(self) -> int:
        metadata = self._places["metadata"]
        texts: int = pc.sum(pc.utf8_length(self._texts)).as_py() or 0
        return texts if metadata.null_count == len(self) else texts + (pc.sum(pc.binary_length(metadata)).as_py() or 0)

    @classmethod
    def joined(cls, parts: Sequence["FactColumns"]) -> "FactColumns":
        """The facts of all parts, of which there must be at least one. No text is there several times."""
        encoded = pa.concat_arrays([part._texts for part in parts]).dictionary_encode()
        tables: list[pa.Table] = []
        start = 0
        for part in parts:
            found = encoded.indices[start : start + len(part._texts)]
            tables.append(_with_terms(part._places, list(map(found.take, _terms(part._places)))))
            start += len(part._texts)
        return cls(encoded.dictionary, pa.concat_tables(tables), parts[0].source)


def characters(facts: Sequence[Fact]) -> int:
    """The length of the texts in memory for these facts."""
    if isinstance(facts, FactColumns):
        return facts.characters()
    return sum([len(fact.subject) + len(fact.object) + len(fact.metadata or "") for fact in facts])


def joined(parts: Sequence[Sequence[Fact]]) -> Sequence[Fact]:
    """The facts of all parts, one after the other; by columns if some are. All have the same source."""
    if not any(isinstance(part, FactColumns) for part in parts):
        return list(chain.from_iterable(parts))
    return FactColumns.joined([FactColumns.of(part) for part in parts if part])


def _terms(places: pa.Table) -> list[pa.Array]:
    """The subjects, predicates and objects of a table of PLACES."""
    return [places[name].combine_chunks() for name in PLACES.names[:3]]


def _with_terms(places: pa.Table, terms: Sequence[pa.Array]) -> pa.Table:
    return pa.table([*terms, *places.columns[3:]], schema=PLACES)


def _distinct(table: pa.Table, *, keep_last: bool) -> pa.Table:
    """The first or the last of sorted rows with the same key."""
    as_next: pa.Array | None = None
    for name in KEY:
        column = table[name].combine_chunks()
        equal = pc.equal(column[1:], column[:-1])
        as_next = equal if as_next is None else pc.and_(as_next, equal)
    if not pc.any(as_next).as_py():
        return table
    end, others = pa.array([True]), pc.invert(as_next)
    return table.filter(pa.concat_arrays([others, end] if keep_last else [end, others]))
