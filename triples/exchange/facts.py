"""Fields of a file as facts to be stored, by the rules that the API has."""

import math
from functools import lru_cache
from typing import NamedTuple

from triples.admission import clean_predicate, clean_text, metadata_text
from triples.exchange.fields import Fields
from triples.exchange.lines import Refused
from triples.models import Source
from triples.store.operations import Fact

# Terms come again and again, mostly soon; what was cleaned is remembered for that long.
REMEMBERED_TEXTS = 50_000


class Scale(NamedTuple):
    """Brings weights of [low, high] linearly to [0, 1]; with low above high, the lowest is the heaviest."""

    low: float
    high: float

    @classmethod
    def parse(cls, text: str) -> "Scale":
        """From FROM:TO; ValueError when that is no range."""
        low, _, high = text.partition(":")
        scale = cls(float(low), float(high))
        if not (math.isfinite(scale.high - scale.low) and scale.low != scale.high):
            raise ValueError("FROM and TO must be two different numbers")
        return scale

    def apply(self, weight: float) -> float:
        low, high = self
        if not (low <= weight <= high or high <= weight <= low):
            raise Refused(f"weight must be from {low:g} to {high:g}, not {weight!r}")
        return (weight - low) / (high - low)


UNSCALED = Scale(0.0, 1.0)


class FactMaker:
    def __init__(self, default_weight: float, scale: Scale) -> None:
        """`default_weight` is for facts without one; it is not scaled."""
        self._default_weight = default_weight
        self._scale = scale
        self._clean_text = lru_cache(REMEMBERED_TEXTS)(clean_text)
        self._clean_predicate = lru_cache(REMEMBERED_TEXTS)(clean_predicate)

    def fact(self, fields: Fields) -> Fact:
        """The fact that the fields make, or Refused."""
        name = "subject"
        try:
            subject = self._clean_text(fields.subject)
            name = "predicate"
            predicate = self._clean_predicate(fields.predicate)
            name = "object"
            object_ = self._clean_text(fields.object)
            name = "metadata"
            metadata = metadata_text(fields.metadata)
        except ValueError as error:
            raise Refused(f"{name} {error}") from None
        weight = self._default_weight if fields.weight is None else self._scale.apply(fields.weight)
        return Fact(subject, predicate, object_, weight, metadata, Source.IMPORT)
