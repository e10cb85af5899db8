"""Questions of several patterns, as clients send them."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any
from unicodedata import normalize

import orjson
from django.conf import settings
from pydantic import BeforeValidator, Field, WrapValidator

from skg_site.api.cursors import CursorLayout
from skg_site.api.fields import WHOLE, Weight
from skg_site.api.inputs import Input
from skg_site.api.problems import FieldError, Invalid
from triples.patterns import Variable
from triples.query.answers import Position
from triples.query.filters import Filter, Operator
from triples.query.questions import MAX_PATTERNS, AskedPattern, Question, faults
from triples.recursion.grammar import THREE_PLACES, Constant, VariableName, list_of, place_of, read_place
from triples.recursion.rules import RuleError
from triples.text import MAX_PREDICATE_LENGTH, MAX_TERM_LENGTH

MAX_FILTERS = 50
MAX_VALUES = 1_000
# As many as eight patterns and eight optional ones can have.
MAX_VARIABLES = 48


def _asked(given: object, _: Any, limit: int) -> str | Constant | None:
    return None if given is None else read_place(given, limit)


_PLACE = Field(description="A term, a variable such as `?x`, or null for anything.")
_TermPlace = Annotated[str | Constant | None, _PLACE, WrapValidator(partial(_asked, limit=MAX_TERM_LENGTH))]
_PredicatePlace = Annotated[str | Constant | None, _PLACE, WrapValidator(partial(_asked, limit=MAX_PREDICATE_LENGTH))]
PatternIn = Annotated[
    tuple[_TermPlace, _PredicatePlace, _TermPlace],
    THREE_PLACES,
    Field(description="Subject, predicate and object.", examples=[["?c", "colleague_of", "?p"]]),
]
Patterns = Annotated[list[PatternIn], Field(min_length=1, max_length=MAX_PATTERNS)]

Value = str | float
_FILTER_PARTS = "must be a list of three: a variable, an operator, and a variable or a value"


def _right_side(given: object) -> object:
    """Numbers as their text; what is no value is refused."""
    if isinstance(given, list):
        if len(given) > MAX_VALUES:
            raise RuleError((), f"must have at most {MAX_VALUES:,} values, not {len(given):,}")
        return [_value(one) for one in given]
    return _value(given)


def _value(given: object) -> object:
    if isinstance(given, Mapping):
        return read_place(given, MAX_TERM_LENGTH)
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise RuleError((), "must be a variable, a text, a number or, for `in`, a list of these")
    return given if isinstance(given, str) else orjson.dumps(given).decode()


FilterIn = Annotated[
    tuple[
        VariableName,
        Operator,
        Annotated[Value | Constant | list[Value | Constant], BeforeValidator(_right_side)],
    ],
    list_of(_FILTER_PARTS, range(3, 4)),
    Field(
        description=(
            "A variable, an operator and a variable or a value. Both sides are compared as numbers or ISO dates where"
            " both are, and else as text."
        ),
        examples=[["?c", "!=", "?p"]],
    ),
]
_Variables = Annotated[list[VariableName], Field(min_length=1, max_length=MAX_VARIABLES)]


class Ask(Input):
    """A question of several patterns."""

    patterns: Annotated[Patterns, Field(description="What must all match.")]
    optional: Annotated[
        list[Patterns],
        Field(
            max_length=MAX_PATTERNS, description="Groups that may match; the variables of one that does not are null."
        ),
    ] = []
    absent: Annotated[list[PatternIn], Field(max_length=MAX_PATTERNS, description="What must not match.")] = []
    filter: Annotated[list[FilterIn], Field(max_length=MAX_FILTERS)] = []
    select: Annotated[
        _Variables | None,
        Field(
            description=(
                "The variables to answer; left out: all of `patterns`. Answers that agree on these are one, with the"
                " greatest weight."
            )
        ),
    ] = None
    k: Annotated[int, Field(ge=1, le=settings.ENV.max_results, description="Most answers on a page."), WHOLE] = 10
    min_weight: Weight = 0.0
    cursor: Annotated[
        str | None, Field(pattern=r"^([0-9a-f]{16})+$", description="`next_cursor` of the page before.")
    ] = None
    count: Annotated[bool, Field(description="Count the answers, too; exact up to 10,000.")] = False
    group_by: Annotated[
        _Variables | None,
        Field(
            description=(
                "Instead of answers, the values of these variables, the most frequent first, each with the number of"
                " different answers over `select` and the greatest weight: all of them, or `k` if it is given."
            )
        ),
    ] = None
    include_inferred: bool = True
    include_facts: Annotated[
        bool, Field(description="Name the facts of each answer, one for each pattern, and show each of them once.")
    ] = False
    allow_cross_product: Annotated[bool, Field(description="Let patterns match that share no variable.")] = False
    explain: Annotated[bool, Field(description="Show how the answers were found.")] = False

    @property
    def question(self) -> Question[str]:
        """The question that is asked; 422 with its faults."""
        question = Question(
            patterns=tuple(map(_pattern, self.patterns)),
            optional=tuple(tuple(map(_pattern, group)) for group in self.optional),
            absent=tuple(map(_pattern, self.absent)),
            filters=tuple(_filter(*given) for given in self.filter),
            select=None if self.select is None else _variables(self.select),
            group_by=_variables(self.group_by or ()),
            min_weight=self.min_weight,
            allow_cross_product=self.allow_cross_product,
        )
        found: list[FieldError] = [
            {"loc": list(loc), "msg": message[:1].upper() + message[1:], "type": "question"}
            for loc, message in [*faults(question), *self._faults()]
        ]
        if found:
            raise Invalid(found)
        return question

    @property
    def patterns_in_all(self) -> int:
        return len(self.patterns) + sum(map(len, self.optional)) + len(self.absent)

    def _faults(self) -> list[tuple[tuple[str | int, ...], str]]:
        faults: list[tuple[tuple[str | int, ...], str]] = []
        for name in ("select", "group_by"):
            given: list[str] = getattr(self, name) or []
            faults += [((name, place), "stands there twice") for place, one in enumerate(given) if one in given[:place]]
        if self.group_by is not None:
            faults += [
                ((name,), "cannot be asked for together with `group_by`, which answers all groups")
                for name in ("cursor", "count", "include_facts")
                if getattr(self, name)
            ]
        return faults


def position_of(cursor: str | None, width: int) -> Position | None:
    """The position of a cursor of answers with this number of variables; 422 if it is of another question."""
    if cursor is None:
        return None
    if len(cursor) != 16 * (1 + width):
        raise Invalid([{"loc": ["cursor"], "msg": "This is the cursor of another question", "type": "cursor"}])
    weight, *terms = _layout(width).decode(cursor)
    return Position(weight, tuple(terms))


def cursor_of(position: Position) -> str:
    return _layout(len(position.terms)).encode(position.weight, *position.terms)


def _layout(width: int) -> CursorLayout:
    return CursorLayout("d" + "q" * width)


def _pattern(given: tuple[str | Constant | None, str | Constant | None, str | Constant | None]) -> AskedPattern[str]:
    subject, predicate, object_ = (None if place is None else place_of(place) for place in given)
    return subject, predicate, object_


def _filter(left: str, operation: Operator, right: Value | Constant | list[Value | Constant]) -> Filter:
    variable = Variable(left[1:])
    if isinstance(right, list):
        return Filter(variable, operation, tuple(map(_text, right)))
    if isinstance(right, str) and isinstance(place := place_of(right), Variable):
        return Filter(variable, operation, place)
    return Filter(variable, operation, _text(right))


def _text(value: Value | Constant) -> str:
    """A text in the form in which terms are stored."""
    return normalize("NFC", value.term if isinstance(value, Constant) else str(value))


def _variables(names: list[str] | tuple[()]) -> tuple[Variable, ...]:
    return tuple(Variable(name[1:]) for name in names)
