"""A check whether a run that did not end well has published its inferred facts all the same."""

from contextlib import suppress
from typing import Any

from django.db import Error, connection

from triples.models import RecursionRun
from triples.store.backend import backend
from triples.store.inferred.state import State


def generation() -> int | None:
    """The generation of the inferred facts that are in place."""
    state = backend().read_state()
    return None if state is None else state.generation


def written_by(run: RecursionRun) -> State | None:
    """The state of the inferred facts in place, if they are those of this run, which was the last to start."""
    state = None
    # What cannot be read is not shown to anybody either.
    with suppress(Error), connection.wrap_database_errors:
        state = None if run.started_at is None else backend().read_state()
    return None if state is None or state.generation == run.generation_before else state


def columns_of(state: State | None) -> dict[str, Any]:
    """The numbers of facts in the row of such a run; none where they were not put in place."""
    return {} if state is None else {"facts": state.facts, "complete_above": state.complete_above}


def whose(run: RecursionRun) -> str:
    """Whose facts are shown after a run that did not end well, for a reader."""
    return f"the inferred facts are those of {'the run before' if run.facts is None else 'this run'}"
