"""Names in questions that no fact has where they stand: typing errors of the model's, for the most part."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from triples.mcp.answers import quoted
from triples.patterns import Variable
from triples.query.finding_answers import Expired
from triples.query.graph_facts import GraphFacts
from triples.query.term_places import PLACES, Place
from triples.query.term_reads import WantedTerms
from triples.services.graph import graph

MOST_ALIKE = 3
# Each costs a search.
MOST_TOLD = 3

AskedPlaces = Sequence[str | Variable | None]


class Name(NamedTuple):
    text: str
    place: Place


class Missing(NamedTuple):
    """A name that no fact has in this place, and those that may be meant, quoted."""

    name: Name
    alike: list[str]

    def __str__(self) -> str:
        told = f"No fact has the {self.name.place} {quoted(self.name.text)}."
        if self.alike:
            return f"{told} Did you mean {' or '.join(self.alike)}?"
        return f'{told} Find names with search_terms (position "{self.name.place}").'


async def missing_names(patterns: Iterable[AskedPlaces]) -> list[Missing]:
    """The first names that no fact has where they stand, predicates before others."""
    wanted = list(
        dict.fromkeys(
            Name(text, place)
            for pattern in patterns
            for text, place in zip(pattern, PLACES, strict=True)
            if isinstance(text, str)
        )
    )

    def find(source: GraphFacts, _: Expired) -> list[Name]:
        ids = source.ids({name.text for name in wanted})
        return [name for name in wanted if name.text not in ids or not _stands(source, ids[name.text], name.place)]

    missing = await graph.ask(find, inferred=True) if wanted else []
    # Predicates first: there are few, so their like is most probably meant.
    missing.sort(key=lambda name: name.place != "predicate")
    return [Missing(name, await _alike(name)) for name in missing[:MOST_TOLD]]


def told(missing: Iterable[Missing]) -> str:
    return " ".join(map(str, missing))


def _stands(source: GraphFacts, term: int, place: Place) -> bool:
    subject, predicate, object_ = (term if place == one else None for one in PLACES)
    return source.number((subject, predicate, object_), 1) > 0


async def _alike(name: Name) -> list[str]:
    found = await graph.search_terms(WantedTerms(name.text, None, name.place, MOST_ALIKE))
    return [quoted(one.hit.text) for one in found if one.hit.text != name.text]
