"""Predicates that rules ask for although no fact has them: typing errors, for the most part."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from triples.models import Rule as StoredRule
from triples.query.explanations import own_connection
from triples.query.graph_facts import GraphFacts
from triples.query.term_reads import TermSearcher, WantedTerms
from triples.recursion.rules import Rule
from triples.store.backend import backend
from triples.visible import visible

MOST_ALIKE = 3
# Each costs a search.
MOST_TOLD = 20
# Of one statement's parameters.
_AT_ONCE = 1_000


class MissingPredicate(NamedTuple):
    """A predicate that no fact has and no other rule derives, and those that may have been meant."""

    text: str
    alike: list[str]

    def __str__(self) -> str:
        told = f"There is no predicate {visible(self.text)} yet"
        if not self.alike:
            return f"{told}. The rule derives nothing until there is a fact with it."
        *others, last = map(visible, self.alike)
        meant = f"{', '.join(others)} or {last}" if others else last
        return f"{told}; did you mean {meant}?"


def missing_predicates(rules: Sequence[Rule]) -> list[MissingPredicate]:
    """The missing predicates that the bodies name, each once, in their order, `MOST_TOLD` at most.

    What another rule derives is not missing: the next run may make facts of it.
    """
    asking: defaultdict[str, set[str]] = defaultdict(set)
    for rule in rules:
        for _, predicate, _ in rule.body:
            if isinstance(predicate, str):
                asking[predicate].add(rule.name)
    with own_connection() as (session, dialect, shown):
        facts = GraphFacts(session.rows, dialect, None if shown is None else shown.filter)
        texts = list(asking)
        ids: dict[str, int] = {}
        for start in range(0, len(texts), _AT_ONCE):
            ids |= facts.ids(texts[start : start + _AT_ONCE])
        missing = [text for text in asking if text not in ids or not facts.number((None, ids[text], None), 1)]
        deriving = _deriving(rules) if missing else {}
        searcher = TermSearcher(dialect, backend().term_index)

        def alike(text: str) -> list[str]:
            wanted = WantedTerms(text, None, "predicate", MOST_ALIKE)
            return [found.hit.text for found in searcher.search(session.rows, shown, wanted)]

        told = (text for text in missing if deriving.get(text, set()) <= asking[text])
        return [MissingPredicate(text, alike(text)) for text in islice(told, MOST_TOLD)]


def _deriving(rules: Sequence[Rule]) -> dict[str, set[str]]:
    """For each predicate the names of the rules that derive it, stored ones and these."""
    heads: list[tuple[str, object]] = [(rule.name, rule.head[1]) for rule in rules]
    for name, (_, predicate, _) in StoredRule.objects.values_list("name", "head"):
        if isinstance(predicate, dict):
            heads.append((name, predicate["term"]))
        elif not predicate.startswith("?"):
            heads.append((name, predicate))
    deriving: defaultdict[str, set[str]] = defaultdict(set)
    for name, place in heads:
        if isinstance(place, str):
            deriving[place].add(name)
    return deriving
