"""Programs over numbers, written briefly."""

from collections.abc import Sequence

from triples.patterns import BoundPattern, Variable, free_variables
from triples.recursion.programs import BoundRule, Program

X, Y, Z = (Variable(name) for name in "xyz")

Step = tuple[float, BoundPattern, Sequence[BoundPattern]]


def program(*steps: Step) -> Program:
    """Of rules given by weight, head and body, their names rising."""
    return Program(
        tuple(
            BoundRule(number, f"rule {number:03}", weight, head, tuple(body), (), free_variables(head, body))
            for number, (weight, head, body) in enumerate(steps)
        )
    )


def transitive(predicate: int, weight: float = 1.0) -> Program:
    return program((weight, (X, predicate, Z), [(X, predicate, Y), (Y, predicate, Z)]))
