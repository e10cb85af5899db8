"""Filters of answers, on texts. They compare as numbers or dates where both sides are, and else as text."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, get_args

from triples.patterns import Variable

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "starts_with", "contains", "in"]
OPERATORS: tuple[Operator, ...] = get_args(Operator)

# More digits in an exponent than any measure needs would make a number that takes no time to write hard to compare.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

# What a text is compared as. Two of these are equal exactly if the texts are.
_Value = Decimal | datetime | str


@dataclass(frozen=True, slots=True)
class Filter:
    """A variable, an operator, and a variable or a value. `in` has a tuple of values, any of which may be equal."""

    left: Variable
    operator: Operator
    right: Variable | str | tuple[str, ...]
    # The values of `in`, read once: a list of thousands is looked at for each of thousands of answers.
    _values: frozenset[_Value] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        values = map(_value, self.right) if isinstance(self.right, tuple) else ()
        object.__setattr__(self, "_values", frozenset(values))

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (self.left, self.right) if isinstance(self.right, Variable) else (self.left,)

    def holds(self, texts: Mapping[Variable, str | None]) -> bool:
        """True if the filter holds for the texts of its variables; never where one of them is null."""
        left = texts[self.left]
        right = texts[self.right] if isinstance(self.right, Variable) else self.right
        if left is None or right is None:
            return False
        if isinstance(right, tuple):
            return _value(left) in self._values
        return compare(left, self.operator, right)


def compare(left: str, operation: Operator, right: str) -> bool:
    """True if `left operation right`. `starts_with` and `contains` take upper and lower case as the same."""
    if operation == "starts_with":
        return left.casefold().startswith(right.casefold())
    if operation == "contains":
        return right.casefold() in left.casefold()
    comparison = _COMPARISONS["=" if operation == "in" else operation]
    for read in (_number, _moment):
        first, second = read(left), read(right)
        if first is not None and second is not None:
            return comparison(first, second)
    return comparison(left, right)


def _value(text: str) -> _Value:
    for read in (_number, _moment):
        if (value := read(text)) is not None:
            return value
    return text


def _number(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _moment(text: str) -> datetime | None:
    """An ISO date, which begins at midnight, or a date and time; UTC unless the text says otherwise."""
    if not _DATE.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        # No such day; or one that lies before the year 1 in UTC.
        return None
