"""Terms and predicates over HTTP: their query strings, and the types of their answers with an example of each."""

from functools import partial
from typing import Annotated, Literal, NotRequired

from django.conf import settings
from pydantic import AfterValidator, Field
from typing_extensions import TypedDict  # Pydantic needs this one before Python 3.12

from skg_site.api.cursors import CursorLayout
from skg_site.api.fields import INTEGER_TEXT
from skg_site.api.inputs import QueryString
from triples.folding import SEARCHED
from triples.query.predicates import Predicate
from triples.query.term_places import COUNT_LIMIT, Place
from triples.query.term_reads import FoundTerm, WantedTerms
from triples.query.term_search import Kind, Match
from triples.text import clean_term, text_schema

MAX_TERMS = 100

SearchedText = Annotated[str, AfterValidator(partial(clean_term, limit=SEARCHED)), text_schema(SEARCHED, "einstien")]

# Of the last predicate on the page: its id.
CURSOR = CursorLayout("q")


class SearchParameters(QueryString):
    """The query string of a search of terms."""

    search: SearchedText
    match: Annotated[
        Match | None,
        Field(
            description="prefix: terms that begin with the text; substring: that contain it; fuzzy: that are it but for"
            " a few typos, then those of which a part is: a word, as many words in a row as the text has, or the"
            " beginning. Left out: all of these, exact matches first, then in this order; typos only where the others"
            " do not fill the limit."
        ),
    ] = None
    position: Annotated[
        Place | None, Field(description="Only terms that stand in this place of a fact. Left out: in any.")
    ] = None
    limit: Annotated[int, Field(ge=1, le=MAX_TERMS), INTEGER_TEXT] = 10

    @property
    def wanted(self) -> WantedTerms:
        return WantedTerms(self.search, self.match, self.position, self.limit)


class PredicateParameters(QueryString):
    """The query string of the list of predicates."""

    limit: Annotated[int, Field(ge=1, le=settings.ENV.max_results), INTEGER_TEXT] = 100
    cursor: Annotated[str, CURSOR.field] | None = None


class PlacesOut(TypedDict):
    subject: int
    predicate: int
    object: int


class TermOut(TypedDict):
    term: str
    match: Annotated[Literal["exact", "prefix", "substring", "fuzzy"], Field(description="How the term matches.")]
    score: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="1: the same but for case and accents; from 0.75: begins so; from 0.5: contains it; from 0.25:"
            " has typos; below: has typos in a part, the fewer the better. Within these, the more the more of the term"
            " was typed.",
        ),
    ]
    facts: Annotated[
        PlacesOut,
        Field(
            description=f"How many facts, asserted or inferred, have the term in each place. They are counted up to"
            f" {COUNT_LIMIT:,}, which stands for as many or more."
        ),
    ]


class TermsOut(TypedDict):
    terms: Annotated[list[TermOut], Field(description="The best match first.")]


TERMS: TermsOut = {
    "terms": [
        {
            "term": "Einstein",
            "match": "fuzzy",
            "score": 0.4375,
            "facts": {"subject": 12, "predicate": 0, "object": 3},
        }
    ]
}


_NAMES: dict[Kind, Literal["exact", "prefix", "substring", "fuzzy"]] = {
    Kind.EXACT: "exact",
    Kind.PREFIX: "prefix",
    Kind.SUBSTRING: "substring",
    Kind.FUZZY: "fuzzy",
    Kind.PART: "fuzzy",
}


def terms_content(found: list[FoundTerm]) -> TermsOut:
    return {
        "terms": [
            {
                "term": hit.text,
                "match": _NAMES[hit.kind],
                "score": round(hit.score, 4),
                "facts": {"subject": facts.subject, "predicate": facts.predicate, "object": facts.object},
            }
            for hit, facts in found
        ]
    }


class PredicateOut(TypedDict):
    predicate: str
    asserted: Annotated[int, Field(description="How many asserted facts it has.")]
    inferred: Annotated[int, Field(description="How many inferred facts it has; exact up to 10,000.")]
    capped: NotRequired[
        Annotated[bool, Field(default=False, description="Present and true when more than 10,000 are inferred.")]
    ]


class PredicatesOut(TypedDict):
    predicates: Annotated[list[PredicateOut], Field(description="In the order in which they came into the graph.")]
    next_cursor: Annotated[str | None, Field(description="The cursor of the next page; null on the last one.")]


PREDICATES: PredicatesOut = {
    "predicates": [
        {"predicate": "discovered", "asserted": 311, "inferred": 0},
        {"predicate": "located_in", "asserted": 15423, "inferred": 2310},
    ],
    "next_cursor": None,
}


def predicates_content(found: list[Predicate], limit: int) -> PredicatesOut:
    """The page, where one more than the limit was asked for."""
    shown: list[PredicateOut] = []
    for one in found[:limit]:
        content: PredicateOut = {"predicate": one.text, "asserted": one.asserted, "inferred": one.inferred}
        if one.capped:
            content["capped"] = True
        shown.append(content)
    more = CURSOR.encode(found[limit - 1].id) if len(found) > limit else None
    return {"predicates": shown, "next_cursor": more}
