"""Plans of joins: in which order patterns are looked up, and which checks can be made after each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ulp

from triples.patterns import Variable, variables
from triples.query.filters import Filter
from triples.query.lookups import Lookup, lookup_of
from triples.query.questions import AskedPattern, Question


@dataclass(frozen=True, slots=True)
class Checks:
    """The checks of a partial answer that can be made as soon as its slots are filled."""

    filters: tuple[tuple[Filter, tuple[int, ...]], ...]
    absent: tuple[Lookup, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A pattern: its place in the question, its look-up, the checks after it and the selected slots filled by then.

    These slots are a prefix of the selection: those up to the first one that is still empty.
    """

    place: int
    lookup: Lookup
    checks: Checks
    selected: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """An optional group: its look-ups, and how many slots are null when it does not match."""

    lookups: tuple[Lookup, ...]
    width: int


@dataclass(frozen=True, slots=True)
class JoinPlan:
    steps: tuple[Step, ...]
    optional: tuple[Group, ...]
    # The checks of what the optional groups bind.
    checks: Checks
    selected: tuple[int, ...]
    # Above 0: a product that is too small for a number is none.
    min_weight: float


def plan_join(question: Question[int], order: Sequence[int], select: Sequence[Variable]) -> JoinPlan:
    """Plan the question, its patterns in this order, with answers over `select`."""
    groups = _needed(question, select)
    patterns = [question.patterns[place] for place in order]
    slots = {
        variable: slot
        for slot, variable in enumerate(variables([*patterns, *(pattern for group in groups for pattern in group)]))
    }
    selected = tuple(slots[variable] for variable in select)
    steps: list[Step] = []
    filled = 0
    for place, pattern in zip(order, patterns, strict=True):
        lookup = lookup_of(pattern, slots, filled)
        before, filled = filled, filled + len(lookup.taken)
        # Those that need no slot are checked after the first pattern.
        checks = _checks(question, slots, range(before, filled), first=not steps)
        steps.append(Step(place, lookup, checks, _prefix(selected, filled)))
    required = filled
    optional: list[Group] = []
    for group in groups:
        lookups = []
        before = filled
        for pattern in group:
            lookups.append(lookup_of(pattern, slots, filled))
            filled += len(lookups[-1].taken)
        optional.append(Group(tuple(lookups), filled - before))
    checks = _checks(question, slots, range(required, filled))
    return JoinPlan(tuple(steps), tuple(optional), checks, selected, max(question.min_weight, ulp(0.0)))


def _needed(question: Question[int], select: Iterable[Variable]) -> list[tuple[AskedPattern[int], ...]]:
    """The optional groups that bind what is selected or checked; the others change no answer."""
    needed = {*select, *variables(question.absent)}
    needed.update(variable for filter_ in question.filters for variable in filter_.variables)
    groups: list[tuple[AskedPattern[int], ...]] = []
    for number, group in reversed(list(enumerate(question.optional))):
        earlier = [pattern for other in question.optional[:number] for pattern in other]
        if needed & (set(variables(group)) - set(variables([*question.patterns, *earlier]))):
            groups.insert(0, group)
            needed.update(variables(group))
    return groups


def _checks(question: Question[int], slots: Mapping[Variable, int], new: range, *, first: bool = False) -> Checks:
    """The checks whose last slot is one of the new ones."""

    def ready(used: Iterable[Variable]) -> bool:
        filled = [slots[variable] for variable in used if variable in slots]
        return max(filled) in new if filled else first

    return Checks(
        filters=tuple(
            (filter_, tuple(slots[variable] for variable in filter_.variables))
            for filter_ in question.filters
            if ready(filter_.variables)
        ),
        absent=tuple(
            lookup_of(pattern, slots, len(slots)) for pattern in question.absent if ready(variables([pattern]))
        ),
    )


def _prefix(selected: Sequence[int], filled: int) -> tuple[int, ...]:
    for number, slot in enumerate(selected):
        if slot >= filled:
            return tuple(selected[:number])
    return tuple(selected)
