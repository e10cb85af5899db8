"""Plans: in which order the patterns of a rule are looked up when one fact of it is given."""

from dataclasses import dataclass

from triples.patterns import Variable
from triples.query.planning import Match, Planner, Step
from triples.recursion.programs import BoundRule, Program


@dataclass(frozen=True, slots=True)
class Plan:
    """The application of a rule when the fact at one place of its body, or its head, is given."""

    rule: BoundRule
    # The predicate that the given fact must have, if the rule names it.
    predicate: int | None
    # The terms of the first slots.
    constants: tuple[int, ...]
    given: Match
    steps: tuple[Step, ...]
    # For each place of the body the number of the fact there: the given one is the first, then one for each step.
    joined: tuple[int, ...]
    # Slots.
    head: tuple[int, ...]
    free: tuple[int, ...]


def forward_plans(program: Program) -> list[Plan]:
    """For each rule and place of its body, the plan for facts given there."""
    return [_plan(rule, place) for rule in program.rules for place in range(len(rule.body))]


def backward_plans(program: Program) -> list[Plan]:
    """For each rule, the plan for given heads."""
    return [_plan(rule, None) for rule in program.rules]


def _plan(rule: BoundRule, given: int | None) -> Plan:
    planner = Planner((rule.head, *rule.body), rule.distinct)
    pattern = rule.head if given is None else rule.body[given]
    match = planner.match(pattern)
    steps = dict(planner.steps(rule.body, (place for place in range(len(rule.body)) if place != given)))
    order = [*([] if given is None else [given]), *steps]
    return Plan(
        rule=rule,
        predicate=None if isinstance(pattern[1], Variable) else pattern[1],
        constants=planner.constants,
        given=match,
        steps=tuple(steps.values()),
        joined=tuple(order.index(place) for place in range(len(rule.body))),
        head=planner.slots(rule.head),
        free=planner.slots(rule.free),
    )
