"""Bulk loads on PostgreSQL, where a writer waits only for one that adds the same new terms or to the same subjects.

Only the first facts of a graph are loaded so that all others wait.
"""

from contextlib import nullcontext

from django.db import connection

from triples.store.bulk_interface import InitialLoad
from triples.store.group_commit import open_session
from triples.store.postgresql import initial_load as first

SLICE_SECONDS = 0.5
FEWEST_SLICES = MOST_SLICES = 1

# PostgreSQL checks a statement's terms together anyway, and writes no page before it has to.
roomy = unchecked = nullcontext[None]


def others_wait() -> bool:
    """True: the server does not tell."""
    return True


def give_way() -> None:
    """Nothing to do: after the commit, the other writers go on."""


def initial_load(facts: float) -> InitialLoad | None:
    if facts < first.FEWEST_FACTS or connection.in_atomic_block:
        return None
    with connection.wrap_database_errors:
        return first if first.is_possible(open_session(connection).driver) else None
