"""Facts whose heights are in doubt, because a premise of their proofs is not lower than they are."""

from collections.abc import Iterator
from typing import NamedTuple

from triples.patterns import BoundPlace, Variable
from triples.recursion.packing import Packing
from triples.recursion.programs import BoundRule, Program
from triples.recursion.sql import COLUMNS


class Suspicion(NamedTuple):
    """A select of the facts in doubt because of one place of a rule's body, and the predicate there.

    It reads the relation `fact` of subject, predicate, object, weight, height, proof and `again`, twice: as `k`, the
    facts in doubt, and as `p`, their premises, of which only those marked `again` count.
    """

    predicate: BoundPlace
    sql: str

    def can_arise(self, changed: set[int]) -> bool:
        """True if it can find anything, given the predicates of the facts marked `again`."""
        return isinstance(self.predicate, Variable) or self.predicate in changed


def suspicions(program: Program, packing: Packing) -> list[Suspicion]:
    """Return one for each place of each rule's body."""
    return [suspicion for rule in program.rules for suspicion in _of_rule(rule, packing)]


def _of_rule(rule: BoundRule, packing: Packing) -> Iterator[Suspicion]:
    values = {variable: packing.value("k.proof", index) for index, variable in enumerate(rule.free)}
    for column, place in zip(COLUMNS, rule.head, strict=True):
        if isinstance(place, Variable):
            values[place] = f"k.{column}"

    def expression(place: BoundPlace) -> str:
        return values[place] if isinstance(place, Variable) else str(place)

    for pattern in rule.body:
        premise = [f"p.{column} = {expression(place)}" for column, place in zip(COLUMNS, pattern, strict=True)]
        yield Suspicion(
            pattern[1],
            "SELECT k.subject, k.predicate, k.object, k.weight, k.height FROM fact AS k"
            f" JOIN fact AS p ON p.again AND p.height >= k.height AND {' AND '.join(premise)}"
            f" WHERE k.height > 0 AND {packing.rule('k.proof')} = {rule.number}",
        )
