"""The 17 shapes of the Wikidata graph pattern benchmark, and questions of each that are drawn from a graph.

The shapes are those of Hogan et al., "A worst-case optimal join algorithm for SPARQL", ISWC 2019.
"""

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from urllib.parse import quote

# Each edge goes from one variable to another. Every edge but the first begins or ends where others have been.
SHAPES: Mapping[str, Sequence[str]] = {
    # Paths.
    "P2": ("ab", "bc"),
    "P3": ("ab", "bc", "cd"),
    "P4": ("ab", "bc", "cd", "de"),
    # Stars out of a term, and into it.
    "T2": ("ab", "ac"),
    "T3": ("ab", "ac", "ad"),
    "T4": ("ab", "ac", "ad", "ae"),
    "TI2": ("ba", "ca"),
    "TI3": ("ba", "ca", "da"),
    "TI4": ("ba", "ca", "da", "ea"),
    # Trees: into a term and out of it.
    "J3": ("ba", "ca", "ad"),
    "J4": ("ba", "ca", "ad", "ae"),
    # Triangles.
    "Tr1": ("ab", "bc", "ca"),
    "Tr2": ("ab", "bc", "ac"),
    # Squares.
    "S1": ("ab", "bc", "cd", "da"),
    "S2": ("ab", "bc", "cd", "ad"),
    "S3": ("ab", "bc", "ad", "dc"),
    "S4": ("ab", "cb", "cd", "ad"),
}
# The answers that are asked for; a graph may have millions.
LIMIT = 1_000
_BASE = "http://example.org/"
# Walks that do not close are tried again; a graph may have no triangle at all.
_TRIES = 4_000

Fact = Sequence[str]
# The patterns, each of a variable, a predicate and a variable.
Drawn = list[tuple[str, str, str]]
# The terms of each answer.
Answers = Sequence[Sequence[str]]


def drawn(facts: Iterable[Fact], count: int, seed: int) -> dict[str, list[Drawn]]:
    """Up to so many different questions of each shape, each with an answer whose terms all differ."""
    graph, random = _Graph(facts), Random(seed)
    return {shape: graph.questions(edges, count, random) for shape, edges in SHAPES.items()}


def iri(term: str) -> str:
    """The IRI of a name, or of an IRI itself."""
    return term if term.startswith(_BASE) else _BASE + quote(term, safe="")


def names(drawn: Drawn) -> list[str]:
    """The variables in the order in which they come."""
    return list(dict.fromkeys(name for one, _, other in drawn for name in (one, other)))


def sparql(drawn: Drawn) -> str:
    patterns = " . ".join(f"?{one} <{iri(predicate)}> ?{other}" for one, predicate, other in drawn)
    return f"SELECT {' '.join(f'?{name}' for name in names(drawn))} {{ {patterns} }} LIMIT {LIMIT}"


def compare(drawn: Drawn, *found: Answers) -> None:
    """Fail if the answers differ, whose terms may be names or their IRIs."""
    sets = [{tuple(map(iri, answer)) for answer in answers} for answers in found]
    for answers, different in zip(found, sets, strict=True):
        assert len(answers) == len(different) == len(found[0]), (drawn, len(answers), len(different), len(found[0]))
        # Of more answers, each may have found others.
        if len(answers) < LIMIT:
            assert different == sets[0], drawn


class _Graph:
    """The facts by subject, by object, and by both."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._facts = list(facts)
        self._by: dict[tuple[str | None, str | None], list[Fact]] = {}
        for fact in self._facts:
            subject, _, object_ = fact
            for key in ((subject, None), (None, object_), (subject, object_)):
                self._by.setdefault(key, []).append(fact)

    def questions(self, edges: Sequence[str], count: int, random: Random) -> list[Drawn]:
        found: dict[tuple[str, ...], Drawn] = {}
        for _ in range(count * _TRIES):
            if len(found) == count:
                break
            predicates = self._walk(edges, random)
            if predicates is not None:
                found[predicates] = [(edge[0], one, edge[1]) for edge, one in zip(edges, predicates, strict=True)]
        return list(found.values())

    def _walk(self, edges: Sequence[str], random: Random) -> tuple[str, ...] | None:
        """The predicates of facts, drawn at random, that make up the shape; None if one was missing."""
        terms: dict[str, str] = {}
        predicates: list[str] = []
        for edge in edges:
            source, target = edge[0], edge[1]
            key = terms.get(source), terms.get(target)
            facts = self._by.get(key, ()) if any(key) else self._facts
            if not facts:
                return None
            terms[source], predicate, terms[target] = random.choice(facts)
            predicates.append(predicate)
        return tuple(predicates) if len(set(terms.values())) == len(terms) else None
