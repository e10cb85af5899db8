"""The positions of the primary and of its replicas in the write-ahead log."""

from typing import Any

from triples.store.freshness import position_of

_PAGE_BYTES = 8192
# A page begins with a header: a short one, or a long one where a file of the log begins.
_HEADER_BYTES = {24, 40}
# Behind all that is committed, even where `synchronous_commit` is off.
_END = "SELECT pg_current_wal_insert_lsn()"


def position(lsn: str | None) -> int:
    """The number of an LSN as PostgreSQL writes it; 0 if there is none yet."""
    return (position_of(lsn.encode()) or 0) if lsn else 0


def end_of_log(driver: Any) -> int:
    """The position behind everything that the primary has committed."""
    [lsn] = driver.execute(_END).fetchone()
    return before_header(position(lsn))


def before_header(end: int) -> int:
    """The end of the last record: at a new page, the next record would stand behind a header.

    A replica that has replayed everything stands before that header, and would seem to lag until the next record.
    """
    return end - end % _PAGE_BYTES if end % _PAGE_BYTES in _HEADER_BYTES else end
