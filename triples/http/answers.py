"""What the API gives: rows as JSON, and the models that describe them in the documentation."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel, Field

from skg_site.api.problems import FieldError
from triples import ids
from triples.fields import from_milliseconds
from triples.models import Source
from triples.query.explanations import Node
from triples.query.reads import Matches
from triples.query.rows import AnyRow, InferredRow
from triples.recursion.rules import rule_document
from triples.store.operations import Row
from triples.store.statistics import Statistics


def triple_content(row: AnyRow) -> dict[str, Any]:
    """A row as `TripleOut`."""
    if isinstance(row, Row):
        return {
            **_fact_content(row),
            "metadata": metadata_content(row.metadata),
            "source": Source(row.source).label,
            "created_at": moment(row.created_ms),
            "updated_at": None if row.updated_ms is None else moment(row.updated_ms),
            "inferred": False,
        }
    return {
        **_fact_content(row),
        "metadata": {},
        "source": "inferred",
        "created_at": moment(row.created_ms),
        "updated_at": None,
        "inferred": True,
        "depth": row.depth,
        "rule": row.rule,
    }


def query_content(matches: Matches, milliseconds: float, *, with_metadata: bool, with_inferred: bool) -> dict[str, Any]:
    """The answer to a query as `QueryOut`."""
    results = []
    for row in matches.rows:
        result = _fact_content(row)
        if with_metadata:
            result["metadata"] = metadata_content(row.metadata) if isinstance(row, Row) else {}
        if with_inferred:
            result["inferred"] = isinstance(row, InferredRow)
        results.append(result)
    content: dict[str, Any] = {"results": results, "total": matches.total}
    if matches.capped:
        content["total_capped"] = True
    content["query_time_ms"] = round(milliseconds)
    return content


def proof_content(node: Node) -> dict[str, Any]:
    """A proof tree as `ExplanationOut`."""
    content = _fact_content(node.row)
    content["inferred"] = isinstance(node.row, InferredRow)
    if node.rule is not None and isinstance(node.row, InferredRow):
        content["depth"] = node.row.depth
        content["rule"] = rule_document(node.rule)
    if node.without is not None:
        content[node.without] = True
    elif node.premises:
        content["premises"] = [proof_content(premise) for premise in node.premises]
    return content


def statistics_content(found: Statistics) -> dict[str, Any]:
    """The graph in numbers as `StatsOut`."""
    last = found.recursion
    return {
        "total_triples": found.triples,
        "unique_subjects": found.subjects,
        "unique_predicates": found.predicates,
        "db_size_mb": round(found.size_bytes / 1_000_000, 1),
        "inferred_triples": 0 if last is None else last.facts,
        "inferred_at": None if last is None else moment(last.written_ms),
        "inferred_complete_above": None if last is None else last.complete_above,
    }


def public_id(row: AnyRow) -> str:
    return ids.pack(row.created_ms, row.id) if isinstance(row, Row) else ids.pack_inferred(*row.key)


def _fact_content(row: AnyRow) -> dict[str, Any]:
    """What is shown of a fact wherever it is shown."""
    return {
        "id": public_id(row),
        "subject": row.subject,
        "predicate": row.predicate,
        "object": row.object,
        "weight": row.weight,
    }


def metadata_content(text: str | None) -> Any:
    """Stored metadata is JSON already and goes into the answer as it is."""
    return {} if text is None else orjson.Fragment(text)


def moment(milliseconds: int) -> str:
    """RFC 3339, in UTC."""
    return from_milliseconds(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class TripleOut(BaseModel):
    id: UUID
    subject: str
    predicate: str
    object: str
    weight: Annotated[float, Field(ge=0, le=1)]
    metadata: dict[str, Any]
    source: Annotated[
        Literal["api", "batch", "import", "admin", "inferred"], Field(description="The way the fact came in.")
    ]
    created_at: Annotated[datetime, Field(description="Of an inferred fact: when inferred facts were last written.")]
    updated_at: Annotated[datetime | None, Field(description="null until weight or metadata change.")]
    inferred: Annotated[bool, Field(description="Derived by a rule, and not asserted by anybody.")]
    depth: Annotated[
        int | None, Field(description="Of an inferred fact: how many rules stand one upon another in its proof.")
    ] = None
    rule: Annotated[str | None, Field(description="Of an inferred fact: the rule that its proof ends with.")] = None


class StoredOut(TripleOut):
    status: Literal["inserted", "exists", "updated"]


class InvalidItem(BaseModel):
    index: Annotated[int, Field(description="The fact's place in the batch, from 0.")]
    errors: list[FieldError]


class BatchOut(BaseModel):
    accepted: Annotated[int, Field(description="Facts that are new.")]
    duplicates: Annotated[int, Field(description="Facts that were there, or stand in the batch twice.")]
    errors: Annotated[int, Field(description="Facts left out as invalid; only with skip_invalid.")]
    processing_time_ms: int
    error_details: Annotated[list[InvalidItem] | None, Field(description="Only with skip_invalid.")] = None


class PageOut(BaseModel):
    triples: list[TripleOut]
    next_cursor: Annotated[str | None, Field(description="The cursor of the next page; null on the last one.")]


class ResultOut(BaseModel):
    id: UUID
    subject: str
    predicate: str
    object: str
    weight: float
    metadata: Annotated[dict[str, Any] | None, Field(description="Only with include_metadata.")] = None
    inferred: Annotated[bool | None, Field(description="Only with include_inferred.")] = None


class QueryOut(BaseModel):
    results: Annotated[list[ResultOut], Field(description="Heaviest first; at equal weight asserted facts, by id.")]
    total: Annotated[int, Field(description="How many facts match; exact up to 10,000.")]
    total_capped: Annotated[bool, Field(description="Present and true when more than 10,000 match.")] = False
    query_time_ms: int


class StatsOut(BaseModel):
    total_triples: int
    unique_subjects: int
    unique_predicates: int
    db_size_mb: float
    inferred_triples: Annotated[int, Field(description="As of the last run of the rules.")]
    inferred_at: Annotated[datetime | None, Field(description="When inferred facts were last written.")]
    inferred_complete_above: Annotated[
        float | None, Field(description="When lighter inferred facts were too many to keep: the least weight kept.")
    ]


class ProofRuleOut(BaseModel):
    """A rule as it was when the fact was derived; `?name` is a variable, `{"term": text}` a text that begins so."""

    name: str
    weight: float
    head: list[str | dict[str, str]]
    body: list[list[str | dict[str, str]]]
    distinct: Annotated[list[list[str]] | None, Field(description="Pairs of variables that must differ.")] = None


class ProofOut(BaseModel):
    """A fact and, if it is inferred, what it follows from."""

    id: UUID
    subject: str
    predicate: str
    object: str
    weight: float
    inferred: bool
    depth: Annotated[int | None, Field(description="Only of an inferred fact.")] = None
    rule: Annotated[ProofRuleOut | None, Field(description="Only of an inferred fact.")] = None
    premises: Annotated[
        list["ProofOut"] | None,
        Field(description="What an inferred fact follows from, in the order of the rule's body."),
    ] = None
    seen: Annotated[
        bool | None, Field(description="true instead of premises: they stand where the fact is met first.")
    ] = None
    truncated: Annotated[bool | None, Field(description="true instead of premises: the tree is cut here.")] = None


class ExplanationOut(ProofOut):
    """The proof that was asked for; a model of its own, since the top of a document cannot refer to itself."""
