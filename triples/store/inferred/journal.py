"""Pruning the journal of deleted and reweighted facts, which writers fill and runs read."""

from django.db import connection

from skg_site.host.write_lock import write_lock

ROWS_AT_ONCE = 5_000

_OLDEST = f"(SELECT id FROM triples_change WHERE id <= %s ORDER BY id LIMIT {ROWS_AT_ONCE})"
_PRUNE = f"DELETE FROM triples_change WHERE id IN {_OLDEST}"


def prune(up_to: int) -> None:
    """Delete the changes up to this id, in small commits, so that other writers can write in between.

    The inferred facts that take these changes into account must be published before: a read relies on the journal or
    on those facts.
    """
    deleted = ROWS_AT_ONCE
    while deleted == ROWS_AT_ONCE:
        with write_lock(), connection.cursor() as cursor:
            cursor.execute(_PRUNE, [up_to])
            deleted = cursor.rowcount
