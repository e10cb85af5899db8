"""Batches of facts: validation of all facts, or of each by itself."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.conf import settings
from pydantic import TypeAdapter, ValidationError

from skg_site.api.problems import MAX_REPORTED, FieldError, Invalid, shortened
from skg_site.api.reading import field_errors, validated
from triples.http.plain_facts import plain_facts
from triples.http.request_models import AddBatch, AddBatchUnchecked, TripleIn
from triples.models import Source
from triples.store.operations import Fact

# A thousand values for each fact of a usual batch, such as vectors in the metadata.
MAX_VALUES = 100_000 + 10 * settings.ENV.max_batch_size
# A fact with more members is refused before each of them is checked.
MAX_MEMBERS = 25
# The number of facts that are validated at a time, until there are enough faults.
SLICE = 100

_facts = TypeAdapter(list[TripleIn])


class Batch(NamedTuple):
    """Facts by their places in the client's batch; `invalid` is None if one invalid fact fails the whole batch."""

    items: dict[int, Fact]
    skip_duplicates: bool
    invalid: dict[int, list[FieldError]] | None


class _LargeBatch(AddBatchUnchecked):
    """A batch whose facts must all be valid, and are checked by themselves."""

    skip_invalid: bool = False


def read_batch(content: Any) -> Batch:
    """The batch in a body; 422 with the faults of its facts, unless invalid facts are skipped."""
    if isinstance(content, dict) and content.get("skip_invalid") is True:
        unchecked = validated(content, AddBatchUnchecked)
        return _with_faults(unchecked.triples, unchecked.skip_duplicates)
    if _is_usual(content):
        if (plain := plain_facts(content["triples"])) is not None:
            return Batch(dict(enumerate(plain)), validated(content, _LargeBatch).skip_duplicates, None)
        batch = validated(content, AddBatch)
        return Batch(dict(enumerate(_facts_of(batch.triples))), batch.skip_duplicates, None)
    unchecked = validated(content, _LargeBatch)
    return Batch(dict(enumerate(_in_slices(unchecked.triples))), unchecked.skip_duplicates, None)


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


def _with_faults(given: list[Any], skip_duplicates: bool) -> Batch:
    """The valid facts, and the faults of each of the others."""
    items: dict[int, Fact] = {}
    invalid: dict[int, list[FieldError]] = {}
    for place, item in enumerate(given):
        if wide := _too_wide(item, place):
            invalid[place] = wide
            continue
        try:
            items[place] = TripleIn.model_validate(item).fact(Source.BATCH)
        except ValidationError as error:
            invalid[place] = [shortened(fault) for fault in field_errors(error, ("triples", place))]
    return Batch(items, skip_duplicates, invalid)


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
