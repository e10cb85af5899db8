"""Locks of whole tables, which other transactions hold most of the time."""

from collections.abc import Iterable
from itertools import chain, repeat
from time import monotonic, sleep
from typing import Any

import psycopg
from psycopg import errors

# All later readers and writers wait behind a waiting lock, so each wait is short; but the longest must be longer than a
# query.
_WAITS_MS = (100, 200, 400, 800, 1_600, 3_200)
_PAUSE_SECONDS = 1.0
_PATIENCE_SECONDS = 300.0


def take_locks(holder: psycopg.Connection[Any], statements: Iterable[str]) -> None:
    """Take locks within the open transaction, with several short waits."""
    deadline = monotonic() + _PATIENCE_SECONDS
    for wait in chain(_WAITS_MS, repeat(_WAITS_MS[-1])):
        try:
            with holder.transaction():
                holder.execute(f"SET LOCAL lock_timeout = {wait}")
                for statement in statements:
                    holder.execute(statement)
                return
        except (errors.LockNotAvailable, errors.DeadlockDetected):
            if monotonic() > deadline:
                raise
        sleep(_PAUSE_SECONDS)
