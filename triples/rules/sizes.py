"""Limits of the size of a rule, so that a page of many rules has a bounded size."""

from typing import Any

from triples.recursion.grammar import MAX_DISTINCT
from triples.recursion.rules import Rule, RuleError

# Of the name, the terms, the variables and the description together.
MAX_LENGTH = 4_000


def check_pairs(document: Any) -> None:
    """RuleError if a rule's document has too many pairs; called before each of them is read."""
    pairs = document.get("distinct") if isinstance(document, dict) else None
    if isinstance(pairs, list) and len(pairs) > MAX_DISTINCT:
        raise RuleError(("distinct",), f"must have at most {MAX_DISTINCT} pairs, not {len(pairs):,}")


def check_length(rule: Rule, description: str) -> None:
    """RuleError if a rule's texts are too long together."""
    patterns = [rule.head, *rule.body, *rule.distinct]
    places = [str(place) for pattern in patterns for place in pattern]
    length = sum(map(len, [rule.name, description, *places]))
    if length > MAX_LENGTH:
        raise RuleError((), f"must have at most {MAX_LENGTH:,} characters in all of its texts, not {length:,}")
