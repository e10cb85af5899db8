"""Packs a rule and the values of its free variables into one SQL value that sorts as they do.

Of two proofs of a fact with the same weight, the better one has the smaller rule, then the smaller values. Packed into
one value, `min` finds it. It is fastest where one integer holds it all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from triples.recursion.programs import Program


class Packing(Protocol):
    """An engine's way of packing them."""

    @property
    def sql_type(self) -> str: ...

    def pack(self, rule: int, values: Sequence[str]) -> str:
        """Pack the number of a rule and one expression for each of its free variables."""

    def rule(self, packed: str) -> str:
        """Return the number of the rule."""

    def value(self, packed: str, index: int) -> str:
        """Return the value of the free variable with this number; meaningless if the rule has fewer."""


@dataclass(frozen=True, slots=True)
class Digits:
    """An integer: the rule, then `values` values of `bits` bits each; missing values are 0."""

    sql_type: str
    values: int
    bits: int

    def pack(self, rule: int, values: Sequence[str]) -> str:
        terms = [f"CAST({rule << (self.values * self.bits)} AS {self.sql_type})"]
        terms += [f"{value} * {self._unit(index)}" for index, value in enumerate(values)]
        return " + ".join(terms)

    def rule(self, packed: str) -> str:
        return f"({packed} >> {self.values * self.bits})"

    def value(self, packed: str, index: int) -> str:
        shift = (self.values - 1 - index) * self.bits
        return f"(({packed} >> {shift}) & {(1 << self.bits) - 1})"

    def _unit(self, index: int) -> str:
        return f"CAST({1 << ((self.values - 1 - index) * self.bits)} AS {self.sql_type})"


@dataclass(frozen=True, slots=True)
class Listed:
    """An array, for rules with too many free variables for an integer; `array` is the SQL that makes one."""

    sql_type: str
    array: str
    first_index: int

    def pack(self, rule: int, values: Sequence[str]) -> str:
        return self.array.format(", ".join(f"CAST({value} AS BIGINT)" for value in (rule, *values)))

    def rule(self, packed: str) -> str:
        return f"{packed}[{self.first_index}]"

    def value(self, packed: str, index: int) -> str:
        return f"{packed}[{self.first_index + 1 + index}]"


def packing_for(program: Program, largest_id: int, types: Mapping[str, int], listed: Listed) -> Packing:
    """Return the fastest packing that holds every proof of the program over terms up to this id.

    It is into the first of these integer types, by their bits, that is wide enough, or else into an array.
    """
    values = max((len(rule.free) for rule in program.rules), default=0)
    bits = largest_id.bit_length()
    whole = len(program.rules).bit_length() + values * bits
    return next((Digits(sql_type, values, bits) for sql_type, most in types.items() if whole <= most), listed)


def largest_constant(program: Program) -> int:
    """Return the largest id that the program names."""
    named = [place for rule in program.rules for pattern in (rule.head, *rule.body) for place in pattern]
    return max((place for place in named if isinstance(place, int)), default=0)


def proof_columns(program: Program, packing: Packing) -> str:
    """Return the SQL that unpacks `proof` into the columns of derived facts."""
    return (
        f"CAST({packing.rule('proof')} AS INT) AS rule, {_first_value(program, packing)} AS free1,"
        f" {_further_values(program, packing)} AS free_rest"
    )


def _first_value(program: Program, packing: Packing) -> str:
    numbers = [rule.number for rule in program.rules if rule.free]
    return _cases(packing, [(numbers, packing.value("proof", 0))], "BIGINT")


def _further_values(program: Program, packing: Packing) -> str:
    counts = sorted({len(rule.free) for rule in program.rules if len(rule.free) > 1})
    cases = []
    for count in counts:
        numbers = [rule.number for rule in program.rules if len(rule.free) == count]
        values = " || ',' || ".join(f"CAST({packing.value('proof', index)} AS STRING)" for index in range(1, count))
        cases.append((numbers, f"'[' || {values} || ']'"))
    return _cases(packing, cases, "STRING")


def _cases(packing: Packing, cases: list[tuple[list[int], str]], sql_type: str) -> str:
    """Return an SQL expression that is, by the number of the proof's rule, one of these, or NULL."""
    branches = [
        f"WHEN {packing.rule('proof')} IN ({', '.join(map(str, numbers))}) THEN CAST({expression} AS {sql_type})"
        for numbers, expression in cases
        if numbers
    ]
    return f"CASE {' '.join(branches)} END" if branches else f"CAST(NULL AS {sql_type})"
