"""Requests about facts: strict Pydantic models without unknown members."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from django.conf import settings
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    RootModel,
    SkipValidation,
    WithJsonSchema,
)

from skg_site.api.fields import INTEGER_TEXT, NUMBER_TEXT, WHOLE, AnyWeight, JSONValue, Weight
from triples.fact_validation import (
    LONGEST_PREDICATE,
    LONGEST_TERM,
    asked_predicate,
    asked_text,
    clean_predicate,
    clean_text,
    metadata_text,
)
from triples.http.list_cursors import CURSOR
from triples.models import Source
from triples.patterns import Variable, equal_columns
from triples.query.explanations import DEFAULT_DEPTH, MAX_DEPTH
from triples.query.reads import Wanted
from triples.recursion.grammar import place_of, read_place
from triples.store.operations import Fact
from triples.text import MAX_PREDICATE_LENGTH, MAX_TERM_LENGTH, text_limits, text_schema


def _fits(metadata: dict[str, Any]) -> dict[str, Any]:
    metadata_text(metadata)
    return metadata


Subject = Annotated[str, AfterValidator(clean_text), text_schema(LONGEST_TERM, "Einstein")]
Predicate = Annotated[str, AfterValidator(clean_predicate), text_schema(LONGEST_PREDICATE, "discovered")]
Object = Annotated[str, AfterValidator(clean_text), text_schema(LONGEST_TERM, "Relativity")]
# Of facts that are asked for.
AskedSubject = Annotated[str, AfterValidator(asked_text), text_schema(MAX_TERM_LENGTH, "Einstein")]
AskedPredicate = Annotated[str, AfterValidator(asked_predicate), text_schema(MAX_PREDICATE_LENGTH, "discovered")]
AskedObject = Annotated[str, AfterValidator(asked_text), text_schema(MAX_TERM_LENGTH, "Relativity")]
Metadata = Annotated[
    dict[str, SkipValidation[JSONValue]],
    AfterValidator(_fits),
    Field(examples=[{"source": "wikipedia", "confidence": 0.98}]),
]


class Input(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


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


SkipDuplicates = Annotated[
    bool, Field(description="false: any fact that is there already fails the whole batch with 409.")
]


def _skip_invalid(always: bool) -> Any:
    # Not a `Literal`, which also takes 0 and 1.
    return Field(
        json_schema_extra={"const": always},
        description="true: store the valid facts and report the others in error_details.",
    )


class AddBatch(Input):
    """A batch that is refused if any of its facts is invalid."""

    triples: Annotated[list[TripleIn], Field(min_length=1, max_length=settings.ENV.max_batch_size)]
    skip_duplicates: SkipDuplicates = True
    skip_invalid: Annotated[bool, _skip_invalid(always=False)] = False


class AddBatchUnchecked(Input):
    """A batch whose facts are looked at one by one: anything may stand among them."""

    triples: Annotated[list[SkipValidation[JSONValue]], Field(min_length=1, max_length=settings.ENV.max_batch_size)]
    skip_duplicates: SkipDuplicates = True
    skip_invalid: Annotated[bool, _skip_invalid(always=True)]


class Batch(RootModel[AddBatch | AddBatchUnchecked]):
    """Either kind of batch, as `skip_invalid` tells."""


class ChangeTriple(Input):
    """Members that are left out stay; a metadata of null is emptied."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    # `model_fields_set` has the members that were sent, so these defaults are never read.
    weight: Weight = Field(default_factory=float)
    metadata: Metadata | None = Field(default_factory=dict)


def _place(clean: Callable[[str], str], longest: int, example: str) -> tuple[PlainValidator, WithJsonSchema]:
    """A place of a pattern, read as a clean constant or as a variable, and its schema."""

    def read(given: object) -> str | Variable:
        # A constant without a question mark costs as much as if there were no variables.
        if type(given) is str and "?" not in given:
            return clean(given)
        place = place_of(read_place(given, longest))
        return place if isinstance(place, Variable) else clean(place)

    text = {
        "type": "string",
        **text_limits(longest, or_variable=True),
        "description": f"A constant of 1 to {longest} characters, or a variable such as `?x`.",
        "examples": [example],
    }
    constant = {
        "type": "object",
        "description": "A constant that begins with a question mark.",
        "properties": {"term": {"type": "string", **text_limits(longest), "examples": ["?why"]}},
        "required": ["term"],
        "additionalProperties": False,
    }
    return PlainValidator(read), WithJsonSchema({"anyOf": [text, constant]})


_SubjectPlace = Annotated[str | Variable, *_place(asked_text, MAX_TERM_LENGTH, "Einstein")]
_PredicatePlace = Annotated[str | Variable, *_place(asked_predicate, MAX_PREDICATE_LENGTH, "discovered")]
_ObjectPlace = Annotated[str | Variable, *_place(asked_text, MAX_TERM_LENGTH, "Relativity")]


ConstantPattern = Annotated[
    tuple[AskedSubject | None, AskedPredicate | None, AskedObject | None],
    # JSON has arrays only.
    Field(
        strict=False,
        description="Subject, predicate and object; null stands for anything.",
        examples=[["Einstein", None, None]],
    ),
]


class Query(Input):
    pattern: Annotated[
        tuple[_SubjectPlace | None, _PredicatePlace | None, _ObjectPlace | None],
        # JSON has arrays only.
        Field(
            strict=False,
            description=(
                "Subject, predicate and object. null stands for anything, and so does a variable such as `?x`; where a"
                " variable stands twice, both places hold the same term. A constant that begins with a question mark"
                " is written as an object."
            ),
            examples=[["Einstein", None, None]],
        ),
    ]
    k: Annotated[int, Field(ge=1, le=settings.ENV.max_results, description="Most results to answer."), WHOLE] = 10
    min_weight: Weight = 0.0
    include_metadata: bool = False
    include_inferred: Annotated[
        bool, Field(description="Show inferred facts too, and of each result whether it is one.")
    ] = True

    @property
    def wanted(self) -> Wanted:
        subject, predicate, object_ = pattern = self.pattern
        if isinstance(subject, Variable) or isinstance(predicate, Variable) or isinstance(object_, Variable):
            subject, predicate, object_ = (None if isinstance(place, Variable) else place for place in pattern)
            bound = (subject, predicate, object_)
            return Wanted(bound, self.min_weight, inferred=self.include_inferred, equal=equal_columns(pattern))
        return Wanted((subject, predicate, object_), self.min_weight, inferred=self.include_inferred)


class ListParameters(BaseModel):
    """The query string of a list; texts are parsed as numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: AskedSubject | None = None
    predicate: AskedPredicate | None = None
    object: AskedObject | None = None
    min_weight: Annotated[Weight, NUMBER_TEXT] = 0.0
    inferred: Annotated[
        bool | None, Field(description="true: inferred facts only; false: asserted ones only; left out: both.")
    ] = None
    count: Annotated[
        Literal["none", "exact"],
        Field(description="exact: `total` says how many facts match in all; 503 when counting them takes too long."),
    ] = "none"
    limit: Annotated[int, Field(ge=1, le=settings.ENV.max_results), INTEGER_TEXT] = 100
    cursor: Annotated[str, CURSOR.field] | None = None


class ExplainParameters(BaseModel):
    """The query string of an explanation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    depth: Annotated[
        int,
        Field(ge=1, le=MAX_DEPTH, description="How many steps from the fact down premises are shown."),
        INTEGER_TEXT,
    ] = DEFAULT_DEPTH
