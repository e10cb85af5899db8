"""Rules as JSON: the types of responses, with an example of each, and the functions that fill them."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict  # Pydantic needs this one before Python 3.12

from skg_site.api.fields import Moment, rfc3339
from triples.models import Rule as StoredRule
from triples.recursion.grammar import Description, Distinct, Enabled, Name, PatternIn, Patterns, Weight
from triples.recursion.rules import rule_text
from triples.services.missing_predicates import MOST_TOLD, MissingPredicate


class RuleOut(TypedDict):
    name: Name
    weight: Weight
    head: PatternIn
    body: Patterns
    distinct: Distinct
    description: Description
    enabled: Enabled
    text: Annotated[str, Field(description="The rule on one line, for people.")]
    created_at: Moment
    updated_at: Moment


RULE: RuleOut = {
    "name": "grandparent",
    "weight": 0.9,
    "head": ("?x", "grandparent_of", "?z"),
    "body": [("?x", "parent_of", "?y"), ("?y", "parent_of", "?z")],
    "distinct": [("?x", "?z")],
    "description": "A parent's parent.",
    "enabled": True,
    "text": "?x grandparent_of ?z  <-  ?x parent_of ?y, ?y parent_of ?z  (0.9, ?x != ?z)",
    "created_at": "2026-01-15T10:30:00.000Z",
    "updated_at": "2026-01-15T10:30:00.000Z",
}


def rule_content(stored: StoredRule) -> RuleOut:
    return {
        "name": stored.name,
        "weight": stored.weight,
        "head": stored.head,
        "body": stored.body,
        "distinct": stored.distinct,
        "description": stored.description,
        "enabled": stored.enabled,
        "text": rule_text(stored.parsed),
        "created_at": rfc3339(stored.created_at),
        "updated_at": rfc3339(stored.updated_at),
    }


class RulesOut(TypedDict):
    rules: Annotated[list[RuleOut], Field(description="By name.")]


class RulePageOut(RulesOut):
    next_cursor: Annotated[str | None, Field(description="For the next page; null on the last one.")]


class MissingPredicateOut(TypedDict):
    predicate: str
    did_you_mean: Annotated[list[str], Field(description="Predicates of facts, the most alike first.")]
    msg: Annotated[str, Field(description="The same as a sentence, for people.")]


class AddedRulesOut(RulesOut):
    warnings: Annotated[
        list[MissingPredicateOut],
        Field(description=f"Predicates that no fact has and no other rule derives; at most {MOST_TOLD}."),
    ]


RULES: AddedRulesOut = {
    "rules": [RULE],
    "warnings": [
        {
            "predicate": "parent_of",
            "did_you_mean": ["parents_of"],
            "msg": "There is no predicate parent_of yet; did you mean parents_of?",
        }
    ],
}
RULE_PAGE: RulePageOut = {"rules": [RULE], "next_cursor": None}


def warning_content(missing: MissingPredicate) -> MissingPredicateOut:
    return {"predicate": missing.text, "did_you_mean": missing.alike, "msg": str(missing)}
