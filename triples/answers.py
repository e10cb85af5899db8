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
from triples.store.operations import Row
from triples.store.queries import Matches


def triple_content(row: Row) -> dict[str, Any]:
    """A row as `TripleOut`."""
    return {
        "id": ids.pack(row.created_ms, row.id),
        "subject": row.subject,
        "predicate": row.predicate,
        "object": row.object,
        "weight": row.weight,
        "metadata": metadata_content(row.metadata),
        "source": Source(row.source).label,
        "created_at": moment(row.created_ms),
        "updated_at": None if row.updated_ms is None else moment(row.updated_ms),
    }


def query_content(matches: Matches, milliseconds: float, *, with_metadata: bool) -> dict[str, Any]:
    """The answer to a query as `QueryOut`."""
    results = []
    for row in matches.rows:
        result = {
            "id": ids.pack(row.created_ms, row.id),
            "subject": row.subject,
            "predicate": row.predicate,
            "object": row.object,
            "weight": row.weight,
        }
        if with_metadata:
            result["metadata"] = metadata_content(row.metadata)
        results.append(result)
    content: dict[str, Any] = {"results": results, "total": matches.total}
    if matches.capped:
        content["total_capped"] = True
    content["query_time_ms"] = round(milliseconds)
    return content


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
    source: Annotated[Literal["api", "batch", "import", "admin"], Field(description="The way the fact came in.")]
    created_at: datetime
    updated_at: Annotated[datetime | None, Field(description="null until weight or metadata change.")]


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


class QueryOut(BaseModel):
    results: Annotated[list[ResultOut], Field(description="Heaviest first, ties by id.")]
    total: Annotated[int, Field(description="How many facts match; exact up to 10,000.")]
    total_capped: Annotated[bool, Field(description="Present and true when more than 10,000 match.")] = False
    query_time_ms: int


class StatsOut(BaseModel):
    total_triples: int
    unique_subjects: int
    unique_predicates: int
    db_size_mb: float
