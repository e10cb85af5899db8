"""Rules as people write them: patterns of texts and variables, checked.

{"name": "grandparent", "weight": 0.9,
 "head": ["?x", "grandparent_of", "?z"],
 "body": [["?x", "parent_of", "?y"], ["?y", "parent_of", "?z"]],
 "distinct": [["?x", "?z"]]}
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from triples.patterns import Pattern, Place, Variable, free_variables
from triples.text import MAX_PREDICATE_LENGTH, MAX_TERM_LENGTH, TermError, clean_term
from triples.visible import visible, visible_json

MAX_BODY = 8
MAX_NAME_LENGTH = 100

# Where in a document: names of members and places in lists.
Loc = tuple[str | int, ...]

_VARIABLE = re.compile(r"\?\w+")
_WORD = re.compile(r"[^\s,?\"(][^\s,\"()]*")


class RuleError(ValueError):
    """A rule that cannot be meant; `loc` is the place of the fault in the document, the message says what it is."""

    def __init__(self, loc: Loc, message: str) -> None:
        super().__init__(message)
        self.loc = loc


@dataclass(frozen=True, slots=True)
class Rule:
    """If all of the body holds, so does the head, with the product of the weights."""

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


def parse_rule(document: object) -> Rule:
    """The rule that a document describes, or RuleError."""
    members = _members(document, (), required=("name", "head", "body"), optional=("weight", "distinct"))
    name = clean_name(members["name"])
    body = _body(members["body"])
    known = {place for pattern in body for place in pattern if isinstance(place, Variable)}
    head = _pattern(members["head"], ("head",))
    for number, place in enumerate(head):
        if isinstance(place, Variable) and place not in known:
            raise RuleError(("head", number), f"the variable {place} must stand in the body too")
    distinct = _distinct(members.get("distinct", []), known)
    return Rule(name, head, body, clean_weight(members.get("weight", 1.0)), distinct)


def rule_document(rule: Rule) -> dict[str, Any]:
    """The document that `parse_rule` turns into this rule: always the same members in the same order."""
    document: dict[str, Any] = {
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


def clean_name(given: object) -> str:
    if not isinstance(given, str):
        raise RuleError(("name",), "must be a text")
    try:
        return clean_term(given, MAX_NAME_LENGTH)
    except TermError as error:
        raise RuleError(("name",), str(error)) from None


def clean_weight(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise RuleError(("weight",), "must be a number")
    if not 0 < given <= 1:
        raise RuleError(("weight",), "must be above 0 and at most 1")
    return float(given)


def clean_constant(given: str, limit: int, loc: Loc) -> str:
    try:
        return clean_term(given, limit)
    except TermError as error:
        raise RuleError(loc, str(error)) from None


def _body(given: object) -> tuple[Pattern, ...]:
    if not isinstance(given, list | tuple):
        raise RuleError(("body",), "must be a list of patterns")
    if not 1 <= len(given) <= MAX_BODY:
        raise RuleError(("body",), f"must have 1 to {MAX_BODY} patterns, not {len(given)}")
    return tuple(_pattern(pattern, ("body", number)) for number, pattern in enumerate(given))


def _pattern(given: object, loc: Loc) -> Pattern:
    if not isinstance(given, list | tuple) or len(given) != 3:
        raise RuleError(loc, "must be a list of three places: subject, predicate and object")
    subject, predicate, object_ = given
    return (
        _place(subject, MAX_TERM_LENGTH, (*loc, 0)),
        _place(predicate, MAX_PREDICATE_LENGTH, (*loc, 1)),
        _place(object_, MAX_TERM_LENGTH, (*loc, 2)),
    )


def _place(given: object, limit: int, loc: Loc) -> Place:
    if isinstance(given, Mapping):
        text = _members(given, loc, required=("term",))["term"]
        if not isinstance(text, str):
            raise RuleError((*loc, "term"), "must be a text")
        return clean_constant(text, limit, (*loc, "term"))
    if not isinstance(given, str):
        raise RuleError(loc, 'must be a text, or {"term": text} for a constant that begins with a question mark')
    text = clean_constant(given, limit, loc)
    if not text.startswith("?"):
        return text
    if not _VARIABLE.fullmatch(text):
        raise RuleError(
            loc,
            "the name of a variable consists of letters, digits and _ after the question mark; "
            'a constant that begins with one is written {"term": text}',
        )
    return Variable(text[1:])


def _distinct(given: object, known: set[Variable]) -> tuple[tuple[Variable, Variable], ...]:
    if not isinstance(given, list | tuple):
        raise RuleError(("distinct",), "must be a list of pairs of variables")
    return tuple(dict.fromkeys(_pair(pair, known, ("distinct", number)) for number, pair in enumerate(given)))


def _pair(given: object, known: set[Variable], loc: Loc) -> tuple[Variable, Variable]:
    if not isinstance(given, list | tuple) or len(given) != 2:
        raise RuleError(loc, "must be a pair of variables")
    left, right = (_known_variable(place, known, (*loc, number)) for number, place in enumerate(given))
    if left == right:
        raise RuleError(loc, f"{left} never differs from itself")
    return left, right


def _known_variable(given: object, known: set[Variable], loc: Loc) -> Variable:
    place = _place(given, MAX_TERM_LENGTH, loc)
    if not isinstance(place, Variable):
        raise RuleError(loc, "must be a variable")
    if place not in known:
        raise RuleError(loc, f"the variable {place} must stand in the body")
    return place


def _members(given: object, loc: Loc, *, required: Iterable[str], optional: Iterable[str] = ()) -> Mapping[Any, Any]:
    """`given` as an object with all of the required members and no others than these and the optional ones."""
    if not isinstance(given, Mapping):
        raise RuleError(loc, "must be an object")
    for name in given:
        if name not in {*required, *optional}:
            raise RuleError((*loc, str(name)), "is not known here")
    for name in required:
        if name not in given:
            raise RuleError((*loc, name), "is missing")
    return given


def _pattern_document(pattern: Pattern) -> list[str | dict[str, str]]:
    return [_place_document(place) for place in pattern]


def _place_document(place: Place) -> str | dict[str, str]:
    if isinstance(place, str) and place.startswith("?"):
        return {"term": place}
    return str(place)


def _place_text(place: Place) -> str:
    """A variable or a word as it is; a constant that could be mistaken for something else in quotes."""
    if isinstance(place, Variable) or (_WORD.fullmatch(place) and visible(place) == place):
        return str(place)
    return visible_json(json.dumps(place, ensure_ascii=False))
