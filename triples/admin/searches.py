"""Parser of the text in the search boxes for facts and terms."""

import re
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from triples import ids
from triples.models import Term
from triples.query.fact_lists import PLACES, FactKey, Place
from triples.store.term_lookup import find_term_ids, terms_beginning_with
from triples.term_keys import TermKey
from triples.text import clean_term

_PLACE_OF_LETTER: dict[str, Place] = {place[0]: place for place in PLACES}
_PLACED = re.compile(f"([{''.join(_PLACE_OF_LETTER)}]):(.*)", re.DOTALL)


class TermSearch(NamedTuple):
    """Terms that begin with the text, or the one that is the text."""

    text: str
    exact: bool

    @property
    def terms(self) -> QuerySet[Term]:
        """The terms in the order of the index: one range of it."""
        if self.exact:
            return Term.objects.filter(pk__in=find_term_ids([self.text]).values())
        return terms_beginning_with(self.text).order_by(TermKey("text"))

    @property
    def fact(self) -> FactKey | None:
        """The fact whose public id the text is."""
        try:
            found = ids.unpack(UUID(self.text))
        except ValueError:
            return None
        return FactKey(found.key, found.created_ms) if found and found.kind == ids.ASSERTED else None


def parse(typed: str) -> TermSearch | None:
    """None when nothing is looked for; TermError when no term can begin so.

    Quotes around the text ask for exactly this term.
    """
    typed = typed.strip()
    if len(typed) > 1 and typed[0] == typed[-1] == '"':
        return TermSearch(clean_term(typed[1:-1]), exact=True)
    return TermSearch(clean_term(typed), exact=False) if typed else None


def parse_placed(typed: str) -> tuple[TermSearch | None, tuple[Place, ...]]:
    """The same with the places of a fact where the term may stand: `s:`, `p:` or `o:` before it names one."""
    if found := _PLACED.fullmatch(typed.strip()):
        return parse(found[2]), (_PLACE_OF_LETTER[found[1]],)
    return parse(typed), PLACES


def written(place: Place, text: str) -> str:
    """The search text for the facts that have exactly this term at the place."""
    return f'{place[0]}:"{text}"'
