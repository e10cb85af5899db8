"""Incremental evaluation: from the outcome of the last run to that of a run from nothing, for a few changed facts.

A derived fact is retracted when its proof has lost a premise, or a premise has lost weight, with all facts that rest
on it. New proofs of the retracted facts are looked for among the facts that are left. New and better facts are then
carried forward in rounds, until no fact gets heavier, or lower at the same weight. Then each fact has the weight of its
proof, and no rule gives a better proof: a run from nothing ends in the same state.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from triples.recursion.joins import derivations
from triples.recursion.overlay import FactSource, Overlay, TooMuch, Value
from triples.recursion.plans import backward_plans, forward_plans
from triples.recursion.programs import Key, Program, Proof

__all__ = ["Changes", "Difference", "FactSource", "TooMuch", "update"]


@dataclass(frozen=True, slots=True)
class Changes:
    """The facts that were asserted, deleted or given another weight since the last run; others do no harm."""

    keys: Collection[Key]


@dataclass(frozen=True, slots=True)
class Difference:
    """The derived facts that are gone, and those that are new or have another value or proof."""

    removed: set[Key]
    put: dict[Key, Proof]


def update(
    program: Program,
    source: FactSource,
    changes: Changes,
    *,
    min_weight: float,
    budget: int,
    check: Callable[[], None] = lambda: None,
) -> Difference:
    """Return the changes to the derived facts of the last run, which had the same program and `min_weight`.

    Raises TooMuch when this would read or derive more than `budget` facts. `check` is called again
    and again; an error that it raises ends the evaluation.
    """
    return _Update(program, Overlay(program, source, budget, check), min_weight).run(changes.keys)


class _Update:
    def __init__(self, program: Program, overlay: Overlay, min_weight: float) -> None:
        self._overlay = overlay
        self._min_weight = min_weight
        self._forward = forward_plans(program)
        self._backward = backward_plans(program)

    def run(self, keys: Collection[Key]) -> Difference:
        overlay = self._overlay
        concerned = [key for key in keys if self._concerns(key)]
        overlay.learn(concerned)
        retracted = overlay.retract(self._overrated(overlay.resting_on(concerned)))
        lost = retracted | {key for key in concerned if overlay.value(key) is None}
        fresh = {key for key in concerned if overlay.asserted(key) is not None}
        while True:
            doubtful = self._settle(lost, fresh)
            overrated = self._overrated({key: proof for key in doubtful if (proof := overlay.derived(key))})
            if not overrated:
                return Difference(*overlay.difference())
            lost, fresh = overlay.retract(overrated), set()

    def _concerns(self, key: Key) -> bool:
        return any(plan.given.admits(key) for plan in (*self._forward, *self._backward))

    def _overrated(self, proofs: Mapping[Key, Proof]) -> set[Key]:
        """Return the facts that are heavier, or lower, than their own proofs now make them."""
        overlay = self._overlay
        premises = {head: overlay.premises(head, proof) for head, proof in proofs.items()}
        overlay.learn(premise for each in premises.values() for premise in each)
        overrated: set[Key] = set()
        for head, proof in proofs.items():
            values = [value for premise in premises[head] if (value := overlay.value(premise))]
            weight = overlay.product(proof, (value.weight for value in values))
            depth = 1 + max((value.depth for value in values), default=0)
            if len(values) < len(premises[head]) or (-weight, depth) > (-proof.weight, proof.depth):
                overrated.add(head)
        return overrated

    def _settle(self, lost: Collection[Key], fresh: Collection[Key]) -> set[Key]:
        """Find new proofs of the lost facts, carry the fresh ones forward, and return the facts of doubtful depth.

        Rounding can give two weights of a premise one product. If the premise got heavier but deeper, a fact that
        rests on it keeps its weight, but has the depth of a proof that exists no more.
        """
        overlay = self._overlay
        doubtful: set[Key] = set()
        found = list(derivations(self._backward, dict.fromkeys(lost), overlay, self._min_weight))
        while found or fresh:
            found += derivations(self._forward, self._premises(fresh), overlay, self._min_weight)
            fresh = self._accept(found, doubtful)
            found = []
        return doubtful

    def _premises(self, keys: Iterable[Key]) -> dict[Key, Value]:
        values = ((key, self._overlay.value(key)) for key in keys)
        return {key: value for key, value in values if value and value.weight > 0 and value.weight >= self._min_weight}

    def _accept(self, found: Iterable[tuple[Key, Proof]], doubtful: set[Key]) -> set[Key]:
        """Keep the best proofs, add to the doubtful facts, and return those that are heavier or lower now."""
        overlay = self._overlay
        proofs: dict[Key, set[Proof]] = {}
        for head, proof in found:
            proofs.setdefault(head, set()).add(proof)
        overlay.learn(proofs)
        better: set[Key] = set()
        for head, candidates in proofs.items():
            if overlay.asserted(head) is not None:
                continue
            current, best = overlay.derived(head), min(candidates, key=_rank)
            if current is None or _rank(best) < _rank(current):
                overlay.put(head, best)
                if current is None or best[:2] != current[:2]:
                    better.add(head)
            elif any(proof[2:] == current[2:] and proof != current for proof in candidates):
                doubtful.add(head)
        return better


def _rank(proof: Proof) -> tuple[float, int, int, tuple[int, ...]]:
    """Return a sort key: the best proof comes first."""
    return -proof.weight, proof.depth, proof.rule, proof.free
