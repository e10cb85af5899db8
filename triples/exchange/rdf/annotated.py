"""Facts of Turtle in which all that is said of a fact stands right after it: `:s :p :o {| skg:weight 0.9 |} .`"""

from collections import deque

from pyoxigraph import Literal, NamedNode, Quad, Triple

from triples.exchange.facts import FactMaker
from triples.exchange.fields import metadata_of, weight_of
from triples.exchange.lines import Refused
from triples.exchange.rdf.gathering import Gathering
from triples.exchange.rdf.options import METADATA, UNKEPT, RdfOptions
from triples.exchange.rdf.terms import Term

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
REIFIES = NamedNode(f"{RDF}reifies")
_METADATA = NamedNode(METADATA)
_UNKEPT = frozenset(map(NamedNode, UNKEPT))
# The most facts that an annotation may nest before the next one of the same fact.
_NESTED = 100
_REMEMBERED = 10_000


def weight_in(literal: Term, maker: FactMaker) -> float:
    """The weight that is said of a fact. Raises Refused."""
    if not isinstance(literal, Literal):
        raise Refused("weight must be a number")
    return maker.weight(weight_of(literal.value))


class Annotations:
    """What is said of the facts that are being gathered."""

    def __init__(self, facts: Gathering, maker: FactMaker, options: RdfOptions) -> None:
        self._facts = facts
        self._maker = maker
        self._takes_all = options.metadata
        self._weights = frozenset(map(NamedNode, options.weight_properties))
        self._known: dict[Term, float] = {}
        self.begin()

    def begin(self) -> None:
        """Begin the next part."""
        # The fact that is annotated, by the node that stands for it: its place, and its triple.
        self._annotated: dict[Term, tuple[int, Triple]] = {}
        # The last facts: between a fact and its second annotation stands what the first one nests.
        self._last: deque[Quad] = deque(maxlen=_NESTED)
        # Nodes that come before the facts that they stand for, as the parser has it where the object is a string.
        self._waiting: list[tuple[Quad, int]] = []
        # Nodes of which something is said that becomes a fact itself.
        self._kept: set[Term] = set()

    @property
    def is_waiting(self) -> bool:
        return bool(self._waiting)

    def take(self, quad: Quad, line: int) -> None:
        """Add the fact of a quad, or what it says of another."""
        predicate = quad.predicate
        if predicate == REIFIES and isinstance(quad.object, Triple):
            place = self._place_of(quad.object)
            if place is None:
                self._waiting.append((quad, line))
            else:
                self._annotated[quad.subject] = (place, quad.object)
            return
        subject, object_ = quad.subject, quad.object
        if self._annotated and (found := self._annotated.get(subject)) is not None:
            place, triple = found
            if self._is_said(place, predicate, object_):
                return
            if subject not in self._kept:
                self._kept.add(subject)
                self._facts.add(subject, REIFIES, triple, line)
                self._last.append(Quad(subject, REIFIES, triple))
        place = self._facts.add(subject, predicate, object_, line)
        self._last.append(quad)
        if self._waiting:
            self._meet(quad.triple, place)

    def end(self) -> None:
        """What stands for no fact is a fact itself."""
        for quad, line in self._waiting:
            self._facts.add(quad.subject, quad.predicate, quad.object, line)
        self._waiting = []

    def _meet(self, triple: Triple, place: int) -> None:
        for quad, _ in self._waiting:
            if quad.object == triple:
                self._annotated[quad.subject] = (place, triple)
        self._waiting = [(quad, line) for quad, line in self._waiting if quad.object != triple]

    def _place_of(self, triple: Term) -> int | None:
        if not self._last:
            return None
        place = len(self._facts) - 1
        if self._last[-1].triple == triple:
            return place
        return next((place - back for back, quad in enumerate(reversed(self._last)) if quad.triple == triple), None)

    def _weight(self, value: Term) -> float:
        """The weight that is said. Weights repeat, so some are remembered."""
        weight = self._known.get(value)
        if weight is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            weight = self._known[value] = weight_in(value, self._maker)
        return weight

    def _is_said(self, place: int, predicate: NamedNode, value: Term) -> bool:
        """Take what is said of a fact. False if it is to be a fact itself."""
        try:
            if predicate in self._weights:
                self._facts.weigh(place, self._weight(value))
            elif predicate == _METADATA and isinstance(value, Literal):
                self._facts.describe(place, metadata_of(value.value) or {})
            elif self._takes_all and predicate not in _UNKEPT:
                texts = self._facts.texts
                self._facts.say(place, texts.text(predicate), texts.text(value))
            elif predicate not in _UNKEPT:
                return False
        except Refused as reason:
            self._facts.fault(place, reason)
        return True
