"""Prometheus metrics of the database's replicas, as this worker sees them."""

from collections import Counter as Counts

from prometheus_client import Counter, Gauge

from triples.store.backend import backend

OUT_OF_USE = Gauge(
    "skg_replicas_out_of_use", "Replicas of SKG_DATABASE_REPLICA_URLS that are not read", multiprocess_mode="livemax"
)
UP = Gauge("skg_replica_in_use", "1 if reads go to the replica, 0 if not", ["replica"], multiprocess_mode="livemin")
LAG = Gauge("skg_replica_lag_seconds", "How far the replica is behind", ["replica"], multiprocess_mode="livemax")
READS = Counter("skg_reads_total", "Reads of the graph, where the database has replicas", ["target"])
FAILED = Counter("skg_replica_failed_reads_total", "Reads that failed on a replica", ["replica"])

_counted: Counts[tuple[Counter, str]] = Counts()


async def sample() -> None:
    use = backend().replica_use()
    if use is None:
        OUT_OF_USE.set(0)
        return
    OUT_OF_USE.set(sum(not replica.in_use for replica in use.members))
    _count(READS, "primary", use.primary_reads)
    for replica in use.members:
        UP.labels(replica.name).set(replica.in_use)
        LAG.labels(replica.name).set(replica.lag_seconds)
        _count(READS, replica.name, replica.reads)
        _count(FAILED, replica.name, replica.failed_reads)


def _count(counter: Counter, label: str, number: int) -> None:
    counter.labels(label).inc(number - _counted[counter, label])
    _counted[counter, label] = number
