"""The answers to questions: queries, patterns, paths, neighbours, terms and predicates."""

from typing import Any, Literal, NotRequired, TypedDict

from .answers import FoundFact


class Match(TypedDict):
    """A fact that matches a query."""

    id: str
    subject: str
    predicate: str
    object: str
    weight: float
    metadata: NotRequired[dict[str, Any] | None]
    inferred: NotRequired[bool | None]


class Matches(TypedDict):
    results: list[Match]
    total: int
    total_capped: NotRequired[bool]
    query_time_ms: int


class Answer(TypedDict):
    bindings: dict[str, str | None]
    weight: float
    count: NotRequired[int]
    facts: NotRequired[list[str]]


class PlanStep(TypedDict):
    pattern: list[str | None]
    facts: int
    estimate: float


class Plan(TypedDict):
    way: str
    steps: list[PlanStep]
    facts_read: int


class Answers(TypedDict):
    variables: list[str]
    results: list[Answer]
    next_cursor: str | None
    query_time_ms: int
    facts: NotRequired[list[FoundFact]]
    total: NotRequired[int | None]
    total_capped: NotRequired[bool]
    complete_above: NotRequired[float | None]
    groups_left_out: NotRequired[int]
    plan: NotRequired[Plan]


class PathFact(FoundFact):
    reversed: bool


class Path(TypedDict):
    weight: float
    length: int
    facts: list[PathFact]


class Paths(TypedDict):
    paths: list[Path]
    query_time_ms: int
    complete_above: NotRequired[float | None]
    complete_within: NotRequired[int | None]


# `in` is a word of Python.
Around = TypedDict("Around", {"predicate": str, "out": int, "in": int})


class Neighbours(TypedDict):
    term: str
    facts: list[FoundFact]
    more: int
    more_capped: NotRequired[bool]
    predicates: list[Around]
    predicates_capped: NotRequired[bool]
    predicates_counted_up_to: NotRequired[int]
    counts: NotRequired[dict[str, int]]
    query_time_ms: int


class Places(TypedDict):
    subject: int
    predicate: int
    object: int


class Term(TypedDict):
    term: str
    match: Literal["exact", "prefix", "substring", "fuzzy"]
    score: float
    facts: Places


class Terms(TypedDict):
    terms: list[Term]


class Predicate(TypedDict):
    predicate: str
    asserted: int
    inferred: int
    capped: NotRequired[bool]


class PredicatePage(TypedDict):
    predicates: list[Predicate]
    next_cursor: str | None
