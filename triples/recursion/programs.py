"""Programs: rules sorted by name, over term ids instead of texts, ready to be evaluated."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from triples.patterns import BoundPattern, BoundPlace, Pattern, Place, Variable, free_variables
from triples.recursion.rules import Rule


class Key(NamedTuple):
    """A fact by the ids of its terms."""

    subject: int
    predicate: int
    object: int


class Proof(NamedTuple):
    """The best proof of a derived fact: the number of its rule, and the values of the rule's free variables."""

    weight: float
    depth: int
    rule: int
    free: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BoundRule:
    """A rule over ids of terms; `number` is its place in the program."""

    number: int
    name: str
    weight: float
    head: BoundPattern
    body: tuple[BoundPattern, ...]
    distinct: tuple[tuple[Variable, Variable], ...]
    free: tuple[Variable, ...]

    @property
    def makes_predicates(self) -> bool:
        """True if the rule can derive a fact whose predicate no other fact has."""
        predicate = self.head[1]
        return isinstance(predicate, Variable) and all(pattern[1] != predicate for pattern in self.body)

    def premises(self, head: Key, free: Sequence[int]) -> list[Key]:
        """Return the facts that prove `head` with these values of the free variables, in the order of the body."""
        values: dict[BoundPlace, int] = {
            **dict(zip(self.head, head, strict=True)),
            **dict(zip(self.free, free, strict=True)),
        }

        def term_at(place: BoundPlace) -> int:
            return values[place] if isinstance(place, Variable) else place

        return [Key(*map(term_at, pattern)) for pattern in self.body]


@dataclass(frozen=True)
class Program:
    """Rules sorted by name, so that their numbers compare as their names do."""

    rules: tuple[BoundRule, ...]

    @property
    def makes_predicates(self) -> bool:
        """True if one of its rules can derive a fact whose predicate no other fact has."""
        return any(rule.makes_predicates for rule in self.rules)

    @cached_property
    def predicates(self) -> tuple[int, ...] | None:
        """The predicates of all facts that can be derived; None if a rule has a variable as a predicate."""
        if self.named is None:
            return None
        return tuple(sorted({predicate for rule in self.rules if isinstance(predicate := rule.head[1], int)}))

    @cached_property
    def named(self) -> tuple[int, ...] | None:
        """The predicates of all facts that rules read or derive; None if a rule has a variable as a predicate."""
        found: set[int] = set()
        for rule in self.rules:
            for _, predicate, _ in (rule.head, *rule.body):
                if isinstance(predicate, Variable):
                    return None
                found.add(predicate)
        return tuple(sorted(found))


def bind(rules: Iterable[Rule], ids: Mapping[str, int]) -> Program:
    """Return the program of the rules whose constants are all terms; the others can derive nothing.

    Raises ValueError when two rules have the same name.
    """
    ordered = sorted(rules, key=lambda rule: rule.name)
    if len({rule.name for rule in ordered}) < len(ordered):
        raise ValueError("two rules have the same name")
    able = [rule for rule in ordered if all(text in ids for text in constants(rule))]
    return Program(tuple(_bound(number, rule, ids) for number, rule in enumerate(able)))


def constants(rule: Rule) -> set[str]:
    """Return the texts that the rule names."""
    return {place for pattern in (rule.head, *rule.body) for place in pattern if isinstance(place, str)}


def _bound(number: int, rule: Rule, ids: Mapping[str, int]) -> BoundRule:
    def place(given: Place) -> BoundPlace:
        return given if isinstance(given, Variable) else ids[given]

    def pattern(given: Pattern) -> BoundPattern:
        subject, predicate, object_ = given
        return place(subject), place(predicate), place(object_)

    head, body = pattern(rule.head), tuple(pattern(given) for given in rule.body)
    return BoundRule(number, rule.name, rule.weight, head, body, rule.distinct, free_variables(head, body))
