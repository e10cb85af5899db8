"""Refusals of the store as problems."""

from rest_framework.exceptions import NotFound

from skg_site.api.problems import Conflict, FieldError, PreconditionFailed, Problem, Unavailable
from triples.store.operations import DuplicateFacts, NoSuchFact, ReadTimeout, StoreError, VersionMismatch


def problem_for(error: StoreError) -> Problem | NotFound:
    match error:
        case NoSuchFact():
            return NotFound("There is no fact with this id.")
        case VersionMismatch():
            return PreconditionFailed("The fact has changed since the version that If-Match names.")
        case DuplicateFacts():
            faults: list[FieldError] = [
                {"loc": ["triples", place], "msg": "The fact is there already", "type": "duplicate"}
                for place in error.places
            ]
            number = f"{len(faults)} of the facts {'is' if len(faults) == 1 else 'are'}"
            return Conflict(f"{number} there already; nothing was stored.", errors=faults)
        case ReadTimeout():
            return Unavailable("The read took too long; narrow it by a constant, a higher min_weight or a lower k.")
        case _:
            raise AssertionError(f"a refusal of the store without a problem: {error!r}")
