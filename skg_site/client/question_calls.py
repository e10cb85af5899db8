"""Calls that ask the graph."""

from collections.abc import Sequence
from typing import Literal, TypedDict, Unpack

from .calls import Call, Pages, json_body, parameters
from .question_answers import Answer, Answers, Matches, Neighbours, Paths, Predicate, PredicatePage, Terms
from .values import Direction, Filter, Pattern, Place, Term


class AskedByPages(TypedDict, total=False):
    """The options of a question of several patterns whose answers come page by page."""

    optional: Sequence[Sequence[Pattern]]
    absent: Sequence[Pattern]
    filter: Sequence[Filter]
    select: Sequence[str]
    k: int
    min_weight: float
    count: bool
    include_inferred: bool
    include_facts: bool
    allow_cross_product: bool
    explain: bool


class Asked(AskedByPages, total=False):
    """The options of a question of several patterns."""

    group_by: Sequence[str]


def query(
    subject: Place = None,
    predicate: Place = None,
    object: Place = None,  # noqa: A002  # as the API calls it
    *,
    k: int | None = None,
    min_weight: float | None = None,
    include_metadata: bool = False,
    include_inferred: bool = True,
) -> Call[Matches]:
    """The heaviest `k` facts that match one pattern. None is anything, `?x` a variable."""
    members = {
        "pattern": [subject, predicate, object],
        "k": k,
        "min_weight": min_weight,
        "include_metadata": include_metadata,
        "include_inferred": include_inferred,
    }
    return Call(method="POST", route="/query", body=json_body(members))


def patterns(patterns: Sequence[Pattern], *, cursor: str | None = None, **asked: Unpack[Asked]) -> Call[Answers]:
    """One page of the answers to several patterns that hold at once, heaviest first."""
    body = json_body({"patterns": patterns, **asked, "cursor": cursor})
    return Call(method="POST", route="/query/patterns", body=body)


def all_answers(patterns_: Sequence[Pattern], **asked: Unpack[AskedByPages]) -> Pages[Answer]:
    """All answers to several patterns, page by page; `k` is the size of a page.

    Iterating raises Incomplete where the service's time limit ends the list.
    Raises ValueError for `group_by`: groups have no pages, and those that are left out are told by `patterns` alone.
    """
    if "group_by" in asked:
        raise ValueError("Groups come in one answer: ask for them with patterns(), which tells how many are left out.")
    return Pages(patterns(patterns_, **asked), "results")


def paths(  # noqa: PLR0913  # as many as the API has
    from_: Term,
    to: Term,
    *,
    k: int | None = None,
    predicates: Sequence[Term] | None = None,
    direction: Direction | None = None,
    max_length: int | None = None,
    order: Literal["weight", "length"] | None = None,
    min_weight: float | None = None,
    include_inferred: bool = True,
) -> Call[Paths]:
    """The best `k` paths between two terms."""
    members = {
        "from": from_,
        "to": to,
        "k": k,
        "predicates": predicates,
        "direction": direction,
        "max_length": max_length,
        "order": order,
        "min_weight": min_weight,
        "include_inferred": include_inferred,
    }
    return Call(method="POST", route="/query/paths", body=json_body(members))


def neighbours(
    term: Term,
    *,
    k: int | None = None,
    predicates: Sequence[Term] | None = None,
    direction: Direction | None = None,
    min_weight: float | None = None,
    include_inferred: bool = True,
    include_counts: bool = False,
) -> Call[Neighbours]:
    """The heaviest `k` facts around a term, and its predicates with their numbers."""
    members = {
        "term": term,
        "k": k,
        "predicates": predicates,
        "direction": direction,
        "min_weight": min_weight,
        "include_inferred": include_inferred,
        "include_counts": include_counts,
    }
    return Call(method="POST", route="/query/neighbours", body=json_body(members))


def terms(
    search: str,
    *,
    match: Literal["prefix", "substring", "fuzzy"] | None = None,
    position: Literal["subject", "predicate", "object"] | None = None,
    limit: int | None = None,
) -> Call[Terms]:
    """Terms that are like a text, in spite of typos; the best match first."""
    wanted = {"search": search, "match": match, "position": position, "limit": limit}
    return Call(method="GET", route="/terms", parameters=parameters(wanted))


def predicates(*, page_size: int | None = None) -> Pages[Predicate]:
    """All predicates with their numbers of asserted and inferred facts."""
    first: Call[PredicatePage] = Call(method="GET", route="/predicates", parameters=parameters({"limit": page_size}))
    return Pages(first, "predicates")
