"""Facts whose heights are in doubt, because a premise of their proofs is not lower than they are."""

from collections.abc import Callable, Iterator

from triples.patterns import BoundPlace, Variable
from triples.recursion.programs import BoundRule
from triples.recursion.sql import COLUMNS


def suspicions(rule: BoundRule, number: str, free: Callable[[int], str]) -> Iterator[tuple[BoundPlace, str]]:
    """Yield, for each place of the body, its predicate and a select of the facts with no lower premise there.

    The select reads the relation `fact` of subject, predicate, object, weight, height and `again`, twice: as `k`, the
    facts in doubt, and as `p`, their premises, of which only those marked `again` count. `number` is the SQL expression
    of the rule in k's proof, `free` that of a free value there.
    """
    values = {variable: free(index) for index, variable in enumerate(rule.free)}
    for column, place in zip(COLUMNS, rule.head, strict=True):
        if isinstance(place, Variable):
            values[place] = f"k.{column}"

    def expression(place: BoundPlace) -> str:
        return values[place] if isinstance(place, Variable) else str(place)

    for pattern in rule.body:
        premise = [f"p.{column} = {expression(place)}" for column, place in zip(COLUMNS, pattern, strict=True)]
        select = (
            "SELECT k.subject, k.predicate, k.object, k.weight, k.height FROM fact AS k"
            f" JOIN fact AS p ON p.again AND p.height >= k.height AND {' AND '.join(premise)}"
            f" WHERE k.height > 0 AND {number} = {rule.number}"
        )
        yield pattern[1], select
