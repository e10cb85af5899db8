"""How large a rule may be, so that an answer with many of them has a size that can be told."""

from collections.abc import Mapping
from typing import Any

from triples.recursion.rules import Rule, RuleError

# Of its name, its terms, its variables and its description together.
MAX_LENGTH = 4_000
MAX_DISTINCT = 50


def check_pairs(document: Mapping[str, Any]) -> None:
    """RuleError when a rule's document has too many pairs; before they are read, one by one."""
    pairs = document.get("distinct")
    if isinstance(pairs, list) and len(pairs) > MAX_DISTINCT:
        raise RuleError(("distinct",), f"must have at most {MAX_DISTINCT} pairs, not {len(pairs):,}")


def check_length(rule: Rule, description: str | None) -> None:
    """RuleError when a rule's texts are too long together."""
    patterns = [rule.head, *rule.body, *rule.distinct]
    places = [str(place) for pattern in patterns for place in pattern]
    length = sum(map(len, [rule.name, description or "", *places]))
    if length > MAX_LENGTH:
        raise RuleError((), f"must have at most {MAX_LENGTH:,} characters in all of its texts, not {length:,}")
