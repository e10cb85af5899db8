"""A source of facts in memory, which a database replaces in the service."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product

from triples.patterns import Bound, Shape
from triples.recursion.incremental import Difference
from triples.recursion.programs import Key, Program, Proof
from triples.recursion.uses import PartialKey, uses


class _Index:
    """Facts by each choice of their columns."""

    def __init__(self, keys: Collection[Key]) -> None:
        self._found: dict[tuple[Shape, Bound], dict[Key, None]] = defaultdict(dict)
        for key in keys:
            self.add(key)

    def add(self, key: Key) -> None:
        for subject, predicate, object_ in product((True, False), repeat=3):
            shape = (subject, predicate, object_)
            self._found[shape, _given(shape, key)][key] = None

    def remove(self, key: Key) -> None:
        for subject, predicate, object_ in product((True, False), repeat=3):
            shape = (subject, predicate, object_)
            del self._found[shape, _given(shape, key)][key]

    def find(self, shape: Shape, bound: Bound) -> Collection[Key]:
        return self._found.get((shape, bound), {})


class MemorySource:
    """Asserted and derived facts; `calls` counts what would be statements."""

    def __init__(
        self,
        program: Program,
        asserted: Mapping[Key, float],
        derived: Mapping[Key, Proof],
        unfit: Collection[int] = (),
    ) -> None:
        self._unfit = set(unfit)
        self._uses = uses(program)
        self.facts = dict(asserted)
        self.derived = dict(derived)
        self._asserted_index, self._derived_index = _Index(self.facts), _Index(self.derived)
        self.calls = 0

    def assert_fact(self, key: Key, weight: float) -> None:
        if key not in self.facts:
            self._asserted_index.add(key)
        self.facts[key] = weight

    def delete(self, key: Key) -> None:
        del self.facts[key]
        self._asserted_index.remove(key)

    def drop(self, key: Key) -> None:
        """Remove the derived fact, if it is one."""
        if self.derived.pop(key, None) is not None:
            self._derived_index.remove(key)

    def apply(self, difference: Difference) -> None:
        for key in difference.removed:
            self.drop(key)
        for key, proof in difference.put.items():
            if key not in self.derived:
                self._derived_index.add(key)
            self.derived[key] = proof

    def matches(self, shape: Shape, bound: Sequence[Bound]) -> Iterator[tuple[int, Key, float, int]]:
        self.calls += 1
        assert len(set(bound)) == len(bound)
        for number, terms in enumerate(bound):
            for key in self._asserted_index.find(shape, terms):
                yield number, key, self.facts[key], 0
            for key in self._derived_index.find(shape, terms):
                if key not in self.facts:
                    yield number, key, self.derived[key].weight, self.derived[key].depth

    def asserted(self, keys: Collection[Key]) -> dict[Key, float]:
        self.calls += 1
        return {key: self.facts[key] for key in keys if key in self.facts}

    def proofs(self, keys: Collection[Key]) -> dict[Key, Proof]:
        self.calls += 1
        return {key: self.derived[key] for key in keys if key in self.derived}

    def unfit(self, terms: Collection[int]) -> set[int]:
        self.calls += 1
        return self._unfit.intersection(terms)

    def resting_on(self, keys: Collection[Key]) -> Iterator[tuple[Key, Proof]]:
        self.calls += 1
        for fact in keys:
            for use in self._uses:
                known = use.match(fact)
                if known is not None:
                    yield from self._proved(use.rule, *known)

    def _proved(self, rule: int, head: PartialKey, free: tuple[int | None, ...]) -> Iterator[tuple[Key, Proof]]:
        subject, predicate, object_ = (term is not None for term in head)
        bound = tuple(term for term in head if term is not None)
        for key in self._derived_index.find((subject, predicate, object_), bound):
            proof = self.derived[key]
            if proof.rule == rule and all(
                value in {None, actual} for value, actual in zip(free, proof.free, strict=True)
            ):
                yield key, proof


def _given(shape: Shape, key: Key) -> Bound:
    return tuple(term for term, given in zip(key, shape, strict=True) if given)
