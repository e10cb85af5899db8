"""Rules from clients and files: documents and shorthands, checked against the limits of this graph.

A rule has a limited size, so that a page of many rules has one.
"""

from typing import Any, NamedTuple

from triples.fact_validation import asked_predicate, asked_text, clean_predicate, clean_text
from triples.patterns import Pattern, Place
from triples.recursion import presets
from triples.recursion.grammar import MAX_DISTINCT, UNREACHABLE, RuleIn, read_members
from triples.recursion.rules import Rule, RuleError, rule_document
from triples.recursion.shorthands import AnyRule, model_of
from triples.text import TermError

# Of the name, the terms, the variables and the description together.
MAX_LENGTH = 4_000


class Draft(NamedTuple):
    """A rule to be stored, and the columns `description` and `enabled` as far as its document has them."""

    rule: Rule
    others: dict[str, Any] = {}

    @property
    def columns(self) -> dict[str, Any]:
        """The stored rule's columns, without those that the document leaves out."""
        return rule_columns(self.rule) | self.others


class Fault(NamedTuple):
    """A fault in a file of rules, and its place."""

    loc: tuple[str | int, ...]
    message: str


class FaultyRules(ValueError):
    """Documents that cannot be stored together, with all of their faults."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(faults)
        self.faults = faults


def rule_columns(rule: Rule) -> dict[str, Any]:
    """The rule itself as the stored rule's columns."""
    document = rule_document(rule)
    return {
        "weight": rule.weight,
        "head": document["head"],
        "body": document["body"],
        "distinct": document.get("distinct", []),
    }


def read_rule(document: Any) -> Draft:
    """The rule that a document is; RuleError if it is faulty, or a shorthand."""
    _check_pairs(document)
    [draft] = _drafts(read_members(RuleIn, document))
    return draft


def read_document(document: Any) -> list[Draft]:
    """The rule that a document is, or the rules that a shorthand stands for; RuleError."""
    _check_pairs(document)
    return _drafts(read_members(model_of(document), document))


def read_rules(content: Any) -> list[Draft]:
    """The rules of a file or a request: of a document, or of each in an array.

    FaultyRules has every document's fault with its place.
    """
    if isinstance(content, list):
        return _read_documents(content)
    try:
        return read_document(content)
    except RuleError as error:
        message = str(error) if error.loc or isinstance(content, dict) else "must be a rule, or an array of rules"
        raise FaultyRules([Fault(error.loc, message)]) from None


def _read_documents(documents: list[Any]) -> list[Draft]:
    drafts: list[Draft] = []
    faults: list[Fault] = []
    places: dict[str, int] = {}
    for place, document in enumerate(documents):
        try:
            read = read_document(document)
        except RuleError as error:
            faults.append(Fault((place, *error.loc), str(error)))
            continue
        for draft in read:
            first = places.setdefault(draft.rule.name, place)
            if first != place:
                faults.append(Fault((place,), f"the rule {draft.rule.name} stands at {first} already"))
        drafts += read
    if faults:
        raise FaultyRules(faults)
    return drafts


def preset_rules(name: str) -> list[Draft]:
    """The rules of a preset; FaultyRules if this graph does not take their terms."""
    drafts: list[Draft] = []
    faults: list[Fault] = []
    for rule in presets.load(name):
        try:
            drafts.append(Draft(_admitted(rule)))
        except RuleError as error:
            faults.append(Fault((rule.name, *error.loc), str(error)))
    if faults:
        raise FaultyRules(faults)
    return drafts


def _drafts(read: AnyRule) -> list[Draft]:
    others = read.model_dump(include={"description", "enabled"}, exclude_unset=True)
    return [Draft(_admitted(rule, others.get("description", "")), others) for rule in read.rules]


def _admitted(rule: Rule, description: str = "") -> Rule:
    """The rule; RuleError if it is too large, or has a name that no URL has or a text that cannot be a term here.

    SKG_TERM_PATTERN and SKG_MAX_TERM_LENGTH can allow less than the engine does.
    """
    if rule.name in UNREACHABLE:
        raise RuleError(("name",), 'must not be "." or "..", which no URL ends with')
    _check_length(rule, description)
    _check_pattern(rule.head, "head")
    for number, pattern in enumerate(rule.body):
        _check_pattern(pattern, "body", number)
    return rule


def _check_pattern(pattern: Pattern, *loc: str | int) -> None:
    for number, place in enumerate(pattern):
        _check_place(place, (*loc, number))


def _check_place(place: Place, loc: tuple[str | int, ...]) -> None:
    if not isinstance(place, str):
        return
    try:
        # The terms of a head may become new ones.
        if loc[0] == "head":
            clean_predicate(place) if loc[-1] == 1 else clean_text(place)
        else:
            asked_predicate(place) if loc[-1] == 1 else asked_text(place)
    except TermError as error:
        raise RuleError(loc, str(error)) from None


def _check_pairs(document: Any) -> None:
    """RuleError if a rule's document has too many pairs; called before each of them is read."""
    pairs = document.get("distinct") if isinstance(document, dict) else None
    if isinstance(pairs, list) and len(pairs) > MAX_DISTINCT:
        raise RuleError(("distinct",), f"must have at most {MAX_DISTINCT} pairs, not {len(pairs):,}")


def _check_length(rule: Rule, description: str) -> None:
    """RuleError if a rule's texts are too long together."""
    patterns = [rule.head, *rule.body, *rule.distinct]
    places = [str(place) for pattern in patterns for place in pattern]
    length = sum(map(len, [rule.name, description, *places]))
    if length > MAX_LENGTH:
        raise RuleError((), f"must have at most {MAX_LENGTH:,} characters in all of its texts, not {length:,}")
