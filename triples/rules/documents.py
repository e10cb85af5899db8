"""Rules as they come in, from a client or a file: documents and shorthands, held to what may stand in this graph."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from triples.admission import clean_predicate, clean_text
from triples.patterns import Pattern, Place
from triples.recursion import presets
from triples.recursion.rules import Rule, RuleError, parse_rule, rule_document
from triples.recursion.shorthands import expand
from triples.rules.sizes import check_length, check_pairs
from triples.text import MAX_TERM_LENGTH, TermError

MAX_DESCRIPTION_LENGTH = 2000

# Beside the members that `parse_rule` and `expand` read.
DESCRIPTION, ENABLED = "description", "enabled"


class Draft(NamedTuple):
    """A rule to be stored. What its document does not say of the last two is None."""

    rule: Rule
    description: str | None
    enabled: bool | None

    @property
    def columns(self) -> dict[str, Any]:
        """The stored rule's columns, those that the document is silent about left out."""
        said = {DESCRIPTION: self.description, ENABLED: self.enabled}
        return rule_columns(self.rule) | {name: value for name, value in said.items() if value is not None}


class Fault(NamedTuple):
    """Where in a file of rules something is wrong, and what."""

    loc: tuple[str | int, ...]
    message: str


class FaultyRules(ValueError):
    """Documents that cannot be stored together, with everything that is wrong with them."""

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
    """A rule's document, never a shorthand; RuleError says what is wrong with it."""
    rule, description, enabled = _split(document)
    return Draft(_admitted(parse_rule(rule), description), description, enabled)


def read_document(document: Any) -> list[Draft]:
    """The rule that a document describes, or the rules that a shorthand stands for; RuleError."""
    rule, description, enabled = _split(document)
    return [Draft(_admitted(each, description), description, enabled) for each in expand(rule)]


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
    """The rules of a preset; FaultyRules where this graph does not take their terms."""
    drafts: list[Draft] = []
    faults: list[Fault] = []
    for rule in presets.load(name):
        try:
            drafts.append(Draft(_admitted(rule, None), None, None))
        except RuleError as error:
            faults.append(Fault((rule.name, *error.loc), str(error)))
    if faults:
        raise FaultyRules(faults)
    return drafts


def _split(document: Any) -> tuple[Mapping[str, Any], str | None, bool | None]:
    """A document without what only this side of it reads, and that."""
    if not isinstance(document, dict):
        raise RuleError((), "must be an object")
    check_pairs(document)
    rule = dict(document)
    description, enabled = rule.pop(DESCRIPTION, None), rule.pop(ENABLED, None)
    if description is not None or DESCRIPTION in document:
        description = _description(description)
    if not isinstance(enabled, bool) and ENABLED in document:
        raise RuleError((ENABLED,), "must be true or false")
    return rule, description, enabled


def _description(text: Any) -> str:
    if not isinstance(text, str):
        raise RuleError((DESCRIPTION,), "must be a text")
    if len(text) > MAX_DESCRIPTION_LENGTH:
        raise RuleError((DESCRIPTION,), f"must have at most {MAX_DESCRIPTION_LENGTH:,} characters, not {len(text):,}")
    # Neither can be sent to every database, or be written as UTF-8.
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise RuleError((DESCRIPTION,), "must not contain NUL or a lone surrogate")
    return text


def _admitted(rule: Rule, description: str | None) -> Rule:
    """The rule, unless it is too large, or names what cannot be a term here.

    SKG_TERM_PATTERN may allow less than the engine does.
    """
    check_length(rule, description)
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
        clean_predicate(place) if loc[-1] == 1 else clean_text(place, MAX_TERM_LENGTH)
    except TermError as error:
        raise RuleError(loc, str(error)) from None
