"""Questions about paths and neighbours, as clients send them."""

from typing import Annotated, Literal

from django.conf import settings
from pydantic import Field

from skg_site.api.fields import WHOLE, Weight
from skg_site.api.inputs import Input
from skg_site.api.problems import Invalid
from triples.http.asked_terms import ObjectConstant, PredicateConstant, SubjectConstant
from triples.query.path_facts import Direction

MAX_PATH_LENGTH = 10
MAX_PREDICATES = 100
MAX_PATHS = min(100, settings.ENV.max_results)
# Tokens of the rate limit that a search for paths takes; a question takes one for each of its patterns.
PATHS_COST = 5

_Direction = Annotated[
    Direction,
    Field(description="Follow facts from subject to object (`out`), from object to subject (`in`), or both ways."),
]
_Predicates = Annotated[
    list[PredicateConstant] | None,
    Field(min_length=1, max_length=MAX_PREDICATES, description="Only facts with one of these predicates; null: any."),
]


class AskPaths(Input):
    """A request for paths between two terms."""

    from_: Annotated[SubjectConstant, Field(alias="from")]
    to: ObjectConstant
    predicates: _Predicates = None
    direction: _Direction = "any"
    max_length: Annotated[int, Field(ge=1, le=MAX_PATH_LENGTH, description="Most facts in a path."), WHOLE] = 6
    k: Annotated[
        int, Field(ge=1, le=min(100, settings.ENV.max_results), description="Most paths to answer."), WHOLE
    ] = 1
    order: Annotated[
        Literal["weight", "length"],
        Field(description="The heaviest first, of these the shortest; or the shortest first, of these the heaviest."),
    ] = "weight"
    min_weight: Weight = 0.0
    include_inferred: bool = True

    def check(self) -> None:
        """422 if both ends are the same."""
        if self.from_ == self.to:
            raise Invalid([{"loc": ["to"], "msg": "Must be another term than `from`", "type": "same_term"}])


class AskNeighbours(Input):
    """A request for facts around a term."""

    term: SubjectConstant
    k: Annotated[int, Field(ge=1, le=settings.ENV.max_results, description="Most facts to answer."), WHOLE] = 25
    direction: _Direction = "any"
    predicates: _Predicates = None
    min_weight: Weight = 0.0
    include_inferred: bool = True
    include_counts: Annotated[bool, Field(description="Count the facts around the other terms, too.")] = False
