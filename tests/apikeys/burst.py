"""What the processes of a test do to a bucket that they share."""

import time
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path

from apikeys.bucket_table import BucketTable
from apikeys.token_bucket import Bucket, Take

IDENTITY = 0x1234_5678_9ABC_DEF0


def take_often(path: Path, bucket: Bucket, seconds: float, start: Barrier) -> int:
    """Take as fast as it goes for a time, when all are ready; how often something was there."""
    table = BucketTable(path)
    start.wait()
    allowed = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        allowed += table.take(IDENTITY, bucket).allowed
    return allowed


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
