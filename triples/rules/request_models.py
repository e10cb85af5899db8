"""Requests about rules. `triples.recursion.grammar` has the rules in them."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, RootModel

from skg_site.api.cursors import TextCursor
from skg_site.api.fields import INTEGER_TEXT
from skg_site.api.inputs import QueryString
from triples.recursion.grammar import Description, Distinct, Enabled, Members, PatternIn, Patterns, Weight
from triples.recursion.rules import MAX_NAME_LENGTH
from triples.recursion.shorthands import AnyRule

# With it a page of the largest rules has some megabytes.
MAX_PAGE = 500


RULE_CURSOR = TextCursor(MAX_NAME_LENGTH)


class RuleListParameters(QueryString):
    """The query string of the list of rules."""

    limit: Annotated[int, Field(ge=1, le=MAX_PAGE), INTEGER_TEXT] = 100
    cursor: Annotated[str, RULE_CURSOR.field] | None = None


class NewRule(RootModel[AnyRule | Annotated[list[AnyRule], Field(min_length=1)]]):
    """A rule, or a word for one or two of those that come often; or an array of them."""


def _any_of_them(schema: dict[str, Any]) -> None:
    del schema["required"]
    schema["minProperties"] = 1


class ChangeRule(Members):
    """Members that are left out stay."""

    model_config = ConfigDict(json_schema_extra=_any_of_them)

    weight: Weight
    head: PatternIn
    body: Patterns
    distinct: Distinct
    description: Description
    enabled: Enabled
