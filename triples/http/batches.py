"""Batches of facts as JSON: their models, the validation of all facts or of each by itself, and the response."""

from collections.abc import Iterable
from typing import Annotated, Any, NamedTuple, NotRequired

from django.conf import settings
from pydantic import Field, RootModel, SkipValidation, TypeAdapter, ValidationError
from typing_extensions import TypedDict  # Pydantic needs this one before Python 3.12

from skg_site.api.fields import JSONValue
from skg_site.api.inputs import Input
from skg_site.api.problems import MAX_REPORTED, FieldError, Invalid, shortened
from skg_site.api.reading import field_errors, validated
from triples.http.fact_json import TripleIn
from triples.http.plain_facts import plain_facts
from triples.models import Source
from triples.store.operations import Fact, ManyStored

# A thousand values for each fact of a usual batch, such as vectors in the metadata.
MAX_VALUES = 100_000 + 10 * settings.ENV.max_batch_size
# A fact with more members is refused before each of them is checked.
MAX_MEMBERS = 25
# The number of facts that are validated at a time, until there are enough faults.
SLICE = 100

_facts = TypeAdapter(list[TripleIn])


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


class ReadBatch(NamedTuple):
    """Facts by their places in the client's batch; `invalid` is None if one invalid fact fails the whole batch."""

    items: dict[int, Fact]
    skip_duplicates: bool
    invalid: dict[int, list[FieldError]] | None


class _LargeBatch(AddBatchUnchecked):
    """A batch whose facts must all be valid, and are checked by themselves."""

    skip_invalid: bool = False


def read_batch(content: Any) -> ReadBatch:
    """The batch in a body; 422 with the faults of its facts, unless invalid facts are skipped."""
    if _skips_invalid(content):
        return _with_faults(content, {})
    if _is_usual(content):
        if (plain := plain_facts(content["triples"])) is not None:
            return ReadBatch(dict(enumerate(plain)), validated(content, _LargeBatch).skip_duplicates, None)
        batch = validated(content, AddBatch)
        return ReadBatch(dict(enumerate(_facts_of(batch.triples))), batch.skip_duplicates, None)
    unchecked = validated(content, _LargeBatch)
    return ReadBatch(dict(enumerate(_in_slices(unchecked.triples))), unchecked.skip_duplicates, None)


def read_inexact_batch(content: Any, faults: list[FieldError]) -> ReadBatch:
    """The batch in a body in which numbers lose precision: 422, unless they are in facts that may be left out."""
    inexact: dict[int, list[FieldError]] = {}
    for fault in faults:
        match fault["loc"]:
            case ["triples", int(place), *_] if _skips_invalid(content):
                inexact.setdefault(place, []).append(fault)
            case _:
                raise Invalid(faults)
    return _with_faults(content, inexact)


def _skips_invalid(content: Any) -> bool:
    return isinstance(content, dict) and content.get("skip_invalid") is True


def _is_usual(content: Any) -> bool:
    """True if Pydantic can check the whole batch at once, without finding many more faults than are reported."""
    try:
        triples = content["triples"]
        return len(triples) <= SLICE and sum(map(len, triples)) <= SLICE * MAX_MEMBERS
    except (KeyError, TypeError):
        return False


def _in_slices(given: list[Any]) -> list[Fact]:
    """All of the facts; after enough faults the others are not checked."""
    items: list[Fact] = []
    faults: list[FieldError] = []
    for start in range(0, len(given), SLICE):
        part = given[start : start + SLICE]
        wide = [error for place, item in enumerate(part, start) for error in _too_wide(item, place)]
        faults += wide
        if not wide:
            try:
                items += plain_facts(part) or _facts_of(_facts.validate_python(part))
            except ValidationError as error:
                faults += [_moved(fault, start) for fault in field_errors(error)]
        if len(faults) >= MAX_REPORTED:
            raise Invalid(faults, stopped=start + SLICE < len(given))
    if faults:
        raise Invalid(faults)
    return items


def _with_faults(content: Any, inexact: dict[int, list[FieldError]]) -> ReadBatch:
    """The valid facts, and the faults of each of the others, whose numbers that lose precision are known."""
    batch = validated(content, AddBatchUnchecked)
    items: dict[int, Fact] = {}
    invalid: dict[int, list[FieldError]] = {}
    for place, item in enumerate(batch.triples):
        if known := inexact.get(place) or _too_wide(item, place):
            invalid[place] = known
            continue
        try:
            items[place] = TripleIn.model_validate(item).fact(Source.BATCH)
        except ValidationError as error:
            invalid[place] = [shortened(fault) for fault in field_errors(error, ("triples", place))]
    return ReadBatch(items, batch.skip_duplicates, invalid)


def _facts_of(items: Iterable[TripleIn]) -> list[Fact]:
    return [item.fact(Source.BATCH) for item in items]


def _too_wide(item: Any, place: int) -> list[FieldError]:
    if not isinstance(item, dict) or len(item) <= MAX_MEMBERS:
        return []
    known = ", ".join(TripleIn.model_fields)
    message = f"Has {len(item):,} members; a fact has these and no others: {known}"
    return [{"loc": ["triples", place], "msg": message, "type": "too_many_members"}]


def _moved(fault: FieldError, start: int) -> FieldError:
    """The fault with its place in the whole batch instead of the slice."""
    index, *rest = fault["loc"]
    assert isinstance(index, int)
    return {**fault, "loc": ["triples", start + index, *rest]}


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
