"""The journal of deleted and reweighted facts, which writers fill and runs read."""

from django.db import connection

from skg_site.host.write_lock import write_lock

ROWS_AT_ONCE = 5_000

_OLDEST = f"(SELECT id FROM triples_change WHERE id <= %s ORDER BY id LIMIT {ROWS_AT_ONCE})"
_PRUNE = f"DELETE FROM triples_change WHERE id IN {_OLDEST}"


def prune(up_to: int) -> None:
    """Delete the changes up to this id, in commits so small that other writers get their turn in between.

    The inferred facts that take them into account must be in place: reads look for them and for the journal so that
    they miss at most one of the two.
    """
    deleted = ROWS_AT_ONCE
    while deleted == ROWS_AT_ONCE:
        with write_lock(), connection.cursor() as cursor:
            cursor.execute(_PRUNE, [up_to])
            deleted = cursor.rowcount
