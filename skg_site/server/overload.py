"""Which requests are refused when a worker has more to do, or to keep, than it can."""

from django.conf import settings

from skg_site.api.load_shedding import Gate
from skg_site.api.problems import Problem, Unavailable
from skg_site.server.connections.unsent import backlog

# The reads and writes of single facts and batches, which take their turn before anything else; and all the rest,
# which may wait behind long reads and must not shut the first out by doing so.
QUICK, OTHER = (Gate(settings.ENV.max_wait) for _ in range(2))
# Who asks after the service's health must be told, and who waits for a run's end is no burden.
ALWAYS_ADMITTED = settings.PROBE_PATHS | {"/recurse"}

TOO_BUSY = Unavailable("More is asked of the service than it can answer in time; try again.")
TOO_MUCH_UNREAD = Unavailable("Too many answers wait for clients that read slowly; try again.")
TOO_MUCH_UNFINISHED = Unavailable("Too many requests are on their way at once, this one among them; send it again.")


def gate_for(path: str) -> Gate | None:
    """The gate that a request to this path has to pass."""
    if path == "/query" or (path.startswith("/triples/") and not path.endswith("/explain")):
        return QUICK
    return None if path in ALWAYS_ADMITTED else OTHER


def adjust_gates(elapsed: float, lag: float) -> None:
    for gate in (QUICK, OTHER):
        gate.adjust(elapsed, lag)


def reason_to_refuse(gate: Gate, path: str) -> Problem | None:
    """Why a request that has come to its gate is not let in, or None."""
    if gate.is_full:
        gate.refuse()
        return TOO_BUSY
    # What reads or writes single facts and batches has small answers.
    if backlog.is_full and (path == "/query" or not path.startswith("/triples/")):
        return TOO_MUCH_UNREAD
    return None
