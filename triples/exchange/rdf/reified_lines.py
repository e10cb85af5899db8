"""A fast reader of N-Triples in which what is said of a fact stands right after it, as exports have it: in blocks."""

from collections.abc import Callable, Generator, Iterator
from io import BufferedReader, BytesIO
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
from pyoxigraph import Literal

from triples.exchange.fields import metadata_of
from triples.exchange.formats.base import Part, Reading
from triples.exchange.rdf.annotated import weight_in
from triples.exchange.rdf.blocks import Blocks
from triples.exchange.rdf.clean_texts import CleanTexts
from triples.exchange.rdf.columns import facts_of_terms
from triples.exchange.rdf.options import GRAPH
from triples.exchange.rdf.reading import RdfReader
from triples.exchange.rdf.terms import TermTexts
from triples.fact_validation import metadata_text
from triples.store.fact_columns import FactColumns

_MOST_WEIGHTS = 100_000


class ReifiedLines:
    """Reads blocks that are apart. `others` makes a reader of lines after a line, of which so many facts are stored."""

    def __init__(
        self,
        blocks: Blocks,
        reading: Reading,
        texts: TermTexts,
        others: Callable[[BufferedReader, int, int], RdfReader] | None,
    ) -> None:
        """Without `others`, the parts end before the first such lines."""
        self._blocks = blocks
        self._reading = reading
        self._texts = texts
        self._others = others
        self._weights: dict[str, float] = {}

    def parts(self, start: int) -> Generator[Part, None, int | None]:
        """The parts after `start` facts. Their ends are numbers of facts.

        Returns the number of facts that were taken, or None if these are all.
        """
        count = line = offset = 0
        for span, columns in self._blocks:
            facts = None if columns is None else self._facts(columns)
            if columns is not None and facts is not None:
                yield from self._parts_of(columns, facts, start, count, line)
                count += len(columns)
            elif self._others is None:
                return max(count, start)
            else:
                lines = cast("BufferedReader", BytesIO(self._blocks.content(offset, span.end)))
                reader = self._others(lines, line, max(start - count, 0))
                for part in reader.apart():
                    yield part._replace(end=count + part.end)
                count += reader.count
            line += span.lines
            offset = span.end
        return None

    def _parts_of(
        self, columns: pa.RecordBatch, facts: FactColumns, start: int, count: int, line: int
    ) -> Iterator[Part]:
        """The parts of a span, which comes after so many facts and lines."""
        made = max(start - count, 0)
        while made < len(columns):
            size = self._reading.most_lines()
            chosen = facts if size >= len(columns) > 0 == made else self._facts(columns.slice(made, size))
            assert chosen, "what can be stored does not depend on the facts around it"
            made += len(chosen)
            yield Part(chosen, line, count + made)

    def _facts(self, columns: pa.RecordBatch) -> FactColumns | None:
        """The facts. None if any is refused."""
        *terms, graphs, weights, metadata = columns.columns
        said = weights.dictionary_encode()
        try:
            values = pa.array(map(self._weight, said.dictionary.to_pylist()), pa.float64())
            about = self._described(metadata, graphs)
            return facts_of_terms(terms, values.take(said.indices), CleanTexts(self._texts), about)
        except ValueError:
            return None

    def _described(self, metadata: pa.Array, graphs: pa.Array) -> pa.Array:
        """The metadata of each fact, with the name of its graph."""
        said, named = metadata.dictionary_encode(), graphs.dictionary_encode()
        contents = [self._metadata(written) for written in said.dictionary.to_pylist()]
        names = [self._graph(written) for written in named.dictionary.to_pylist()]
        count = len(names)
        pairs = pc.add(pc.multiply(said.indices.cast(pa.int64()), count), named.indices).dictionary_encode()
        texts = [metadata_text(names[pair % count] | contents[pair // count]) for pair in pairs.dictionary.to_pylist()]
        return pa.array(texts, pa.large_string()).take(pairs.indices)

    def _graph(self, written: str) -> dict[str, Any]:
        return {GRAPH: self._texts.text_of_written(written)} if written else {}

    def _metadata(self, written: str) -> dict[str, Any]:
        if not written:
            return {}
        literal = self._texts.term_of_written(written)
        assert isinstance(literal, Literal)
        return metadata_of(literal.value) or {}

    def _weight(self, written: str) -> float:
        """The weight. Weights repeat, so some are remembered."""
        known, maker = self._weights, self._reading.maker
        if written not in known:
            if len(known) >= _MOST_WEIGHTS:
                known.clear()
            literal = self._texts.term_of_written(written) if written else None
            known[written] = maker.weight(None) if literal is None else weight_in(literal, maker)
        return known[written]
