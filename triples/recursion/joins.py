"""Plans carried out: from given facts to all proofs that they take part in, many look-ups at a time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from triples.patterns import Bound
from triples.query.planning import Match, Step
from triples.recursion.overlay import Overlay, Value
from triples.recursion.plans import Plan
from triples.recursion.programs import Key, Proof


class _Partial(NamedTuple):
    """The terms in a plan's slots so far, and the weights and the depth of the premises that joined."""

    terms: tuple[int, ...]
    weights: tuple[float, ...]
    depth: int


def derivations(
    plans: Sequence[Plan], given: Mapping[Key, Value | None], overlay: Overlay, min_weight: float
) -> Iterator[tuple[Key, Proof]]:
    """The facts that follow, each as often as there are proofs of it; heads are given without a value."""
    by_predicate: dict[int, list[Key]] = defaultdict(list)
    for fact in given:
        by_predicate[fact.predicate].append(fact)
    for plan in plans:
        facts = given if plan.predicate is None else by_predicate[plan.predicate]
        partials = list(_begun(plan, facts, given))
        for step in plan.steps:
            if partials:
                partials = list(_extended(partials, step, overlay, min_weight))
        if plan.rule.makes_predicates:
            partials = _with_predicates(plan, partials, overlay)
        for partial in partials:
            head, proof = _concluded(plan, partial)
            if proof.weight > 0 and proof.weight >= min_weight:
                yield head, proof


def _begun(plan: Plan, facts: Iterable[Key], given: Mapping[Key, Value | None]) -> Iterator[_Partial]:
    for fact in facts:
        if plan.given.admits(fact):
            terms = plan.constants + tuple([fact[column] for column in plan.given.taken])
            if _differ(plan.given, terms):
                value = given[fact]
                yield _Partial(terms, (), 0) if value is None else _Partial(terms, (value.weight,), value.depth)


def _extended(partials: list[_Partial], step: Step, overlay: Overlay, min_weight: float) -> Iterator[_Partial]:
    waiting: dict[Bound, list[_Partial]] = defaultdict(list)
    for partial in partials:
        waiting[tuple([partial.terms[slot] for slot in step.bound])].append(partial)
    bound = list(waiting)
    match = step.match
    for number, fact, weight, depth in overlay.matches(step.shape, bound):
        # No product is heavier than a factor.
        if weight <= 0 or weight < min_weight or not match.admits(fact):
            continue
        taken = tuple([fact[column] for column in match.taken])
        for partial in waiting[bound[number]]:
            terms = partial.terms + taken
            if _differ(match, terms):
                overlay.spend()
                yield _Partial(terms, (*partial.weights, weight), max(partial.depth, depth))


def _differ(match: Match, terms: Sequence[int]) -> bool:
    return all(terms[left] != terms[right] for left, right in match.distinct)


def _with_predicates(plan: Plan, partials: list[_Partial], overlay: Overlay) -> list[_Partial]:
    """The proofs that give the head a term for a predicate that can be one."""
    slot = plan.head[1]
    unfit = overlay.unfit({partial.terms[slot] for partial in partials})
    return [partial for partial in partials if partial.terms[slot] not in unfit] if unfit else partials


def _concluded(plan: Plan, partial: _Partial) -> tuple[Key, Proof]:
    weight = plan.rule.weight
    for number in plan.joined:
        weight *= partial.weights[number]
    subject, predicate, object_ = [partial.terms[slot] for slot in plan.head]
    free = tuple([partial.terms[slot] for slot in plan.free])
    return Key(subject, predicate, object_), Proof(weight, partial.depth + 1, plan.rule.number, free)
