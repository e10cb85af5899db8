"""Packs a rule and the values of its free variables into one SQL value that sorts as they do.

Of two proofs of a fact with the same weight, the better one has the smaller rule, then the smaller values. Packed into
one value, `min` finds it. It is fastest where one integer holds it all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from triples.recursion.programs import Program

BIGINT_BITS = 63
HUGEINT_BITS = 127


@dataclass(frozen=True, slots=True)
class Digits:
    """An integer: the rule, then `values` values of `bits` bits each; missing values are 0."""

    sql_type: str
    values: int
    bits: int

    def pack(self, rule: int, values: Sequence[str]) -> str:
        """Pack the number of a rule and one expression for each of its free variables."""
        terms = [f"CAST({rule << (self.values * self.bits)} AS {self.sql_type})"]
        terms += [f"{value} * {self._unit(index)}" for index, value in enumerate(values)]
        return " + ".join(terms)

    def rule(self, packed: str) -> str:
        return f"({packed} >> {self.values * self.bits})"

    def value(self, packed: str, index: int) -> str:
        """Return the value of the free variable with this number; meaningless if the rule has fewer."""
        shift = (self.values - 1 - index) * self.bits
        return f"(({packed} >> {shift}) & {(1 << self.bits) - 1})"

    def _unit(self, index: int) -> str:
        return f"CAST({1 << ((self.values - 1 - index) * self.bits)} AS {self.sql_type})"


@dataclass(frozen=True, slots=True)
class Listed:
    """A list, for rules with too many free variables for an integer."""

    sql_type: str = "BIGINT[]"

    def pack(self, rule: int, values: Sequence[str]) -> str:
        return f"CAST([{', '.join([str(rule), *values])}] AS BIGINT[])"

    def rule(self, packed: str) -> str:
        return f"{packed}[1]"

    def value(self, packed: str, index: int) -> str:
        return f"{packed}[{index + 2}]"


Packing = Digits | Listed


def packing_for(program: Program, largest_id: int) -> Packing:
    """Return the fastest packing that holds every proof of the program over terms up to this id."""
    values = max((len(rule.free) for rule in program.rules), default=0)
    bits = largest_id.bit_length()
    whole = len(program.rules).bit_length() + values * bits
    if whole <= BIGINT_BITS:
        return Digits("BIGINT", values, bits)
    if whole <= HUGEINT_BITS:
        return Digits("HUGEINT", values, bits)
    return Listed()
