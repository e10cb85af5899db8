"""Facts of RDF as columns: each term becomes a text once in a part, however often it stands there."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
from pyoxigraph import NamedNode, Triple

from triples.exchange.facts import FactMaker
from triples.exchange.fields import REQUIRED
from triples.exchange.lines import Refused
from triples.exchange.rdf.terms import Term, TermTexts
from triples.fact_validation import clean_predicate, clean_text, metadata_text
from triples.models import Source
from triples.store.fact_columns import PLACES, TEXT, FactColumns

NO_FACTS = ()


class Gathering:
    """The facts of one part. `refuse` is called for each that is none.

    The terms are kept as N-Triples writes them. Facts of `unread_lines`, which were refused as a whole, are left out.
    """

    def __init__(
        self, maker: FactMaker, texts: TermTexts, refuse: Callable[[int, Refused], None], unread_lines: set[int]
    ) -> None:
        self._maker = maker
        self.texts = texts
        self._refuse = refuse
        self._unread_lines = unread_lines
        self._begin()

    def _begin(self) -> None:
        self.subjects: list[str] = []
        self.predicates: list[str] = []
        self.objects: list[str] = []
        self.lines: list[int] = []
        # By the places of their facts; most facts have none of these.
        self._weights: dict[int, float] = {}
        self._metadata: dict[int, dict[str, Any]] = {}
        self._faults: dict[int, Refused] = {}

    def __len__(self) -> int:
        return len(self.subjects)

    def add(self, subject: Term, predicate: NamedNode, object_: Term, line: int) -> int:
        """Add a fact. Returns its place."""
        first, last = str(subject), f"<<( {object_} )>>" if isinstance(object_, Triple) else str(object_)
        for written, term in ((first, subject), (last, object_)):
            if written[0] == "_":
                # It may be numbered, by its place in the file.
                self.texts.text(term)
        self.subjects.append(first)
        self.predicates.append(str(predicate))
        self.objects.append(last)
        self.lines.append(line)
        return len(self.subjects) - 1

    def weigh(self, place: int, weight: float) -> None:
        """Give a fact a weight. The greatest of several holds."""
        self._weights[place] = max(weight, self._weights.get(place, 0.0))

    def say(self, place: int, key: str, value: Any) -> None:
        """Add to a fact's metadata. Several values of a key become a list."""
        metadata = self._metadata.setdefault(place, {})
        before = metadata.setdefault(key, value)
        if before != value:
            metadata[key] = [*before, value] if isinstance(before, list) else [before, value]

    def describe(self, place: int, metadata: Mapping[str, Any]) -> None:
        self._metadata.setdefault(place, {}).update(metadata)

    def fault(self, place: int, reason: Refused) -> None:
        """Refuse a fact that was added."""
        self._faults.setdefault(place, reason)

    def taken(self) -> Sequence[Any]:
        """The facts so far; then the next part begins."""
        count = len(self)
        texts: list[str] = []
        ends = _Column(self.subjects + self.objects, self.texts, clean_text, texts)
        verbs = _Column(self.predicates, self.texts, clean_predicate, texts)
        metadata = self._metadata_column(count)
        for name, column, start in zip(REQUIRED, (ends, verbs, ends), (0, 0, count), strict=True):
            for place, reason in column.faults(start, count):
                self.fault(place, Refused(f"{name} {reason}"))
        places = [ends.places[:count], verbs.places, ends.places[count:]]
        table = pa.table([*places, self._weight_column(count), metadata], schema=PLACES)
        facts = FactColumns(pa.array(texts, TEXT), table, Source.IMPORT)
        unread = self._unread_lines
        if self._faults or unread:
            faults = {place: reason for place, reason in self._faults.items() if self.lines[place] not in unread}
            for place in sorted(faults):
                self._refuse(self.lines[place], faults[place])
            kept = [line not in unread and place not in faults for place, line in enumerate(self.lines)]
            facts = facts.only(pa.array(kept, pa.bool_()))
        self._begin()
        return facts or NO_FACTS

    def _weight_column(self, count: int) -> pa.Array:
        default = self._maker.weight(None)
        if not self._weights:
            return pa.repeat(default, count)
        return pa.array([self._weights.get(place, default) for place in range(count)], pa.float64())

    def _metadata_column(self, count: int) -> pa.Array:
        texts: dict[int, str | None] = {}
        for place, metadata in self._metadata.items():
            try:
                texts[place] = metadata_text(metadata)
            except (ValueError, orjson.JSONEncodeError) as error:
                self.fault(place, Refused(f"metadata {error}"))
        if not texts:
            return pa.nulls(count, TEXT)
        return pa.array(map(texts.get, range(count)), TEXT, size=count)


class _Column:
    """Terms as places in a list of texts, to which their texts are added."""

    def __init__(self, written: Sequence[str], texts: TermTexts, clean: Callable[[str], str], found: list[str]) -> None:
        encoded = pa.array(written, pa.string()).dictionary_encode()
        self._indices = encoded.indices
        self._reasons: dict[int, str] = {}
        start = len(found)
        for place, term in enumerate(encoded.dictionary.to_pylist()):
            try:
                found.append(clean(texts.text_of_written(term)))
            except ValueError as error:
                self._reasons[place] = str(error)
                found.append("")
        self.places = pc.add(self._indices, pa.scalar(start, pa.int32())) if start else self._indices

    def faults(self, start: int, count: int) -> Iterable[tuple[int, str]]:
        """The places of the terms, among `count` from `start` on, that cannot be stored, and why."""
        if not self._reasons:
            return ()
        indices = self._indices[start : start + count].to_pylist()
        return ((place, self._reasons[index]) for place, index in enumerate(indices) if index in self._reasons)
