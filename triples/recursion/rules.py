"""Rules of texts and variables: their types, and how they are written as JSON and on one line."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # Pydantic needs this one before Python 3.12

from triples.patterns import Pattern, Place, Variable, free_variables
from triples.text import clean_term
from triples.visible import visible, visible_json

MAX_NAME_LENGTH = 100

# Where in a document: names of members and places in lists.
Loc = tuple[str | int, ...]

_WORD = re.compile(r"[^\s,?\"(][^\s,\"()]*")


class RuleError(ValueError):
    """A faulty document of a rule: `loc` is the place of the fault in it, the message says what is wrong."""

    def __init__(self, loc: Loc, message: str) -> None:
        super().__init__(message)
        self.loc = loc


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: if all of the body holds, so does the head, with the product of the weights."""

    name: str
    head: Pattern
    body: tuple[Pattern, ...]
    weight: float = 1.0
    distinct: tuple[tuple[Variable, Variable], ...] = ()

    @property
    def free(self) -> tuple[Variable, ...]:
        """The body's variables that the head does not hold, in the order in which they first stand there.

        With the head they say all that a proof is: which premises it has. Proofs of one fact by one rule compare
        by their values, in this order, as their premises compare, in the order of the body.
        """
        return free_variables(self.head, self.body)


class RuleDocument(TypedDict):
    """A rule as `rule_document` writes it."""

    name: str
    weight: float
    head: list[str | dict[str, str]]
    body: list[list[str | dict[str, str]]]
    distinct: NotRequired[
        Annotated[list[list[str]] | None, Field(default=None, description="Pairs of variables that must differ.")]
    ]


def rule_document(rule: Rule) -> RuleDocument:
    """The document of this rule: always the same members in the same order."""
    document: RuleDocument = {
        "name": rule.name,
        "weight": rule.weight,
        "head": _pattern_document(rule.head),
        "body": [_pattern_document(pattern) for pattern in rule.body],
    }
    if rule.distinct:
        document["distinct"] = [[str(left), str(right)] for left, right in rule.distinct]
    return document


def rule_text(rule: Rule, show: Callable[[str], str] = str, arrow: str = "<-") -> str:
    """The rule on one line: `?x grandparent_of ?z  <-  ?x parent_of ?y, ?y parent_of ?z  (0.9, ?x != ?z)`.

    `show` says how a variable or a constant is to be shown: as HTML, for one.
    """

    def pattern_text(pattern: Pattern) -> str:
        return " ".join(show(_place_text(place)) for place in pattern)

    notes = [repr(rule.weight)] if rule.weight != 1 else []
    notes += [f"{show(str(left))} != {show(str(right))}" for left, right in rule.distinct]
    text = f"{pattern_text(rule.head)}  {arrow}  {', '.join(map(pattern_text, rule.body))}"
    return f"{text}  ({', '.join(notes)})" if notes else text


def clean_name(text: str) -> str:
    """The name as rules have it; TermError."""
    return clean_term(text, MAX_NAME_LENGTH)


def _pattern_document(pattern: Pattern) -> list[str | dict[str, str]]:
    return [place_document(place) for place in pattern]


def place_document(place: Place) -> str | dict[str, str]:
    """A place of a pattern as JSON has it."""
    if isinstance(place, str) and place.startswith("?"):
        return {"term": place}
    return str(place)


def _place_text(place: Place) -> str:
    """A variable or a word as it is; a constant that could be mistaken for something else in quotes."""
    if isinstance(place, Variable) or (_WORD.fullmatch(place) and visible(place) == place):
        return str(place)
    return visible_json(json.dumps(place, ensure_ascii=False))
