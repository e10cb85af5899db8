"""Freshness of the facts that a request reads, where reads can go to replicas of the database.

A position is a place in the primary's write-ahead log (PostgreSQL's LSN) as a number. Clients know it as text: a token,
which they send back. A replica that has replayed the log up to a position has all that was committed before it.
"""

import re
from contextvars import ContextVar
from typing import Any

_TOKEN = re.compile(rb"([0-9A-F]{1,8})/([0-9A-F]{1,8})")


class Freshness:
    """The needs of one request, and what it has done."""

    __slots__ = ("needed", "newest", "replica", "written")

    def __init__(self, needed: int) -> None:
        # Reads must see everything up to this position.
        self.needed = needed
        # The position after the last commit of the request; 0 if it has written nothing.
        self.written = 0
        # Reads go to the primary.
        self.newest = False
        # The replica that the first read chose. The others follow it, so that a request does not go back in time.
        self.replica: Any = None

    def note(self, position: int) -> None:
        """A commit of the request stands before this position."""
        self.written = max(self.written, position)


# None: reads go to the primary. That of a request is set only if there are replicas.
FRESHNESS: ContextVar[Freshness | None] = ContextVar("freshness", default=None)


def need_newest() -> None:
    """Let all reads of this request from now on go to the primary."""
    if (freshness := FRESHNESS.get()) is not None:
        freshness.newest = True


def position_of(token: bytes) -> int | None:
    """The position that a token names; None if it is malformed."""
    found = _TOKEN.fullmatch(token)
    return None if found is None else int(found[1], 16) << 32 | int(found[2], 16)


def token_of(position: int) -> str:
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"
