"""Plans: in which order the patterns of a rule are looked up when one fact of it is given."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from triples.recursion.overlay import Shape
from triples.recursion.programs import BoundPattern, BoundPlace, BoundRule, Key, Program
from triples.recursion.proofs import unification
from triples.recursion.rules import Variable

# How much a given subject, predicate or object narrows what matches: few facts share both ends, fewer share a
# subject than an object, and a predicate alone says little.
_NARROWING = (5, 2, 4)


@dataclass(frozen=True, slots=True)
class Meeting:
    """What happens when a fact meets a pattern; columns are those of the fact, slots those of the plan."""

    # (column, term), and pairs of columns that must hold the same.
    constants: tuple[tuple[int, int], ...]
    equal: tuple[tuple[int, int], ...]
    # The columns that fill the next free slots.
    taken: tuple[int, ...]
    # Pairs of slots that must differ from here on.
    distinct: tuple[tuple[int, int], ...]

    def admits(self, fact: Key) -> bool:
        if any(fact[column] != term for column, term in self.constants):
            return False
        return all(fact[first] == fact[second] for first, second in self.equal)


@dataclass(frozen=True, slots=True)
class Step:
    """The next pattern: its facts are looked up by the terms in `bound`, which are slots."""

    shape: Shape
    bound: tuple[int, ...]
    meeting: Meeting


@dataclass(frozen=True, slots=True)
class Plan:
    """How a rule is applied when the fact at one place of its body, or its head, is given.

    Slots are the places of a tuple of terms: the rule's constants first, then its variables as they are met.
    """

    rule: BoundRule
    # The predicate that the given fact must have, if the rule names it.
    predicate: int | None
    constants: tuple[int, ...]
    given: Meeting
    steps: tuple[Step, ...]
    # For each place of the body the turn at which its fact joins, the given one being the first of all.
    turns: tuple[int, ...]
    head: tuple[int, ...]
    free: tuple[int, ...]


def forward_plans(program: Program) -> list[Plan]:
    """For each rule and place of its body, the plan for facts given there."""
    return [_plan(rule, place) for rule in program.rules for place in range(len(rule.body))]


def backward_plans(program: Program) -> list[Plan]:
    """For each rule, the plan for given heads."""
    return [_plan(rule, None) for rule in program.rules]


def _plan(rule: BoundRule, given: int | None) -> Plan:
    slots = _Slots(rule)
    constants = tuple(slots.numbers)
    pattern = rule.head if given is None else rule.body[given]
    meeting = slots.meet(pattern)
    order = [] if given is None else [given]
    steps: list[Step] = []
    while remaining := [place for place in range(len(rule.body)) if place not in order]:
        # The first of the best, so that a plan does not depend on anything but the rule.
        place = max(remaining, key=lambda place: slots.narrowing(rule.body[place]))
        order.append(place)
        steps.append(slots.step(rule.body[place]))
    return Plan(
        rule=rule,
        predicate=None if isinstance(pattern[1], Variable) else pattern[1],
        constants=tuple(term for term in constants if not isinstance(term, Variable)),
        given=meeting,
        steps=tuple(steps),
        turns=tuple(order.index(place) for place in range(len(rule.body))),
        head=slots.of(rule.head),
        free=slots.of(rule.free),
    )


class _Slots:
    """The slots filled so far while a plan is made."""

    def __init__(self, rule: BoundRule) -> None:
        patterns = (rule.head, *rule.body)
        constants = dict.fromkeys(place for pattern in patterns for place in pattern if not isinstance(place, Variable))
        self.numbers: dict[BoundPlace, int] = {term: number for number, term in enumerate(constants)}
        self._distinct = rule.distinct

    def of(self, places: Iterable[BoundPlace]) -> tuple[int, ...]:
        return tuple(self.numbers[place] for place in places)

    def narrowing(self, pattern: BoundPattern) -> int:
        return sum(gain for place, gain in zip(pattern, _NARROWING, strict=True) if place in self.numbers)

    def step(self, pattern: BoundPattern) -> Step:
        subject, predicate, object_ = (place in self.numbers for place in pattern)
        bound = self.of(place for place in pattern if place in self.numbers)
        # What is bound, the look-up has seen to.
        return Step((subject, predicate, object_), bound, self.meet(pattern))

    def meet(self, pattern: BoundPattern) -> Meeting:
        """Fill slots with the variables of the pattern that have none yet."""
        known = set(self.numbers)
        constants, equal = unification(pattern)
        new = {place: column for column, place in reversed(list(enumerate(pattern))) if place not in known}
        for place in sorted(new, key=lambda place: new[place]):
            self.numbers[place] = len(self.numbers)
        return Meeting(
            constants=constants,
            equal=tuple(pair for pair in equal if pattern[pair[0]] in new),
            taken=tuple(sorted(new.values())),
            distinct=self._newly_distinct(known),
        )

    def _newly_distinct(self, known: Collection[BoundPlace]) -> tuple[tuple[int, int], ...]:
        return tuple(
            (self.numbers[left], self.numbers[right])
            for left, right in self._distinct
            if {left, right} <= self.numbers.keys() and not {left, right} <= set(known)
        )
