"""The question that a primary and its replicas are asked, and what is wrong with a replica by its answer.

A fault is told after the replica's name: "is a replica of another database".
"""

from typing import Any, NamedTuple

import psycopg

from triples.store.postgresql.positions import position
from triples.store.postgresql.replicas import in_one_line

# The same for a database and its copies: they have one origin, and one number for this database.
_IDENTITY = (
    "(SELECT system_identifier FROM pg_control_system()),"
    " (SELECT oid::bigint FROM pg_database WHERE datname = current_database())"
)
# What is flushed, since nothing else reaches a replica.
LOOK_AT_PRIMARY = f"SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_flush_lsn() END, {_IDENTITY}"
LOOK_AT_REPLICA = f"SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() END, {_IDENTITY}"

Identity = tuple[int, int]


class Answer(NamedTuple):
    # Where the server is in the log; None if it is not the one of the two that it should be.
    position: int | None
    identity: Identity


def ask(driver: psycopg.Connection[Any], statement: str) -> Answer:
    lsn, *identity = driver.execute(statement.encode()).fetchone() or (None, 0, 0)
    return Answer(None if lsn is None else position(lsn), (identity[0], identity[1]))


def unreachable(error: Exception) -> str:
    return f"cannot be reached: {in_one_line(error)}"


def silent(seconds: float) -> str:
    return f"has not answered for {seconds:g} seconds"


def unfit(answer: Answer, primary: Identity | None) -> str:
    """The fault that makes it no replica of this primary, if that is known; empty if there is none."""
    if answer.position is None:
        return "is no replica: it takes writes, or has just begun to"
    if primary is not None and answer.identity != primary:
        return "is a replica of another database"
    return ""


def late(seconds: float, most: float) -> str:
    """The fault of lagging; empty if it does not lag by more than it may."""
    return f"lags by more than {most:g} seconds" if seconds > most else ""
