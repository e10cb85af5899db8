"""Look-ups of terms by the term index, for the list of terms and for inputs that offer existing ones."""

from functools import cache
from typing import Any, get_args

from triples.folding import SEARCHED
from triples.query.explanations import own_connection
from triples.query.term_places import COUNT_LIMIT, Place
from triples.query.term_reads import FoundTerm, TermSearcher, WantedTerms
from triples.store.backend import backend
from triples.text import TermError, clean_term
from triples.visible import visible

# The most terms that a list has before those that only begin with the text, and that an input offers.
BEST = 100
OFFERED = 8


@cache
def _searcher() -> TermSearcher:
    """The one searcher of all look-ups, since it remembers how frequent trigrams are."""
    return TermSearcher(backend().dialect, backend().term_index)


def best_terms(text: str, place: Place | None = None, limit: int = BEST) -> list[FoundTerm]:
    """The terms in use that match best, the best first."""
    with own_connection() as (session, _, shown):
        return _searcher().search(session.rows, shown, WantedTerms(text, None, place, limit))


def completions(typed: str, place: str | None) -> list[dict[str, Any]]:
    """The completions of an input: texts, how they are shown, and how many facts have them in this place."""
    known: Place | None = next((one for one in get_args(Place) if one == place), None)
    try:
        text = clean_term(typed, SEARCHED)
    except TermError:
        return []
    return [
        {"text": found.hit.text, "shown": visible(found.hit.text), "facts": _facts(found, known)}
        for found in best_terms(text, known, OFFERED)
    ]


def _facts(found: FoundTerm, place: Place | None) -> str:
    number = getattr(found.facts, place) if place else max(found.facts)
    return f"{number:,}{'+' if number == COUNT_LIMIT else ''} fact{'' if number == 1 else 's'}"
