"""Facts of Turtle in which all that is said of a fact stands right after it: `:s :p :o {| skg:weight 0.9 |} .`"""

from collections import deque
from collections.abc import Iterable, Iterator

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


def facts_first(quads: Iterable[tuple[Quad, int]]) -> Iterator[tuple[Quad, int]]:
    """The quads with their lines, and each fact before the nodes that stand for it.

    The parser has the first node of a fact with a string before the fact. Only the quad after it tells that it is not
    a further node of the same fact as it was stated earlier.
    """
    node: tuple[Quad, int] | None = None
    for quad, line in quads:
        if node is not None:
            before, node = node, None
            if quad.triple == before[0].object:
                yield quad, line
                yield before
                continue
            yield before
        if quad.predicate == REIFIES and isinstance(quad.object, Triple):
            node = quad, line
        else:
            yield quad, line
    if node is not None:
        yield node


class Annotations:
    """Annotations: what is said of the facts that are being gathered."""

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
        # Nodes of which something is said that becomes a fact itself.
        self._kept: set[Term] = set()

    def take(self, quad: Quad, line: int) -> None:
        """Add the fact of a quad, or what it says of another. What stands for no fact is a fact itself."""
        predicate = quad.predicate
        if predicate == REIFIES and isinstance(quad.object, Triple):
            place = self._place_of(quad.object)
            if place is not None:
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
        self._facts.add(subject, predicate, object_, line)
        self._last.append(quad)

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
