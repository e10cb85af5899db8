"""One look at each replica, for operators."""

from collections.abc import Iterator, Sequence
from time import monotonic, sleep

from django.conf import settings

from triples.store.backend import ReplicaState
from triples.store.postgresql.connections import connect
from triples.store.postgresql.replica_answers import (
    LOOK_AT_PRIMARY,
    LOOK_AT_REPLICA,
    Answer,
    ask,
    late,
    unfit,
    unreachable,
)
from triples.store.postgresql.replica_watch import CONNECT_SECONDS
from triples.store.postgresql.replicas import Replica

_PAUSE = 0.02


def look(replicas: Sequence[Replica]) -> Iterator[ReplicaState]:
    """The state of each: its lag is how long it takes to where the primary is now."""
    with connect(connect_timeout=CONNECT_SECONDS) as driver:
        primary = ask(driver, LOOK_AT_PRIMARY)
    for replica in replicas:
        try:
            yield _looked_at(replica, primary)
        except Exception as error:  # whatever is wrong with it is what is told
            yield ReplicaState(replica.name, False, 0.0, 0, 0, unreachable(error))


def _looked_at(replica: Replica, primary: Answer) -> ReplicaState:
    began, most_lag = monotonic(), settings.ENV.replica_max_lag
    with connect(alias=replica.alias, connect_timeout=CONNECT_SECONDS) as driver:
        while True:
            answer = ask(driver, LOOK_AT_REPLICA)
            seconds = monotonic() - began
            fault = unfit(answer, primary.identity) or late(seconds, most_lag)
            if fault or (answer.position or 0) >= (primary.position or 0):
                return ReplicaState(replica.name, not fault, seconds, 0, 0, fault)
            sleep(_PAUSE)
