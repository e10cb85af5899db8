"""Small changes: from what the last run derived to what a run from nothing would derive now.

Derived facts whose proof has lost a premise, or whose premise lost weight, are let go of with all that rests on
them; for these, proofs are looked for among what is left. What is new or better is then carried forward in rounds,
until nothing gets heavier, or lower at the same weight. A state in which each fact is worth what its proof says, and no
way to apply a rule gives a better proof, is the one that a run from nothing ends in.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from triples.recursion.joins import derivations
from triples.recursion.plans import backward_plans, forward_plans
from triples.recursion.programs import Key, Program, Proof
from triples.recursion.standing import FactSource, Standing, TooMuch, Value

__all__ = ["Changes", "Difference", "FactSource", "TooMuch", "update"]


@dataclass(frozen=True, slots=True)
class Changes:
    """The facts that were asserted, deleted or given another weight since the last run; unchanged ones do no harm."""

    keys: Collection[Key]


@dataclass(frozen=True, slots=True)
class Difference:
    """The derived facts that are so no more, and those that are new or have another value or proof."""

    removed: set[Key]
    put: dict[Key, Proof]


def update(program: Program, source: FactSource, changes: Changes, *, min_weight: float, budget: int) -> Difference:
    """What to change in the derived facts of the last run, which was of the same program and `min_weight`.

    Raises TooMuch when more than `budget` facts would be looked at or derived on the way.
    """
    return _Update(program, source, min_weight, budget).run(changes.keys)


class _Update:
    def __init__(self, program: Program, source: FactSource, min_weight: float, budget: int) -> None:
        self._standing = Standing(program, source, budget)
        self._min_weight = min_weight
        self._forward = forward_plans(program)
        self._backward = backward_plans(program)

    def run(self, keys: Collection[Key]) -> Difference:
        standing = self._standing
        concerned = [key for key in keys if self._concerns(key)]
        standing.learn(concerned)
        retracted = standing.retract(self._overrated(standing.resting_on(concerned)))
        lost = retracted | {key for key in concerned if standing.value(key) is None}
        fresh = {key for key in concerned if standing.asserted(key) is not None}
        while True:
            doubtful = self._settle(lost, fresh)
            overrated = self._overrated({key: proof for key in doubtful if (proof := standing.derived(key))})
            if not overrated:
                return Difference(*standing.difference())
            lost, fresh = standing.retract(overrated), set()

    def _concerns(self, key: Key) -> bool:
        return any(plan.given.admits(key) for plan in (*self._forward, *self._backward))

    def _overrated(self, proofs: Mapping[Key, Proof]) -> set[Key]:
        """The facts that are worth more than their own proof now gives."""
        standing = self._standing
        premises = {head: standing.premises(head, proof) for head, proof in proofs.items()}
        standing.learn(premise for each in premises.values() for premise in each)
        overrated: set[Key] = set()
        for head, proof in proofs.items():
            values = [value for premise in premises[head] if (value := standing.value(premise))]
            weight = standing.product(proof, (value.weight for value in values))
            depth = 1 + max((value.depth for value in values), default=0)
            if len(values) < len(premises[head]) or (-weight, depth) > (-proof.weight, proof.depth):
                overrated.add(head)
        return overrated

    def _settle(self, lost: Collection[Key], fresh: Collection[Key]) -> set[Key]:
        """Look for proofs of what was lost, carry forward what is fresh, and return the doubtful.

        Rounding can make one product of two weights of a premise. If the premise got heavier but deeper, what it
        proves keeps its weight, but the depth it has is that of a proof which is no more.
        """
        standing = self._standing
        doubtful: set[Key] = set()
        found = list(derivations(self._backward, dict.fromkeys(lost), standing, self._min_weight))
        while found or fresh:
            found += derivations(self._forward, self._premises(fresh), standing, self._min_weight)
            fresh = self._accept(found, doubtful)
            found = []
        return doubtful

    def _premises(self, keys: Iterable[Key]) -> dict[Key, Value]:
        values = ((key, self._standing.value(key)) for key in keys)
        return {key: value for key, value in values if value and value.weight > 0 and value.weight >= self._min_weight}

    def _accept(self, found: Iterable[tuple[Key, Proof]], doubtful: set[Key]) -> set[Key]:
        """Keep the best proofs, add to the doubtful, and return the facts that are worth more now."""
        standing = self._standing
        proofs: dict[Key, set[Proof]] = {}
        for head, proof in found:
            proofs.setdefault(head, set()).add(proof)
        standing.learn(proofs)
        better: set[Key] = set()
        for head, candidates in proofs.items():
            if standing.asserted(head) is not None:
                continue
            current, best = standing.derived(head), min(candidates, key=_rank)
            if current is None or _rank(best) < _rank(current):
                standing.put(head, best)
                if current is None or best[:2] != current[:2]:
                    better.add(head)
            elif any(proof[2:] == current[2:] and proof != current for proof in candidates):
                doubtful.add(head)
        return better


def _rank(proof: Proof) -> tuple[float, int, int, tuple[int, ...]]:
    """Less is better."""
    return -proof.weight, proof.depth, proof.rule, proof.free
