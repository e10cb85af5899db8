"""What the processes of a test do to a bucket that they share."""

import time
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from typing import NamedTuple

from apikeys.bucket_table import BucketTable
from apikeys.token_bucket import SECOND, Bucket, Take

IDENTITY = 0x1234_5678_9ABC_DEF0


class Burst(NamedTuple):
    """What one process got, and when it got the first."""

    allowed: int
    before_first: int
    after_first: int


def take_often(path: Path, bucket: Bucket, seconds: float, start: Barrier) -> Burst:
    """Take as fast as it goes for a time, when all are ready."""
    table = BucketTable(path)
    start.wait()
    before = time.monotonic_ns()
    allowed = int(table.take(IDENTITY, bucket).allowed)
    after = now = time.monotonic_ns()
    while now - before < seconds * SECOND:
        allowed += table.take(IDENTITY, bucket).allowed
        now = time.monotonic_ns()
    return Burst(allowed, before, after)


class StuckBucket(Bucket):
    """Never comes back from being asked, and says when it is."""

    asked: Event

    def take(self, full_at: int, now: int) -> Take:
        self.asked.set()
        time.sleep(3600)
        raise AssertionError("nobody waits so long")


def hold_the_lock(path: Path, asked: Event) -> None:
    """Stay inside the table, with the bucket's set locked, until killed."""
    StuckBucket.asked = asked
    BucketTable(path).take(IDENTITY, StuckBucket(1, 1))
