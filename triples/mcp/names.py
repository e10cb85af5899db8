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


async def missing_names(patterns: Iterable[AskedPlaces]) -> list[str]:
    """A sentence for each of the first names that no fact has in this place, with those that may be meant."""
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
    return [await _sentence(name) for name in missing[:MOST_TOLD]]


def _stands(source: GraphFacts, term: int, place: Place) -> bool:
    subject, predicate, object_ = (term if place == one else None for one in PLACES)
    return source.number((subject, predicate, object_), 1) > 0


async def _sentence(name: Name) -> str:
    found = await graph.search_terms(WantedTerms(name.text, None, name.place, MOST_ALIKE))
    alike = [quoted(one.hit.text) for one in found if one.hit.text != name.text]
    told = f"No fact has the {name.place} {quoted(name.text)}."
    if alike:
        return f"{told} Did you mean {' or '.join(alike)}?"
    return f'{told} Find names with search_terms (position "{name.place}").'
