"""Facts from the fields of a file, by the rules of the API."""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

from triples.exchange.fields import Fields
from triples.exchange.lines import Refused
from triples.exchange.records import Record
from triples.fact_validation import clean_predicate, clean_text, metadata_text
from triples.models import Source
from triples.store.operations import Fact
from triples.text import TermError

# Terms repeat often and soon, so this many cleaned terms are remembered.
REMEMBERED_TEXTS = 200_000


class Scale(NamedTuple):
    """Maps weights from [low, high] linearly to [0, 1]. If low is above high, the lowest becomes the heaviest."""

    low: float
    high: float

    @classmethod
    def parse(cls, text: str) -> "Scale":
        """The scale of FROM:TO. Raises ValueError if that is no range."""
        low, _, high = text.partition(":")
        scale = cls(float(low), float(high))
        if not (math.isfinite(scale.high - scale.low) and scale.low != scale.high):
            raise ValueError("FROM and TO must be two different numbers")
        return scale

    def apply(self, weight: float) -> float:
        low, high = self
        if not (low <= weight <= high or high <= weight <= low):
            raise Refused(f"weight must be from {low:g} to {high:g}, not {weight!r}")
        # Where that is -0.0, it becomes 0.0: they are equal, and yet differ in what is exported.
        return (weight - low) / (high - low) + 0.0


UNSCALED = Scale(0.0, 1.0)


class _Cleaned(dict[str, str]):
    """A dictionary from the texts of a file to clean terms. Each is cleaned at its first use."""

    def __init__(self, clean: Callable[[str], str]) -> None:
        super().__init__()
        self._clean = clean

    def __missing__(self, text: str) -> str:
        if len(self) >= REMEMBERED_TEXTS:
            self.clear()
        cleaned = self[text] = self._clean(text)
        return cleaned


class FactMaker:
    def __init__(self, default_weight: float, scale: Scale) -> None:
        """`default_weight` is for facts without a weight. It is not scaled."""
        self._default_weight = default_weight
        self._scale = scale
        self._texts = _Cleaned(clean_text)
        self._predicates = _Cleaned(clean_predicate)

    def facts(self, records: Iterable[Record], refuse: Callable[[int, Refused], None]) -> list[Fact]:
        """The facts of the records. A record that is no fact is refused with its line."""
        texts, predicates, weight, source = self._texts, self._predicates, self._default_weight, Source.IMPORT
        facts: list[Fact] = []
        for line, fields in records:
            if isinstance(fields, list):
                subject, predicate, object_ = fields
                try:
                    facts.append(Fact(texts[subject], predicates[predicate], texts[object_], weight, None, source))
                    continue
                except TermError:
                    # `fact` finds out which of the three texts is wrong.
                    fields = Fields(subject, predicate, object_, None, None)  # noqa: PLW2901
            try:
                if isinstance(fields, Refused):
                    raise fields
                facts.append(self.fact(fields))
            except Refused as reason:
                refuse(line, reason)
        return facts

    def fact(self, fields: Fields) -> Fact:
        """The fact with these fields, or Refused."""
        name = "subject"
        try:
            subject = self._texts[fields.subject]
            name = "predicate"
            predicate = self._predicates[fields.predicate]
            name = "object"
            object_ = self._texts[fields.object]
            name = "metadata"
            metadata = metadata_text(fields.metadata)
        except ValueError as error:
            raise Refused(f"{name} {error}") from None
        return Fact(subject, predicate, object_, self.weight(fields.weight), metadata, Source.IMPORT)

    def weight(self, given: float | None) -> float:
        """The weight of a fact, from the value of its field; or Refused."""
        return self._default_weight if given is None else self._scale.apply(given)
