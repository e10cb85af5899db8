"""The number of answers where each is one row of a join: the database counts part after part of them."""

from time import perf_counter

from triples.query.facts_parts import Begin, narrow_part, next_size
from triples.query.join_plan import JoinPlan
from triples.query.lookups import JoiningSource
from triples.query.parts_join import PartsJoin

# The facts in the first part.
_FIRST = 2_048
# A product of weights that are greater by this than a root of the least weight is greater than that, however rounded.
_SAFE = 1 + 1e-9


def count_in_parts(join: PartsJoin, limit: int) -> int | None:
    """The number of answers; if more than `limit`, one more. May raise OutOfTime.

    None if rows and answers may not be the same, so that they have to be looked at.
    """
    plan, source = join.plan, join.source
    least = plan.min_weight ** (1 / len(plan.steps)) * _SAFE
    if not (join.is_plain and _selects_everything(plan)) or _has_lighter(plan, source, least):
        return None
    lookups = [step.lookup for step in plan.steps]
    begin: Begin | None = Begin(1.0)
    found, size = 0, _FIRST
    while begin is not None and found <= limit:
        join.clock.check()
        part = narrow_part(source, lookups[0].constants, begin, size)
        began = perf_counter()
        found += source.joined_number(lookups, part.part, [least] * len(lookups), limit + 1 - found)
        size = next_size(size, perf_counter() - began)
        begin = part.following
    return found


def _selects_everything(plan: JoinPlan) -> bool:
    """True if the selected terms of an answer determine each of its facts."""
    lookups = [step.lookup for step in plan.steps]
    any_term = any(len(lookup.free) > len(lookup.taken) + len(lookup.equal) for lookup in lookups)
    return not any_term and len(set(plan.selected)) == sum(len(lookup.taken) for lookup in lookups)


def _has_lighter(plan: JoinPlan, source: JoiningSource, least: float) -> bool:
    """True if there are facts lighter than this, so that products have to be compared."""
    return any(source.weight_at(step.lookup.constants, least, 0) is not None for step in plan.steps)
