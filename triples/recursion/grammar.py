"""The grammar of a rule as JSON. One Pydantic model reads documents, files and requests, and describes them in OpenAPI.

{"name": "grandparent", "weight": 0.9,
 "head": ["?x", "grandparent_of", "?z"],
 "body": [["?x", "parent_of", "?y"], ["?y", "parent_of", "?z"]],
 "distinct": [["?x", "?z"]]}
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WrapValidator,
    model_validator,
)

from triples.patterns import Pattern, Place, Variable
from triples.recursion.rules import MAX_NAME_LENGTH, Loc, Rule, RuleError, clean_name
from triples.text import MAX_PREDICATE_LENGTH, MAX_TERM_LENGTH, MAX_VARIABLE_LENGTH, TermError, clean_term

MAX_BODY = 8
MAX_DISTINCT = 50
MAX_DESCRIPTION_LENGTH = 2000
# Clients and proxies take these at the end of a path for the folder and the one above it, even percent-encoded.
UNREACHABLE = [".", ".."]

_VARIABLE = re.compile(r"\?\w+")
# Pydantic's faults as this grammar words them. Other faults are raised with their sentences.
_SENTENCES = {
    "missing": "is missing",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "float_type": "must be a number",
    "greater_than": "must be above 0 and at most 1",
    "less_than_equal": "must be above 0 and at most 1",
}

Model = TypeVar("Model", bound=BaseModel)


def read_members(model: type[Model], document: object) -> Model:
    """The document as `model`; RuleError with the first fault."""
    if not isinstance(document, Mapping):
        raise RuleError((), "must be an object")
    # Pydantic would report every one of a thousand unknown members.
    for name in document:
        if name not in model.model_fields:
            raise RuleError((str(name),), "is not known here")
    try:
        return model.model_validate(dict(document))
    except ValidationError as error:
        raise _first_fault(error) from None


def _first_fault(error: ValidationError) -> RuleError:
    fault = error.errors(include_url=False, include_input=False)[0]
    reason = fault.get("ctx", {}).get("error")
    loc = (*fault["loc"], *getattr(reason, "loc", ()))
    return RuleError(loc, str(reason or _SENTENCES.get(fault["type"], fault["msg"])))


def list_of(sentence: str, sizes: range | None = None, wrong_size: str = "") -> BeforeValidator:
    """Refuses what is no list with `sentence`, and a list of another size with `wrong_size`, or else `sentence`."""

    def read(given: object) -> object:
        if not isinstance(given, list | tuple):
            raise RuleError((), sentence)
        if sizes is not None and len(given) not in sizes:
            raise RuleError((), wrong_size.format(len(given)) or sentence)
        return tuple(given) if sizes is not None and len(sizes) == 1 else list(given)

    return BeforeValidator(read)


class Members(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Constant(Members):
    """A term that begins with a question mark and is no variable."""

    term: str


def read_place(given: object, limit: int) -> str | Constant:
    """A place of a pattern: a term, or a variable with its question mark; RuleError if it is neither."""
    if isinstance(given, Mapping):
        return Constant(term=_cleaned(read_members(Constant, given).term, limit, ("term",)))
    if not isinstance(given, str):
        raise RuleError((), 'must be a text, or {"term": text} for a constant that begins with a question mark')
    text = _cleaned(given, limit)
    if text.startswith("?") and not _VARIABLE.fullmatch(text):
        raise RuleError(
            (),
            "the name of a variable consists of letters, digits and _ after the question mark; "
            'a constant that begins with one is written {"term": text}',
        )
    if text.startswith("?") and len(text) > MAX_VARIABLE_LENGTH:
        raise RuleError((), f"a variable must have at most {MAX_VARIABLE_LENGTH} characters, not {len(text):,}")
    return text


def _cleaned(text: str, limit: int, loc: Loc = ()) -> str:
    try:
        return clean_term(text, limit)
    except TermError as error:
        raise RuleError(loc, str(error)) from None


def _place(given: object, _: Any, limit: int) -> str | Constant:
    return read_place(given, limit)


def read_variable(given: object) -> str:
    place = read_place(given, MAX_TERM_LENGTH)
    if not isinstance(place, str) or not place.startswith("?"):
        raise RuleError((), "must be a variable")
    return place


def _small(weight: object) -> object:
    """Keeps integers that are too large for a float out of range, but numbers."""
    return max(-1, min(weight, 2)) if type(weight) is int else weight


def _description(text: str) -> str:
    if len(text) > MAX_DESCRIPTION_LENGTH:
        raise RuleError((), f"must have at most {MAX_DESCRIPTION_LENGTH:,} characters, not {len(text):,}")
    # Neither can be sent to every database, or be written as UTF-8.
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise RuleError((), "must not contain NUL or a lone surrogate")
    return text


THREE_PLACES = list_of(
    "must be a list of three places: subject, predicate and object",
    range(3, 4),
    "must have three places: subject, predicate and object; here are {}",
)
_PLACE = Field(description="A term, or a variable such as `?x`.")
_TermPlace = Annotated[str | Constant, _PLACE, WrapValidator(partial(_place, limit=MAX_TERM_LENGTH))]
_PredicatePlace = Annotated[str | Constant, _PLACE, WrapValidator(partial(_place, limit=MAX_PREDICATE_LENGTH))]

Name = Annotated[
    str,
    AfterValidator(clean_name),
    # Stored rules may have any name; `triples.rules.documents` holds new ones to this.
    Field(
        json_schema_extra={"maxLength": MAX_NAME_LENGTH, "not": {"enum": UNREACHABLE}},
        examples=["grandparent"],
    ),
]
Weight = Annotated[
    float,
    Field(gt=0, le=1, description="What is derived weighs as much as this times all that it rests on."),
    BeforeValidator(_small),
]
PatternIn = Annotated[
    tuple[_TermPlace, _PredicatePlace, _TermPlace],
    THREE_PLACES,
    Field(description="Subject, predicate and object.", examples=[["?x", "parent_of", "?y"]]),
]
Patterns = Annotated[
    list[PatternIn],
    Field(min_length=1, max_length=MAX_BODY, description="What must hold."),
    list_of("must be a list of patterns", range(1, MAX_BODY + 1), f"must have 1 to {MAX_BODY} patterns, not {{}}"),
]
VariableName = Annotated[str, BeforeValidator(read_variable)]
Distinct = Annotated[
    list[Annotated[tuple[VariableName, VariableName], list_of("must be a pair of variables", range(2, 3))]],
    # Stored rules may have more, from before there was a limit; `triples.rules.documents` holds new ones to it.
    Field(
        json_schema_extra={"maxItems": MAX_DISTINCT},
        description="Pairs of variables that must not stand for the same term.",
    ),
    list_of("must be a list of pairs of variables"),
]
Description = Annotated[
    str, AfterValidator(_description), Field(json_schema_extra={"maxLength": MAX_DESCRIPTION_LENGTH})
]
Enabled = Annotated[bool, Field(description="Whether runs apply it.")]


class RuleIn(Members):
    """A rule: if all of the body holds, so does the head."""

    name: Name
    weight: Weight = 1.0
    head: PatternIn
    body: Patterns
    distinct: Distinct = []
    description: Description = ""
    enabled: Enabled = True

    @model_validator(mode="after")
    def _check_variables(self) -> Self:
        rule = self.rule
        known = {place for pattern in rule.body for place in pattern if isinstance(place, Variable)}
        for number, place in enumerate(rule.head):
            if isinstance(place, Variable) and place not in known:
                raise RuleError(("head", number), f"the variable {place} must stand in the body too")
        for number, pair in enumerate(self.distinct):
            for side, text in enumerate(pair):
                if Variable(text[1:]) not in known:
                    raise RuleError(("distinct", number, side), f"the variable {text} must stand in the body")
            if pair[0] == pair[1]:
                raise RuleError(("distinct", number), f"{pair[0]} never differs from itself")
        return self

    @property
    def rule(self) -> Rule:
        distinct = dict.fromkeys((Variable(left[1:]), Variable(right[1:])) for left, right in self.distinct)
        body = tuple(_pattern(pattern) for pattern in self.body)
        return Rule(self.name, _pattern(self.head), body, self.weight, tuple(distinct))

    @property
    def rules(self) -> list[Rule]:
        return [self.rule]


def parse_rule(document: object) -> Rule:
    """The rule that a document describes, or RuleError."""
    return read_members(RuleIn, document).rule


def _pattern(given: PatternIn) -> Pattern:
    subject, predicate, object_ = map(place_of, given)
    return subject, predicate, object_


def place_of(place: str | Constant) -> Place:
    """The meaning of a place that was read."""
    if isinstance(place, Constant):
        return place.term
    return Variable(place[1:]) if place.startswith("?") else place
