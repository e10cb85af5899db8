"""The uses of facts by rules: which proofs can have a fact as a premise, and where."""

from dataclasses import dataclass

from triples.patterns import BoundPattern, BoundPlace, Unification, Variable, unification
from triples.recursion.programs import BoundRule, Key, Program

# The known term ids of a fact; None where unknown.
PartialKey = tuple[int | None, int | None, int | None]


@dataclass(frozen=True, slots=True)
class Use(Unification):
    """The use of a fact at one place of a rule's body by the proofs of that rule."""

    rule: int
    place: int
    # The constants of the head; None where it has a variable.
    head_terms: PartialKey
    # For each column of the head, and for each free value, the column of the fact that has the same term; None where
    # no column has it.
    head_columns: tuple[int | None, int | None, int | None]
    free_columns: tuple[int | None, ...]

    def match(self, fact: Key) -> tuple[PartialKey, tuple[int | None, ...]] | None:
        """Return what the fact tells of the head and the free values of proofs that use it here; None if none can."""
        if not self.admits(fact):
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
