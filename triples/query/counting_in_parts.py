"""Counts where the rows of a join are its answers: the database counts part after part of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from time import perf_counter

from triples.query.answers import GroupCount
from triples.query.facts_parts import Begin, narrow_part, next_size
from triples.query.join_plan import JoinPlan
from triples.query.lookups import GroupedJoin, JoiningSource, Part, Terms
from triples.query.parts_join import PartsJoin
from triples.query.questions import Question
from triples.weights import FAR_FROM_NOTHING

# The facts in the first part.
_FIRST = 2_048
# A product of weights that are greater by this than a root of the least weight is greater than that, however rounded.
_SAFE = 1 + 1e-9


def count_in_parts(join: PartsJoin, limit: int) -> int | None:
    """The number of answers; if more than `limit`, one more. May raise OutOfTime.

    None if rows and answers may not be the same, so that they have to be looked at.
    """
    plan, source = join.plan, join.source
    least = _root(plan)
    if not (join.is_plain and _selects_everything(plan)) or _has_lighter(plan, source, least):
        return None
    lookups = [step.lookup for step in plan.steps]
    found = 0
    for part in _parts(join):
        found += source.joined_number(lookups, part, [least] * len(lookups), limit + 1 - found)
        if found > limit:
            break
    return found


def groups_in_parts(
    question: Question[int], order: Sequence[int], source: JoiningSource, expired: Callable[[], bool]
) -> list[GroupCount] | None:
    """The groups of `group_by`, in any order; None if answers have to be looked at one by one. May raise OutOfTime.

    The database puts the rows of each part into groups. If rows are not answers, these are by all that tells answers
    apart, so that each is counted once.
    """
    width = len(question.group_by)
    select = (*question.group_by, *question.selected)
    join = PartsJoin(replace(question, select=select), order, source, 1, None, expired)
    plan = join.plan
    if not join.is_plain:
        return None
    least = _root(plan)
    if _has_lighter(plan, source, least):
        least = plan.min_weight
        # PostgreSQL refuses a product that is too small for a number.
        if len(plan.steps) > 1 and least ** len(plan.steps) < FAR_FROM_NOTHING:
            return None
    slots = plan.selected[:width] if (once := _selects_everything(plan)) else plan.selected
    lookups = [step.lookup for step in plan.steps]
    grouped = GroupedJoin(lookups, least, plan.min_weight, slots, tuple(join.places))
    answers: dict[Terms, int] = {}
    weights: dict[Terms, float] = {}
    for part in _parts(join):
        before = len(answers)
        for *terms, number, weight in source.joined_groups(grouped, part):
            group = tuple(terms)
            answers[group] = answers.get(group, 0) + number
            weights[group] = max(weight, weights.get(group, 0.0))
        join.clock.keep(len(answers) - before)
    if once:
        return [GroupCount(group, number, weights[group]) for group, number in answers.items()]
    return _by_first(weights, width)


def _by_first(weights: dict[Terms, float], width: int) -> list[GroupCount]:
    """The groups that have the first terms of different answers."""
    found: dict[Terms, GroupCount] = {}
    for terms, weight in weights.items():
        group = terms[:width]
        _, number, greatest = found.get(group, GroupCount(group, 0, weight))
        found[group] = GroupCount(group, number + 1, max(weight, greatest))
    return list(found.values())


def _parts(join: PartsJoin) -> Iterator[Part]:
    """The parts of the first pattern's facts, as large as the time tells that the one before has taken."""
    ends = join.plan.steps[0].lookup.constants
    begin: Begin | None = Begin(1.0)
    size = _FIRST
    while begin is not None:
        join.clock.check()
        part = narrow_part(join.source, ends, begin, size)
        began = perf_counter()
        yield part.part
        size = next_size(size, perf_counter() - began)
        begin = part.following


def _root(plan: JoinPlan) -> float:
    """A weight that facts may have at least, so that every product of theirs is great enough."""
    return float(plan.min_weight ** (1 / len(plan.steps)) * _SAFE)


def _selects_everything(plan: JoinPlan) -> bool:
    """True if the selected terms of an answer determine each of its facts."""
    lookups = [step.lookup for step in plan.steps]
    any_term = any(len(lookup.free) > len(lookup.taken) + len(lookup.equal) for lookup in lookups)
    return not any_term and len(set(plan.selected)) == sum(len(lookup.taken) for lookup in lookups)


def _has_lighter(plan: JoinPlan, source: JoiningSource, least: float) -> bool:
    """True if there are facts lighter than this, so that products have to be compared."""
    return any(source.weight_at(step.lookup.constants, least, 0) is not None for step in plan.steps)
