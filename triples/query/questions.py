"""Types of questions of several patterns, and the check for their faults."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from triples.patterns import Variable, variables
from triples.query.blocks import NO_TERM
from triples.query.filters import OPERATORS, Filter

MAX_PATTERNS = 8

Constant = TypeVar("Constant")

# None is anything. Unlike a variable, it need not be the same anywhere else.
AskedPattern = tuple[Variable | Constant | None, Variable | Constant | None, Variable | Constant | None]
Loc = tuple[str | int, ...]
Fault = tuple[Loc, str]


@dataclass(frozen=True, slots=True)
class Question(Generic[Constant]):
    """A question of several patterns, with constants as texts or as the ids of their terms.

    - `patterns` must all match. The product of the weights of their facts is the weight of the answer.
    - `optional` are groups of patterns, joined one after the other as a left outer join: each way in which a group
      matches is an answer; if there is none, the variables that are the group's own are null.
    - `absent` patterns must not match. Variables that nothing else binds stand for any term in them.
    - A null variable equals no term, so a pattern that has it matches nothing and a filter that has it does not hold.
    - A fact of weight 0 matches nothing.
    """

    patterns: tuple[AskedPattern[Constant], ...]
    optional: tuple[tuple[AskedPattern[Constant], ...], ...] = ()
    absent: tuple[AskedPattern[Constant], ...] = ()
    filters: tuple[Filter, ...] = ()
    # None: all variables of `patterns`.
    select: tuple[Variable, ...] | None = None
    group_by: tuple[Variable, ...] = ()
    min_weight: float = 0.0
    allow_cross_product: bool = False

    @property
    def selected(self) -> tuple[Variable, ...]:
        return variables(self.patterns) if self.select is None else self.select

    @property
    def bound(self) -> frozenset[Variable]:
        """The variables that a pattern binds, an optional one included."""
        return frozenset(variables([*self.patterns, *(pattern for group in self.optional for pattern in group)]))


def with_ids(question: Question[str], ids: Mapping[str, int]) -> Question[int]:
    """The same with ids for its constants; a constant that has none becomes NO_TERM."""

    def place(given: Variable | str | None) -> Variable | int | None:
        return ids.get(given, NO_TERM) if isinstance(given, str) else given

    def patterns(given: Iterable[AskedPattern[str]]) -> tuple[AskedPattern[int], ...]:
        return tuple((place(subject), place(predicate), place(object_)) for subject, predicate, object_ in given)

    return Question(
        patterns=patterns(question.patterns),
        optional=tuple(patterns(group) for group in question.optional),
        absent=patterns(question.absent),
        filters=question.filters,
        select=question.select,
        group_by=question.group_by,
        min_weight=question.min_weight,
        allow_cross_product=question.allow_cross_product,
    )


def faults(question: Question[str]) -> list[Fault]:
    """The faults of a question, each with its place in the request."""
    return [*_shape_faults(question), *_unbound(question), *_cross_products(question)]


def _shape_faults(question: Question[str]) -> Iterator[Fault]:
    if not 1 <= len(question.patterns) <= MAX_PATTERNS:
        yield ("patterns",), f"must be 1 to {MAX_PATTERNS} patterns, not {len(question.patterns)}"
    for number, group in enumerate(question.optional):
        if not 1 <= len(group) <= MAX_PATTERNS:
            yield ("optional", number), f"must be 1 to {MAX_PATTERNS} patterns, not {len(group)}"
    for number, filter_ in enumerate(question.filters):
        if filter_.operator not in OPERATORS:
            yield ("filter", number, 1), f"must be one of {', '.join(OPERATORS)}"
        elif filter_.operator == "in" and not isinstance(filter_.right, tuple):
            yield ("filter", number, 2), "must be a list of values"
        elif filter_.operator != "in" and isinstance(filter_.right, tuple):
            yield ("filter", number, 2), "must be a variable or one value; only `in` takes a list"


def _unbound(question: Question[str]) -> Iterator[Fault]:
    used: dict[str, Iterable[tuple[Loc, Variable]]] = {
        "select": (((number,), variable) for number, variable in enumerate(question.select or ())),
        "group_by": (((number,), variable) for number, variable in enumerate(question.group_by)),
        "filter": (
            ((number, 2 * side), variable)
            for number, filter_ in enumerate(question.filters)
            for side, variable in enumerate(filter_.variables)
        ),
    }
    for member, uses in used.items():
        for loc, variable in uses:
            if variable not in question.bound:
                yield (member, *loc), f"{variable} is in no pattern"


def _cross_products(question: Question[str]) -> Iterator[Fault]:
    """Patterns that share no variable with those that come before. Patterns of constants alone join with anything."""
    if question.allow_cross_product:
        return
    message = "shares no variable with the other patterns; `allow_cross_product` lets it match with every answer"
    known = set[Variable]()
    for place in _unconnected(question.patterns, known):
        yield ("patterns", place), message
    for number, group in enumerate(question.optional):
        for place in _unconnected(group, known):
            yield ("optional", number, place), message
    for number, pattern in enumerate(question.absent):
        own = set(variables([pattern]))
        if own and not own & question.bound:
            yield ("absent", number), f"{', '.join(map(str, variables([pattern])))}: no pattern binds any of these"


def _unconnected(patterns: Sequence[AskedPattern[str]], known: set[Variable]) -> list[int]:
    """The places of patterns that no shared variable joins to what is known, to which all variables are added."""
    waiting = {place: set(variables([pattern])) for place, pattern in enumerate(patterns)}
    apart: list[int] = []
    while waiting:
        place = next((place for place, own in waiting.items() if not own or own & known), min(waiting))
        own = waiting.pop(place)
        if own and known and not own & known:
            apart.append(place)
        known |= own
    return apart
