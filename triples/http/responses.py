"""Facts as JSON: the types of responses, with an example of each, and the functions that fill them."""

from typing import Annotated, Any, Literal, NotRequired

import orjson
from pydantic import Field
from typing_extensions import TypedDict  # Pydantic needs this one before Python 3.12

from skg_site.api.fields import Moment, UUIDText, one_of, rfc3339
from skg_site.api.problems import FieldError
from triples import ids
from triples.fields import from_milliseconds
from triples.models import Source
from triples.query.fact_rows import AnyRow, InferredRow
from triples.query.reads import Matches
from triples.store.operations import ManyStored, Row
from triples.store.statistics import MOST_PREDICATES, Statistics
from triples.weights import computed


class FactOut(TypedDict):
    """The members of every fact, in all responses."""

    id: UUIDText
    subject: str
    predicate: str
    object: str


def public_id(row: AnyRow) -> str:
    return ids.pack(row.created_ms, row.id) if isinstance(row, Row) else ids.pack_inferred(*row.key)


def moment(milliseconds: int) -> str:
    return rfc3339(from_milliseconds(milliseconds))


def shown_weight(row: AnyRow) -> float:
    return row.weight if isinstance(row, Row) else computed(row.weight)


def _metadata(row: AnyRow) -> Any:
    """Stored metadata is JSON already and is copied into the response."""
    return orjson.Fragment(row.metadata) if isinstance(row, Row) and row.metadata is not None else {}


WEIGHT_SHOWN = (
    "As it was given; of an inferred fact, which has a computed weight, rounded to 15 significant digits. Cursors and"
    " `min_weight` go by all digits."
)


class TripleOut(FactOut):
    weight: Annotated[float, Field(ge=0, le=1, description=WEIGHT_SHOWN)]
    metadata: dict[str, Any]
    source: Annotated[str, one_of([*Source.labels, "inferred"]), Field(description="The way the fact came in.")]
    created_at: Annotated[Moment, Field(description="Of an inferred fact: when inferred facts were last written.")]
    updated_at: Annotated[Moment | None, Field(description="null until weight or metadata change.")]
    inferred: Annotated[bool, Field(description="Derived by a rule, and not asserted by anybody.")]
    depth: NotRequired[
        Annotated[
            int | None,
            Field(default=None, description="Of an inferred fact: how many rules stand one upon another in its proof."),
        ]
    ]
    rule: NotRequired[
        Annotated[
            str | None, Field(default=None, description="Of an inferred fact: the rule that its proof ends with.")
        ]
    ]


TRIPLE: TripleOut = {
    "id": "018d0c8e-9a40-8000-8000-000000000001",
    "subject": "Einstein",
    "predicate": "discovered",
    "object": "Relativity",
    "weight": 0.95,
    "metadata": {"source": "wikipedia", "confidence": 0.98},
    "source": "api",
    "created_at": "2024-01-15T10:30:00.000Z",
    "updated_at": None,
    "inferred": False,
}
INFERRED_TRIPLE: TripleOut = {
    "id": "00000000-4400-8001-8000-00200000000b",
    "subject": "Ulm",
    "predicate": "located_in",
    "object": "Europe",
    "weight": 0.9,
    "metadata": {},
    "source": "inferred",
    "created_at": "2024-01-15T11:00:00.000Z",
    "updated_at": None,
    "inferred": True,
    "depth": 1,
    "rule": "located_in is transitive",
}


def triple_content(row: AnyRow) -> TripleOut:
    content: TripleOut = {
        "id": public_id(row),
        "subject": row.subject,
        "predicate": row.predicate,
        "object": row.object,
        "weight": shown_weight(row),
        "metadata": _metadata(row),
        "source": "inferred",
        "created_at": moment(row.created_ms),
        "updated_at": None,
        "inferred": True,
    }
    if isinstance(row, Row):
        content["source"] = Source(row.source).label
        if row.updated_ms is not None:
            content["updated_at"] = moment(row.updated_ms)
        content["inferred"] = False
    else:
        content["depth"] = row.depth
        content["rule"] = row.rule
    return content


class StoredOut(TripleOut):
    status: Literal["inserted", "exists", "updated"]


STORED: StoredOut = {**TRIPLE, "status": "inserted"}


class PageOut(TypedDict):
    triples: list[TripleOut]
    next_cursor: Annotated[str | None, Field(description="The cursor of the next page; null on the last one.")]
    total: NotRequired[
        Annotated[int, Field(default=0, description="Only with count=exact: how many facts match in all.")]
    ]


PAGE: PageOut = {"triples": [TRIPLE], "next_cursor": None}
COUNTED_PAGE: PageOut = {**PAGE, "total": 1}


class InvalidItem(TypedDict):
    index: Annotated[int, Field(description="The fact's place in the batch, from 0.")]
    errors: list[FieldError]


class BatchOut(TypedDict):
    accepted: Annotated[int, Field(description="Facts that are new.")]
    duplicates: Annotated[int, Field(description="Facts that were there, or stand in the batch twice.")]
    errors: Annotated[int, Field(description="Facts left out as invalid; only with skip_invalid.")]
    processing_time_ms: int
    error_details: NotRequired[
        Annotated[list[InvalidItem] | None, Field(default=None, description="Only with skip_invalid.")]
    ]


BATCH: BatchOut = {"accepted": 2, "duplicates": 0, "errors": 0, "processing_time_ms": 2}


def batch_content(stored: ManyStored, invalid: dict[int, list[FieldError]] | None, seconds: float) -> BatchOut:
    content: BatchOut = {
        "accepted": stored.inserted,
        "duplicates": len(stored.duplicates),
        "errors": len(invalid or ()),
        "processing_time_ms": round(seconds * 1000),
    }
    if invalid is not None:
        content["error_details"] = [{"index": place, "errors": errors} for place, errors in invalid.items()]
    return content


class ResultOut(FactOut):
    weight: Annotated[float, Field(description=WEIGHT_SHOWN)]
    metadata: NotRequired[
        Annotated[dict[str, Any] | None, Field(default=None, description="Only with include_metadata.")]
    ]
    inferred: NotRequired[Annotated[bool | None, Field(default=None, description="Only with include_inferred.")]]


class QueryOut(TypedDict):
    results: Annotated[list[ResultOut], Field(description="Heaviest first; at equal weight asserted facts, by id.")]
    total: Annotated[int, Field(description="How many facts match; exact up to 10,000.")]
    total_capped: NotRequired[
        Annotated[bool, Field(default=False, description="Present and true when more than 10,000 match.")]
    ]
    query_time_ms: int


QUERY: QueryOut = {
    "results": [
        {
            "id": "018d0c8e-9a40-8000-8000-000000000001",
            "subject": "Einstein",
            "predicate": "discovered",
            "object": "Relativity",
            "weight": 0.95,
            "metadata": {},
            "inferred": False,
        }
    ],
    "total": 1,
    "query_time_ms": 1,
}


def query_content(matches: Matches, seconds: float, *, with_metadata: bool, with_inferred: bool) -> QueryOut:
    results: list[ResultOut] = []
    for row in matches.rows:
        result: ResultOut = {
            "id": public_id(row),
            "subject": row.subject,
            "predicate": row.predicate,
            "object": row.object,
            "weight": shown_weight(row),
        }
        if with_metadata:
            result["metadata"] = _metadata(row)
        if with_inferred:
            result["inferred"] = isinstance(row, InferredRow)
        results.append(result)
    content: QueryOut = {"results": results, "total": matches.total, "query_time_ms": round(seconds * 1000)}
    if matches.capped:
        content["total_capped"] = True
    return content


class PredicateCountOut(TypedDict):
    predicate: str
    triples: int


class StatsOut(TypedDict):
    total_triples: int
    unique_subjects: int
    unique_predicates: int
    db_size_mb: float
    inferred_triples: Annotated[int, Field(description="As of the last run of the rules.")]
    inferred_at: Annotated[Moment | None, Field(description="When inferred facts were last written.")]
    inferred_complete_above: Annotated[
        float | None, Field(description="When lighter inferred facts were too many to keep: the least weight kept.")
    ]
    predicates: Annotated[
        list[PredicateCountOut],
        Field(description=f"How many asserted facts have each, most frequent first; {MOST_PREDICATES} at most."),
    ]
    more_predicates: Annotated[int, Field(description="How many others there are.")]


STATS: StatsOut = {
    "total_triples": 15423,
    "unique_subjects": 892,
    "unique_predicates": 2,
    "db_size_mb": 45.2,
    "inferred_triples": 2310,
    "inferred_at": "2024-01-15T11:00:00.000Z",
    "inferred_complete_above": None,
    "predicates": [{"predicate": "discovered", "triples": 9120}, {"predicate": "born_in", "triples": 6303}],
    "more_predicates": 0,
}


def statistics_content(found: Statistics) -> StatsOut:
    last = found.recursion
    return {
        "total_triples": found.triples,
        "unique_subjects": found.subjects,
        "unique_predicates": found.predicates,
        "db_size_mb": round(found.size_bytes / 1_000_000, 1),
        "inferred_triples": 0 if last is None else last.facts,
        "inferred_at": None if last is None else moment(last.written_ms),
        "inferred_complete_above": None if last is None else last.complete_above,
        "predicates": [{"predicate": one.predicate, "triples": one.facts} for one in found.by_predicate],
        "more_predicates": found.predicates - len(found.by_predicate),
    }
