"""Calls about facts."""

from collections.abc import Mapping
from typing import Any, Literal

from .answers import Deletion, Fact, FactPage, Proof, Stats, StoredFact
from .calls import Call, Pages, Steps, json_body, parameters
from .values import ConstantPattern


def add(
    subject: str,
    predicate: str,
    object: str,  # noqa: A002  # as the API calls it
    weight: float | None = None,
    metadata: Mapping[str, Any] | None = None,
    *,
    on_duplicate: Literal["keep", "replace"] = "keep",
) -> Call[StoredFact]:
    """Add a fact. `status` of the answer is `inserted`; `exists` if the fact was there; `updated` if it is replaced."""
    members = {"subject": subject, "predicate": predicate, "object": object, "weight": weight, "metadata": metadata}
    return Call(method="POST", route="/triples/add", body=json_body(members | {"on_duplicate": on_duplicate}))


def triples_page(  # noqa: PLR0913  # as many as the API has
    subject: str | None = None,
    predicate: str | None = None,
    object: str | None = None,  # noqa: A002  # as the API calls it
    *,
    min_weight: float | None = None,
    inferred: bool | None = None,
    limit: int | None = None,
    cursor: str | None = None,
    count: bool = False,
) -> Call[FactPage]:
    """One page of the facts that match. With `count`, `total` of the answer says how many match in all."""
    wanted = {
        "subject": subject,
        "predicate": predicate,
        "object": object,
        "min_weight": min_weight,
        "inferred": inferred,
        "limit": limit,
        "cursor": cursor,
        "count": "exact" if count else None,
    }
    return Call(method="GET", route="/triples", parameters=parameters(wanted))


def triples(
    subject: str | None = None,
    predicate: str | None = None,
    object: str | None = None,  # noqa: A002  # as the API calls it
    *,
    min_weight: float | None = None,
    inferred: bool | None = None,
    page_size: int | None = None,
) -> Pages[Fact]:
    """All facts that match, in the order in which they were stored."""
    first = triples_page(subject, predicate, object, min_weight=min_weight, inferred=inferred, limit=page_size)
    return Pages(first, "triples")


def fact(id: str) -> Call[Fact]:
    """The fact of this id."""
    return Call(method="GET", route="/triples/{id}", names={"id": id})


def change(id: str, *, weight: float | None = None, metadata: Mapping[str, Any] | None = None) -> Call[Fact]:
    """Give a fact another weight or other metadata. `{}` empties the metadata; None leaves it as it is."""
    body = json_body({"weight": weight, "metadata": metadata})
    return Call(method="PATCH", route="/triples/{id}", names={"id": id}, body=body)


def delete(id: str) -> Call[None]:
    """Delete the fact of this id."""
    return Call(method="DELETE", route="/triples/{id}", names={"id": id})


def explain(id: str, *, depth: int | None = None) -> Call[Proof]:
    """The proof of an inferred fact, down to asserted facts."""
    return Call(method="GET", route="/triples/{id}/explain", names={"id": id}, parameters=parameters({"depth": depth}))


def delete_matching(
    pattern: ConstantPattern,
    *,
    min_weight: float | None = None,
    max_weight: float | None = None,
    added_after: str | None = None,
    added_before: str | None = None,
    all: bool = False,  # noqa: A002  # as the API calls it
    dry_run: bool = True,
) -> Steps[Deletion]:
    """Count the asserted facts that match, or delete them with `dry_run=False`, all of them however long it takes.

    After a broken connection the request is sent again, and counts what was left.
    """
    members = {
        "pattern": list(pattern),
        "min_weight": min_weight,
        "max_weight": max_weight,
        "added_after": added_after,
        "added_before": added_before,
        "all": all,
        "dry_run": dry_run,
    }
    deleted = 0
    cursor: str | None = None
    while True:
        body = json_body(members | {"cursor": cursor})
        answer: Deletion = yield Call(method="POST", route="/triples/delete", body=body)
        deleted += answer["facts"]
        cursor = answer.get("next_cursor")
        if dry_run or answer["complete"] or cursor is None:
            return {**answer, "facts": deleted}


def stats() -> Call[Stats]:
    """The size of the graph, and how many facts each predicate has."""
    return Call(method="GET", route="/stats")
