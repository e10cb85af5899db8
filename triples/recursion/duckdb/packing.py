"""DuckDB's packing of a rule and the values of its free variables into one SQL value."""

from collections.abc import Sequence
from dataclasses import dataclass

from triples.recursion.packing import Packing, digits_for
from triples.recursion.programs import Program

_INTEGERS = {"BIGINT": 63, "HUGEINT": 127}


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


def packing_for(program: Program, largest_id: int) -> Packing:
    """Return the fastest packing that holds every proof of the program over terms up to this id."""
    return digits_for(program, largest_id, _INTEGERS) or Listed()
