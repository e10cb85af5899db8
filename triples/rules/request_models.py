"""Rules as JSON, for the documentation. What is taken is decided by `triples.recursion`, which knows no HTTP."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, RootModel

from skg_site.api.cursors import TextCursor
from triples.http.request_models import Object, Predicate
from triples.recursion.rules import MAX_BODY, MAX_NAME_LENGTH
from triples.recursion.shorthands import DEFAULT_TYPE_PREDICATE
from triples.rules.documents import MAX_DESCRIPTION_LENGTH
from triples.rules.sizes import MAX_DISTINCT

# The largest limit of a list: a page of the largest rules then has some megabytes.
MAX_PAGE = 500


RULE_CURSOR = TextCursor(MAX_NAME_LENGTH)


class RuleListParameters(BaseModel):
    """The query string of the list of rules."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 100
    cursor: Annotated[str, RULE_CURSOR.field] | None = None


class Members(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Constant(Members):
    """A term that begins with a question mark and is no variable."""

    term: str


Place = Annotated[str | Constant, Field(description="A term, or a variable such as `?x`.")]
Pattern = Annotated[
    tuple[Place, Place, Place],
    Field(description="Subject, predicate and object.", examples=[["?x", "parent_of", "?y"]]),
]
Name = Annotated[str, Field(max_length=MAX_NAME_LENGTH, examples=["grandparent"])]
Weight = Annotated[
    float, Field(gt=0, le=1, description="What is derived weighs as much as this times all that it rests on.")
]
Patterns = Annotated[list[Pattern], Field(min_length=1, max_length=MAX_BODY, description="What must hold.")]
Distinct = Annotated[
    list[tuple[str, str]],
    Field(max_length=MAX_DISTINCT, description="Pairs of variables that must not stand for the same term."),
]
Description = Annotated[str, Field(max_length=MAX_DESCRIPTION_LENGTH)]
Enabled = Annotated[bool, Field(description="Whether runs apply it.")]
PredicatePair = tuple[Predicate, Predicate]
TypePredicate = Annotated[Predicate, Field(description="The predicate that says of what type something is.")]


class RuleIn(Members):
    """If all of the body holds, so does the head."""

    name: Name
    weight: Weight = 1.0
    head: Pattern
    body: Patterns
    distinct: Distinct = []
    description: Description = ""
    enabled: Enabled = True


class Shorthand(Members):
    """What all shorthands take beside their own words. A name is made where there is none."""

    name: Name | None = None
    weight: Weight = 1.0
    description: Description = ""
    enabled: Enabled = True


class Transitive(Shorthand):
    transitive: Predicate


class Symmetric(Shorthand):
    symmetric: Predicate


class Inverse(Shorthand):
    inverse: PredicatePair


class SubProperty(Shorthand):
    sub_property: Annotated[PredicatePair, Field(description="Where the first holds, so does the second.")]


class Chain(Shorthand):
    chain: Annotated[list[Predicate], Field(min_length=2, max_length=MAX_BODY)]
    gives: Predicate


class TypeInheritance(Shorthand):
    type_inheritance: Annotated[PredicatePair, Field(description="The predicates of types and of subclasses.")]


class Domain(Shorthand):
    domain: Annotated[tuple[Predicate, Object], Field(description="Subjects of the predicate are of the type.")]
    type: TypePredicate = DEFAULT_TYPE_PREDICATE


class Range(Shorthand):
    range: Annotated[tuple[Predicate, Object], Field(description="Objects of the predicate are of the type.")]
    type: TypePredicate = DEFAULT_TYPE_PREDICATE


AnyShorthand = Transitive | Symmetric | Inverse | SubProperty | Chain | TypeInheritance | Domain | Range


AnyRule = RuleIn | AnyShorthand


class NewRule(RootModel[AnyRule | Annotated[list[AnyRule], Field(min_length=1)]]):
    """A rule, or a word for one or two of those that come often; or an array of them."""


def _any_of_them(schema: dict[str, Any]) -> None:
    del schema["required"]
    schema["minProperties"] = 1


class ChangeRule(Members):
    """What is left out stays."""

    model_config = ConfigDict(json_schema_extra=_any_of_them)

    weight: Weight
    head: Pattern
    body: Patterns
    distinct: Distinct
    description: Description
    enabled: Enabled
