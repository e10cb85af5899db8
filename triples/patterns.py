"""Patterns: three places, each a constant, a variable or, where a query allows it, anything."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar


@dataclass(frozen=True, slots=True, order=True)
class Variable:
    """`?name`, without its question mark. Where it stands twice, both places hold the same term."""

    name: str

    def __str__(self) -> str:
        return f"?{self.name}"


Constant = TypeVar("Constant")
_Pattern = tuple[Variable | Constant, Variable | Constant, Variable | Constant]

# Constants as texts, and as the ids of their terms.
Place = Variable | str
Pattern = _Pattern[str]
BoundPlace = Variable | int
BoundPattern = _Pattern[int]

# Which of subject, predicate and object are given, and the terms that are, in this order.
Shape = tuple[bool, bool, bool]
# Pairs of columns that must hold the same term, counted from 0: subject, predicate, object.
Equal = tuple[tuple[int, int], ...]
Bound = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unification:
    """The conditions that a fact must satisfy to match a pattern. Columns count from 0: subject, predicate, object."""

    # (column, term).
    constants: tuple[tuple[int, int], ...]
    equal: Equal

    def admits(self, fact: tuple[int, int, int]) -> bool:
        if any(fact[column] != term for column, term in self.constants):
            return False
        return all(fact[first] == fact[second] for first, second in self.equal)


def unification(pattern: BoundPattern) -> tuple[tuple[tuple[int, int], ...], Equal]:
    """The constants and the pairs of columns of `Unification`."""
    constants = tuple((column, place) for column, place in enumerate(pattern) if not isinstance(place, Variable))
    return constants, equal_columns(pattern)


def equal_columns(pattern: tuple[object, object, object]) -> Equal:
    """The columns of a variable that stands there before, each with the first column of that variable."""
    return tuple(
        (pattern.index(place), column)
        for column, place in enumerate(pattern)
        if isinstance(place, Variable) and pattern.index(place) < column
    )


def variables(patterns: Iterable[Iterable[object]]) -> tuple[Variable, ...]:
    """The variables of patterns, in the order in which they first stand there."""
    return tuple(dict.fromkeys(place for pattern in patterns for place in pattern if isinstance(place, Variable)))


def free_variables(head: Iterable[object], body: Iterable[Iterable[object]]) -> tuple[Variable, ...]:
    """The variables of the body that the head does not have."""
    bound = variables([head])
    return tuple(variable for variable in variables(body) if variable not in bound)
