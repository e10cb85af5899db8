"""What must be hidden, told in the plainest way; and the changes of facts that hide something."""

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from tests.triples.store.graphs import committed, fact, store, stored_rows
from tests.triples.store.inferred.derived import TRANSITIVE, asserted, key, run, stored
from triples.recursion.programs import Key, Program
from triples.store.operations import Change, Remove

Texts = tuple[str, str, str]
# What is done, and to which fact.
Doing = tuple[str, Texts]

TERMS = ["a", "b", "c", "p", "q"]
RULES: list[dict[str, Any]] = [
    TRANSITIVE,
    {"name": "symmetric", "weight": 0.5, "head": ["?y", "q", "?x"], "body": [["?x", "q", "?y"]]},
    {"name": "any inverse", "head": ["?y", "?p", "?x"], "body": [["?x", "?p", "?y"], ["?p", "q", "?p"]]},
    {
        "name": "far",
        "head": ["?x", "q", "a"],
        "body": [["?x", "p", "?y"], ["?y", "?r", "?z"], ["?z", "q", "?w"]],
        "distinct": [["?x", "?w"]],
    },
    {"name": "loop", "weight": 0.75, "head": ["?x", "p", "?x"], "body": [["?x", "q", "?x"]]},
    {"name": "ground", "head": ["a", "p", "b"], "body": [["b", "q", "c"], ["?x", "p", "?x"]]},
]
facts = st.tuples(st.sampled_from(TERMS[:4]), st.sampled_from(["p", "q"]), st.sampled_from(TERMS[:4]))
weights = st.sampled_from([0.25, 0.5, 1.0])
graphs = st.dictionaries(facts, weights, min_size=1, max_size=9)
# A fact is deleted, made void, made lighter, asserted (again), asserted with no weight; deleted and asserted again.
DONE = ["delete", "void", "lighten", "assert", "deny", "renew"]
changes = st.lists(st.tuples(st.sampled_from(DONE), facts), max_size=5)


def remove(*texts: str) -> None:
    row = stored_rows()[texts]  # type: ignore[index]  # three of them
    committed([Remove(row.id, row.created_ms)])


def reweigh(weight: float, *texts: str) -> None:
    row = stored_rows()[texts]  # type: ignore[index]  # as above
    committed([Change(row.id, row.created_ms, weight=weight)])


class Oracle:
    """Does what is done to facts, and knows which inferred facts are hidden by it since the last run."""

    def __init__(self, rules: Program) -> None:
        self._rules = rules
        self._hidden: set[Key] = set()
        # Since the snapshot of the run that goes on.
        self._gone: set[Key] = set()

    @property
    def shown(self) -> set[Key]:
        return stored().keys() - self._hidden - asserted().keys()

    def do(self, changes: Iterable[Doing]) -> None:
        for done, texts in changes:
            stands = texts in stored_rows()
            match done:
                case "delete" if stands:
                    self._delete(texts)
                case "void" if stands and stored_rows()[texts].weight:
                    reweigh(0.0, *texts)
                    self._note(key(*texts), denied=True)
                case "lighten" if stands:
                    reweigh(0.125, *texts)
                case "assert":
                    store(fact(*texts))
                case "deny" if not stands:
                    store(fact(*texts, 0.0))
                    self._note(key(*texts), denied=True)
                case "renew" if stands:
                    self._delete(texts)
                    store(fact(*texts))

    def run(self, *, small: bool, meanwhile: Iterable[Doing] = ()) -> None:
        self._gone = set()
        run(self._rules, small=small, meanwhile=lambda: self.do(meanwhile))
        weights = asserted()
        denied = {gone for gone in self._gone if weights.get(gone) == 0}
        self._hidden = self._resting_on(denied | (self._gone - stored().keys()))

    def _delete(self, texts: Texts) -> None:
        gone = key(*texts)
        remove(*texts)
        self._note(gone, denied=False)

    def _note(self, gone: Key, *, denied: bool) -> None:
        self._gone.add(gone)
        if denied or gone not in stored():
            self._hidden |= self._resting_on({gone})

    def _resting_on(self, gone: set[Key]) -> set[Key]:
        found: set[Key] = set()
        while True:
            more = {
                head
                for head, proof in stored().items()
                if not (found | gone).isdisjoint(self._rules.rules[proof.rule].premises(head, proof.free))
            }
            if more <= found:
                return found
            found |= more


def unfounded(rules: Program) -> set[Key]:
    """The inferred facts whose proof, followed down, rests on something that does not stand any more."""
    weights, proofs = asserted(), stored()
    standing = {key for key, weight in weights.items() if weight > 0}
    while True:
        more = {
            found
            for found, proof in proofs.items()
            if found not in standing
            and found not in weights
            and standing.issuperset(rules.rules[proof.rule].premises(found, proof.free))
        }
        if not more:
            return proofs.keys() - standing
        standing |= more
