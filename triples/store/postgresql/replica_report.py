"""One look at each replica, for operators."""

from collections.abc import Iterator, Sequence
from time import monotonic, sleep

from django.conf import settings

from triples.store.backend import ReplicaState
from triples.store.postgresql.connections import connect
from triples.store.postgresql.positions import position
from triples.store.postgresql.replica_watch import CONNECT_SECONDS, LOOK_AT_PRIMARY, LOOK_AT_REPLICA
from triples.store.postgresql.replicas import Replica, in_one_line

_PAUSE = 0.02


def look(replicas: Sequence[Replica]) -> Iterator[ReplicaState]:
    """The state of each: its lag is how long it takes to where the primary is now."""
    with connect(connect_timeout=CONNECT_SECONDS) as primary:
        end, *identity = primary.execute(LOOK_AT_PRIMARY).fetchone() or (None,)
    for replica in replicas:
        try:
            yield _looked_at(replica, position(end), identity)
        except Exception as error:  # whatever is wrong with it is what is told
            yield ReplicaState(replica.name, False, 0.0, 0, 0, f"cannot be reached: {in_one_line(error)}")


def _looked_at(replica: Replica, end: int, identity: Sequence[object]) -> ReplicaState:
    fault, began = "", monotonic()
    with connect(alias=replica.alias, connect_timeout=CONNECT_SECONDS) as driver:
        while True:
            lsn, *its_identity = driver.execute(LOOK_AT_REPLICA).fetchone() or (None,)
            seconds = monotonic() - began
            if lsn is None:
                fault = "is no replica, since it takes writes"
            elif its_identity != identity:
                fault = "is a replica of another database"
            elif seconds > settings.ENV.replica_max_lag:
                fault = f"lags by more than {settings.ENV.replica_max_lag:g} seconds"
            if fault or position(lsn) >= end:
                return ReplicaState(replica.name, not fault, seconds, 0, 0, fault)
            sleep(_PAUSE)
