"""Stored proofs: the premises of a proof, and the proofs that can have a fact as a premise."""

from collections.abc import Sequence
from dataclasses import dataclass

from triples.recursion.programs import BoundPattern, BoundPlace, BoundRule, Key, Program
from triples.recursion.rules import Variable

# The known term ids of a fact; None where unknown.
PartialKey = tuple[int | None, int | None, int | None]


def premises(rule: BoundRule, head: Key, free: Sequence[int]) -> list[Key]:
    """Return the facts that prove `head` by the rule, in the order of its body."""
    values: dict[BoundPlace, int] = {
        **dict(zip(rule.head, head, strict=True)),
        **dict(zip(rule.free, free, strict=True)),
    }

    def term_at(place: BoundPlace) -> int:
        return values[place] if isinstance(place, Variable) else place

    return [Key(*map(term_at, pattern)) for pattern in rule.body]


@dataclass(frozen=True, slots=True)
class Use:
    """The use of a fact at one place of a rule's body by the proofs of that rule.

    Columns are counted from 0: subject, predicate, object.
    """

    rule: int
    place: int
    # (column, term) pairs that the fact must have, and pairs of its columns that must be equal.
    constants: tuple[tuple[int, int], ...]
    equal: tuple[tuple[int, int], ...]
    # The constants of the head; None where it has a variable.
    head_terms: PartialKey
    # For each column of the head, and for each free value, the column of the fact that has the same term; None where
    # no column has it.
    head_columns: tuple[int | None, int | None, int | None]
    free_columns: tuple[int | None, ...]

    def fits(self, fact: Key) -> bool:
        if any(fact[column] != term for column, term in self.constants):
            return False
        return all(fact[first] == fact[second] for first, second in self.equal)

    def match(self, fact: Key) -> tuple[PartialKey, tuple[int | None, ...]] | None:
        """Return what the fact tells of the head and the free values of proofs that use it here; None if none can."""
        if not self.fits(fact):
            return None
        subject, predicate, object_ = (
            term if column is None else fact[column]
            for term, column in zip(self.head_terms, self.head_columns, strict=True)
        )
        free = tuple(None if column is None else fact[column] for column in self.free_columns)
        return (subject, predicate, object_), free


def uses(program: Program) -> list[Use]:
    """Return the uses of facts by the program's rules, sorted by rule and place of the body."""
    return [_use(rule, place, pattern) for rule in program.rules for place, pattern in enumerate(rule.body)]


def unification(pattern: BoundPattern) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    """Return the (column, term) pairs and the pairs of equal columns that a fact needs to match the pattern."""
    constants = tuple((column, place) for column, place in enumerate(pattern) if not isinstance(place, Variable))
    equal = tuple(
        (pattern.index(place), column)
        for column, place in enumerate(pattern)
        if isinstance(place, Variable) and pattern.index(place) < column
    )
    return constants, equal


def _use(rule: BoundRule, place: int, pattern: BoundPattern) -> Use:
    def column_of(wanted: BoundPlace) -> int | None:
        return pattern.index(wanted) if isinstance(wanted, Variable) and wanted in pattern else None

    constants, equal = unification(pattern)
    subject, predicate, object_ = rule.head
    return Use(
        rule=rule.number,
        place=place,
        constants=constants,
        equal=equal,
        head_terms=(_term(subject), _term(predicate), _term(object_)),
        head_columns=(column_of(subject), column_of(predicate), column_of(object_)),
        free_columns=tuple(column_of(variable) for variable in rule.free),
    )


def _term(place: BoundPlace) -> int | None:
    return None if isinstance(place, Variable) else place
