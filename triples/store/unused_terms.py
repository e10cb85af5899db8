"""Terms that nothing uses any more, removed while the service writes.

A fact that is deleted leaves its terms, since another may use them at any time. What keeps a term:

- an asserted fact, in any of its three places;
- the journal. A term of an inferred fact is one of asserted facts, or a rule's. When the last of those was deleted
  since the inferred facts were derived, the journal has it; so the term stays until the next run has seen that;
- the program that the inferred facts were derived by, and the rules, which the caller names.

The caller holds the lease of runs, which bind rules to terms and read facts long before they write.

Writers remember ids of terms. None is used again for another text, and the database refuses a fact with one that is
gone, on SQLite when it is committed; the writer then forgets what it remembers, and tries again. A term that a writer
uses at this very moment is left to the next vacuum.
"""

from collections.abc import Callable, Collection

from django.db import OperationalError, connection, transaction

from skg_site.host.write_lock import write_lock
from triples.store.backend import backend
from triples.store.group_commit import ATTEMPTS

# A step, in which no other may write on SQLite, takes a few milliseconds.
TERMS_AT_ONCE = 2_000

# Told how far the walk through the ids is, and how far it goes.
Progress = Callable[[int, int], None]

_LAST = "SELECT coalesce(max(id), 0) FROM triples_term"
_STEP = (
    "SELECT coalesce(max(id), 0) FROM"
    f" (SELECT id FROM triples_term WHERE id > %s ORDER BY id LIMIT {TERMS_AT_ONCE}) AS step"
)
_UNUSED = (
    " FROM triples_term WHERE id > %s AND id <= %s"
    + "".join(
        f" AND NOT EXISTS (SELECT 1 FROM triples_triple WHERE {place}_id = triples_term.id)"
        for place in ("subject", "predicate", "object")
    )
    + " AND id NOT IN (SELECT subject_id FROM triples_change UNION SELECT predicate_id FROM triples_change"
    " UNION SELECT object_id FROM triples_change) AND id NOT IN ({kept})"
)
# Of no facts by now. Whoever used such a term before the deletion kept it.
_REMOVE_TALLIES = (
    "DELETE FROM triples_predicatetally WHERE predicate_id > %s AND predicate_id <= %s"
    " AND NOT EXISTS (SELECT 1 FROM triples_term WHERE id = predicate_id)"
)


def remove_unused_terms(kept: Collection[int], progress: Progress, *, dry: bool) -> int:
    """Remove unused terms and return how many, or how many it would be if `dry`; terms with ids in `kept` stay."""
    unused = _UNUSED.format(kept=", ".join(map(str, [0, *kept])))
    last, reached, removed = _number(_LAST), 0, 0
    while up_to := _number(_STEP, reached):
        # Most steps find none, and need no lock.
        if found := _number(f"SELECT count(*){unused}", reached, up_to):
            removed += found if dry else _remove(unused, reached, up_to)
        reached = up_to
        progress(min(reached, last), last)
    return removed


def _remove(unused: str, above: int, up_to: int) -> int:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with write_lock(), transaction.atomic(), connection.cursor() as cursor:
                removed = backend().upkeep.delete_terms(cursor, unused, (above, up_to))
                backend().term_index.forget(cursor, removed)
                cursor.execute(_REMOVE_TALLIES, (above, up_to))
                return len(removed)
        except OperationalError:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("the last attempt returns or raises")


def _number(statement: str, *parameters: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.fetchone()[0])
