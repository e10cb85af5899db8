"""What a program derives, worked out from the definitions alone: slowly, in plain Python, with no engine's tricks.

Every way in which the rules could be applied is written down first; weights, depths and proofs are then read off.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from triples.patterns import BoundPattern, BoundPlace, Variable
from triples.recursion.programs import BoundRule, Key, Program, Proof

Binding = dict[Variable, int]


class Instance(NamedTuple):
    """One way in which a rule derives a fact."""

    rule: BoundRule
    head: Key
    premises: tuple[Key, ...]
    free: tuple[int, ...]

    def product(self, weights: Mapping[Key, float]) -> float:
        result = self.rule.weight
        for premise in self.premises:
            result *= weights.get(premise, 0.0)
        return result


def evaluate(
    facts: Mapping[Key, float],
    program: Program,
    *,
    max_depth: int | None = None,
    min_weight: float = 0.0,
    subjects: set[int] | None = None,
    unfit: Collection[int] = (),
) -> dict[Key, Proof]:
    """The derived facts with their best proofs; asserted facts are not among them."""
    instances = _instances(facts, program, subjects, unfit)
    proofs = _at_the_fixpoint(facts, instances) if max_depth is None else _within_rounds(facts, instances, max_depth)
    return {key: proof for key, proof in proofs.items() if proof.weight >= min_weight}


def _instances(
    facts: Mapping[Key, float], program: Program, subjects: set[int] | None, unfit: Collection[int]
) -> list[Instance]:
    """All applications of rules to what is asserted or could be derived, but for those that derive the asserted."""
    known = {key for key, weight in facts.items() if weight > 0}
    while True:
        found = [
            instance
            for rule in program.rules
            for instance in _applications(rule, sorted(known))
            if instance.head not in facts
            and instance.head.predicate not in unfit
            and (subjects is None or instance.head.subject in subjects)
        ]
        heads = {instance.head for instance in found}
        if heads <= known:
            return found
        known |= heads


def _applications(rule: BoundRule, known: Sequence[Key]) -> Iterator[Instance]:
    for binding, premises in _matches(rule.body, {}, known):
        if all(binding[left] != binding[right] for left, right in rule.distinct):
            head = Key(*(_value(place, binding) for place in rule.head))
            yield Instance(rule, head, premises, tuple(binding[variable] for variable in rule.free))


def _matches(
    body: Sequence[BoundPattern], binding: Binding, known: Sequence[Key]
) -> Iterator[tuple[Binding, tuple[Key, ...]]]:
    if not body:
        yield binding, ()
        return
    for key in known:
        extended = dict(binding)
        if all(_agrees(place, value, extended) for place, value in zip(body[0], key, strict=True)):
            for whole, premises in _matches(body[1:], extended, known):
                yield whole, (key, *premises)


def _agrees(place: BoundPlace, value: int, binding: Binding) -> bool:
    return (binding.setdefault(place, value) if isinstance(place, Variable) else place) == value


def _value(place: BoundPlace, binding: Binding) -> int:
    return binding[place] if isinstance(place, Variable) else place


def _step(facts: Mapping[Key, float], instances: list[Instance], weights: Mapping[Key, float]) -> dict[Key, float]:
    """The asserted facts, and what one application of the rules makes of `weights`."""
    result = dict(facts)
    for instance in instances:
        product = instance.product(weights)
        if product > result.get(instance.head, 0.0):
            result[instance.head] = product
    return result


def _at_the_fixpoint(facts: Mapping[Key, float], instances: list[Instance]) -> dict[Key, Proof]:
    weights = dict(facts)
    while (stepped := _step(facts, instances, weights)) != weights:
        weights = stepped
    tight = [instance for instance in instances if 0 < instance.product(weights) == weights[instance.head]]
    depths = {key: 0 for key, weight in facts.items() if weight > 0}
    proofs: dict[Key, Proof] = {}
    level = 0
    while len(depths) < sum(weight > 0 for weight in weights.values()):
        level += 1
        ready = [
            instance for instance in tight if instance.head not in depths and depths.keys() >= set(instance.premises)
        ]
        assert ready, "every derived fact has a proof that rests on asserted facts"
        proofs |= _best(ready, lambda key: weights[key], level)
        depths |= {instance.head: level for instance in ready}
    return proofs


def _within_rounds(facts: Mapping[Key, float], instances: list[Instance], max_depth: int) -> dict[Key, Proof]:
    proofs: dict[Key, Proof] = {}
    weights = dict(facts)
    for number in range(1, max_depth + 1):
        stepped = _step(facts, instances, weights)
        better = [
            instance
            for instance in instances
            if weights.get(instance.head, 0.0) < stepped.get(instance.head, 0.0) == instance.product(weights)
        ]
        proofs |= _best(better, stepped.__getitem__, number)
        weights = stepped
    return proofs


def _best(candidates: list[Instance], weight: Callable[[Key], float], depth: int) -> dict[Key, Proof]:
    """For each head the candidate of the smallest rule name, and of its candidates the one of the smallest values."""
    best: dict[Key, Instance] = {}
    for instance in sorted(candidates, key=lambda candidate: (candidate.rule.name, candidate.free)):
        best.setdefault(instance.head, instance)
    return {head: Proof(weight(head), depth, instance.rule.number, instance.free) for head, instance in best.items()}
