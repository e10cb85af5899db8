"""Refusal of requests when a worker has more to do, or to keep in memory, than it can."""

from django.conf import settings

from skg_site.api.load_shedding import Gate
from skg_site.api.problems import Problem, Unavailable
from skg_site.server.connections.slow_readers import backlog

# QUICK is for reads and writes of single facts and batches. OTHER is for the rest, which may wait behind long reads
# and must not make the quick ones wait by doing so.
QUICK, OTHER = (Gate(settings.ENV.max_wait) for _ in range(2))
# A health probe must get its answer, and a request that waits for the end of a run takes no time. Imports and exports
# have a limit of their own.
ALWAYS_ADMITTED = settings.PROBE_PATHS | {"/recurse", "/import", "/export"}

TOO_BUSY = Unavailable("More is asked of the service than it can answer in time; try again.")
TOO_MUCH_UNREAD = Unavailable("Too many answers wait for clients that read slowly; try again.")
TOO_MUCH_UNFINISHED = Unavailable("Too many requests are on their way at once, this one among them; send it again.")


def gate_for(path: str) -> Gate | None:
    """The gate for requests to this path; None if all are admitted."""
    if path == "/query" or (path.startswith("/triples/") and not path.endswith("/explain")):
        return QUICK
    return None if path in ALWAYS_ADMITTED else OTHER


def adjust_gates(elapsed: float, lag: float) -> None:
    for gate in (QUICK, OTHER):
        gate.adjust(elapsed, lag)


def reason_to_refuse(gate: Gate, path: str) -> Problem | None:
    """The problem to answer a request with that its gate refuses; None if it is admitted."""
    if gate.is_full:
        gate.refuse()
        return TOO_BUSY
    return TOO_MUCH_UNREAD if backlog.is_full and is_perhaps_large(path) else None


def is_perhaps_large(path: str) -> bool:
    """False for the reads and writes of single facts and batches, which have small answers."""
    return path == "/query" or not path.startswith("/triples/")
