"""What the API gives about rules."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from triples.fields import to_milliseconds
from triples.http.responses import moment
from triples.models import Rule as StoredRule
from triples.recursion.rules import rule_text
from triples.rules.request_models import Description, Distinct, Enabled, Name, Pattern, Patterns, Weight


def rule_content(stored: StoredRule) -> dict[str, Any]:
    """A rule as `RuleOut`."""
    return {
        **stored.whole_document,
        "text": rule_text(stored.parsed),
        "created_at": moment(to_milliseconds(stored.created_at)),
        "updated_at": moment(to_milliseconds(stored.updated_at)),
    }


class RuleOut(BaseModel):
    name: Name
    weight: Weight
    head: Pattern
    body: Patterns
    distinct: Distinct
    description: Description
    enabled: Enabled
    text: Annotated[str, Field(description="The rule on one line, for people.")]
    created_at: datetime
    updated_at: datetime


class RulesOut(BaseModel):
    rules: Annotated[list[RuleOut], Field(description="By name.")]


class RulePageOut(RulesOut):
    next_cursor: Annotated[str | None, Field(description="For the next page; null on the last one.")]
