"""The overlay of an incremental evaluation: the stored facts, covered by what it has retracted and derived so far."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from triples.patterns import Bound, Shape
from triples.recursion.programs import Key, Program, Proof
from triples.recursion.uses import uses


class TooMuch(Exception):
    """Raised when an evaluation would touch more facts than its budget."""


class Value(NamedTuple):
    """Weight and depth of a fact as a premise; asserted facts have depth 0."""

    weight: float
    depth: int


class FactSource(Protocol):
    """The asserted facts of now, and the derived facts of the last run. Each call asks for many at once."""

    def matches(self, shape: Shape, bound: Sequence[Bound]) -> Iterable[tuple[int, Key, float, int]]:
        """Yield (n, fact, weight, depth) for the n-th of `bound`; a fact that is asserted now only as such."""

    def asserted(self, keys: Collection[Key]) -> dict[Key, float]:
        """Return the weights of those that are asserted."""

    def proofs(self, keys: Collection[Key]) -> dict[Key, Proof]:
        """Return the proofs of those that the last run derived, whether or not they are asserted now."""

    def resting_on(self, keys: Collection[Key]) -> Iterable[tuple[Key, Proof]]:
        """Yield the facts that the last run derived by a proof with one of these as a direct premise."""

    def unfit(self, terms: Collection[int]) -> set[int]:
        """Return the terms that cannot be predicates."""


class Overlay:
    """The facts of a source, with some derived facts retracted or derived in another way.

    Call `learn` for a fact before any other method is called for it. `check` is called before each read of the source,
    and may raise.
    """

    def __init__(
        self, program: Program, source: FactSource, budget: int, check: Callable[[], None] = lambda: None
    ) -> None:
        self._source = source
        self._check = check
        self._rules = {rule.number: rule for rule in program.rules}
        self._uses = uses(program)
        self._budget = budget
        self._asserted: dict[Key, float | None] = {}
        self._stored: dict[Key, Proof | None] = {}
        self._fits: dict[int, bool] = {}
        self._retracted: set[Key] = set()
        self._put: dict[Key, Proof] = {}
        # The facts that were put, by their terms in the bound places of a pattern.
        self._indexes: dict[Shape, dict[Bound, set[Key]]] = {}

    def spend(self, facts: int = 1) -> None:
        """Count facts as touched; TooMuch when they are more than the budget."""
        self._budget -= facts
        if self._budget < 0:
            raise TooMuch

    def learn(self, keys: Iterable[Key]) -> None:
        unknown = {key for key in keys if key not in self._asserted}
        if unknown:
            self._check()
            asserted, stored = self._source.asserted(unknown), self._source.proofs(unknown)
            for key in unknown:
                self._asserted[key], self._stored[key] = asserted.get(key), stored.get(key)

    def asserted(self, key: Key) -> float | None:
        return self._asserted[key]

    def derived(self, key: Key) -> Proof | None:
        if self._asserted[key] is not None or key in self._retracted:
            return None
        return self._put.get(key) or self._stored[key]

    def value(self, key: Key) -> Value | None:
        weight = self._asserted[key]
        if weight is not None:
            return Value(weight, 0)
        proof = self.derived(key)
        return None if proof is None else Value(proof.weight, proof.depth)

    def premises(self, head: Key, proof: Proof) -> list[Key]:
        return self._rules[proof.rule].premises(head, proof.free)

    def product(self, proof: Proof, weights: Iterable[float]) -> float:
        """Return the weight that the proof's rule gives to premises of these weights, in the order of its body."""
        result = self._rules[proof.rule].weight
        for weight in weights:
            result *= weight
        return result

    def matches(self, shape: Shape, bound: Sequence[Bound]) -> Iterator[tuple[int, Key, float, int]]:
        self._check()
        for number, key, weight, depth in self._source.matches(shape, bound):
            self.spend()
            if key not in self._retracted and key not in self._put:
                yield number, key, weight, depth
        if self._put:
            index = self._index(shape)
            for number, terms in enumerate(bound):
                for key in index.get(terms, ()):
                    proof = self._put[key]
                    yield number, key, proof.weight, proof.depth

    def resting_on(self, keys: Iterable[Key]) -> dict[Key, Proof]:
        """Return the stored facts, neither retracted nor put, whose proof has one of these as a direct premise."""
        usable = {key for key in keys if any(use.admits(key) for use in self._uses)}
        found: dict[Key, Proof] = {}
        self._check()
        for head, proof in self._source.resting_on(usable) if usable else ():
            self.spend()
            # A derived fact is asserted now only if that is a change, and of all changes `learn` was told.
            if self._asserted.setdefault(head, None) is None:
                self._stored[head] = proof
                if head not in self._retracted and head not in self._put:
                    found[head] = proof
        return found

    def unfit(self, terms: Collection[int]) -> set[int]:
        """Return the terms that cannot be predicates."""
        unknown = {term for term in terms if term not in self._fits}
        if unknown:
            found = self._source.unfit(unknown)
            self._fits.update({term: term not in found for term in unknown})
        return {term for term in terms if not self._fits[term]}

    def put(self, key: Key, proof: Proof) -> None:
        """Derive the fact by this proof."""
        self._retracted.discard(key)
        if key not in self._put:
            for shape, index in self._indexes.items():
                index.setdefault(_bound(shape, key), set()).add(key)
        self._put[key] = proof

    def retract(self, keys: Collection[Key]) -> set[Key]:
        """Retract these derived facts and all facts whose proofs rest on them; return the retracted facts."""
        resting: dict[Key, list[Key]] = {}
        for head, proof in self._put.items():
            for premise in self.premises(head, proof):
                resting.setdefault(premise, []).append(head)
        gone: set[Key] = set()
        fresh = set(keys)
        while fresh:
            gone |= fresh
            for key in fresh:
                self._take_back(key)
            heads = self.resting_on(fresh).keys() | {head for key in fresh for head in resting.get(key, ())}
            fresh = heads - gone
        return gone

    def difference(self) -> tuple[set[Key], dict[Key, Proof]]:
        """Return the stored facts to remove, and the facts to put."""
        overruled = {key for key, weight in self._asserted.items() if weight is not None}
        removed = {key for key in self._retracted | overruled if self._stored[key] is not None}
        return removed, {key: proof for key, proof in self._put.items() if proof != self._stored[key]}

    def _take_back(self, key: Key) -> None:
        self._retracted.add(key)
        if self._put.pop(key, None) is not None:
            for shape, index in self._indexes.items():
                index[_bound(shape, key)].discard(key)

    def _index(self, shape: Shape) -> dict[Bound, set[Key]]:
        if shape not in self._indexes:
            index = self._indexes[shape] = {}
            for key in self._put:
                index.setdefault(_bound(shape, key), set()).add(key)
        return self._indexes[shape]


def _bound(shape: Shape, key: Key) -> Bound:
    return tuple(term for term, given in zip(key, shape, strict=True) if given)
