"""A fact as JSON: as clients send it, and as responses show it, with examples and the functions that fill them."""

from typing import Annotated, Any, Literal, NotRequired

import orjson
from pydantic import AfterValidator, ConfigDict, Field, SkipValidation
from typing_extensions import TypedDict  # Pydantic needs this one before Python 3.12

from skg_site.api.fields import AnyWeight, JSONValue, Moment, UUIDText, Weight, one_of, rfc3339
from skg_site.api.inputs import Input
from triples import ids
from triples.fact_validation import LONGEST_PREDICATE, LONGEST_TERM, clean_predicate, clean_text, metadata_text
from triples.fields import from_milliseconds
from triples.models import Source
from triples.query.fact_rows import AnyRow
from triples.store.operations import Fact, Row
from triples.text import text_schema
from triples.weights import computed


def _fits(metadata: dict[str, Any]) -> dict[str, Any]:
    metadata_text(metadata)
    return metadata


Subject = Annotated[str, AfterValidator(clean_text), text_schema(LONGEST_TERM, "Einstein")]
Predicate = Annotated[str, AfterValidator(clean_predicate), text_schema(LONGEST_PREDICATE, "discovered")]
Object = Annotated[str, AfterValidator(clean_text), text_schema(LONGEST_TERM, "Relativity")]
Metadata = Annotated[
    dict[str, SkipValidation[JSONValue]],
    AfterValidator(_fits),
    Field(examples=[{"source": "wikipedia", "confidence": 0.98}]),
]


class TripleIn(Input):
    """A fact as a client sends it."""

    subject: Subject
    predicate: Predicate
    object: Object
    weight: AnyWeight = 1.0
    metadata: Metadata | None = None

    def fact(self, source: Source) -> Fact:
        # Removes -0.0, at less cost than a validator for each weight of a batch.
        weight = self.weight + 0.0
        return Fact(self.subject, self.predicate, self.object, weight, metadata_text(self.metadata), source)


class AddTriple(TripleIn):
    on_duplicate: Annotated[
        Literal["keep", "replace"],
        Field(description="When the fact is there: leave it as it is, or give it this weight and metadata."),
    ] = "keep"


class ChangeTriple(Input):
    """Members that are left out stay; a metadata of null is emptied."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    # `model_fields_set` has the members that were sent, so these defaults are never read.
    weight: Weight = Field(default_factory=float)
    metadata: Metadata | None = Field(default_factory=dict)


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


def metadata_content(row: AnyRow) -> Any:
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
        "metadata": metadata_content(row),
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
