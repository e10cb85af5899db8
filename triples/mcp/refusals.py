"""Refusals as sentences that tell a model what to do instead."""

from skg_site.api.problems import FieldError, Invalid
from triples.http.store_problems import problem_for
from triples.mcp.answers import quoted
from triples.store.operations import ReadTimeout, StoreError

MOST_BYTES = 1_500
MOST_FAULTS = 5
TOO_BROAD = (
    "This is too broad to be answered in time. Narrow it: put a constant in the place of a variable, raise min_weight,"
    " or lower k or max_length."
)


def sentence_for(error: Exception) -> str:
    if isinstance(error, ReadTimeout):
        return TOO_BROAD
    if isinstance(error, StoreError):
        return str(problem_for(error).detail)
    if isinstance(error, Invalid):
        told = "; ".join(map(_fault, error.errors[:MOST_FAULTS]))
        more = len(error.errors) - MOST_FAULTS + error.extra.get("more_errors", 0)
        return f"Not valid: {told}{f'; and {more:,} more' if more > 0 else ''}."
    return str(getattr(error, "detail", error))


def _fault(fault: FieldError) -> str:
    place = ".".join(map(str, fault["loc"]))
    return f"{quoted(place)}: {quoted(fault['msg'], 200)[1:-1]}" if place else fault["msg"]
