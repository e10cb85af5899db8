"""Buckets that processes share: exact in a burst, and unharmed by whatever happens to one of them."""

import multiprocessing
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import pytest
from structlog.typing import EventDict

from apikeys.bucket_table import LONGEST, PLACES, SETS, TABLE_BYTES, BucketTable
from apikeys.token_bucket import SECOND, Bucket
from skg_site.api.rates import Rate
from tests.apikeys.burst import IDENTITY, hold_the_lock, take_often

PROCESSES = 4
HOURLY = Bucket.for_rate(Rate(100, 3600))

spawn = multiprocessing.get_context("spawn")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "limits"


@pytest.fixture
def table(path: Path) -> BucketTable:
    return BucketTable(path)


def in_processes(work: Callable[..., int], *arguments: Any) -> list[int]:
    """The same work in four processes that begin together."""
    with spawn.Manager() as manager, ProcessPoolExecutor(PROCESSES, mp_context=spawn) as pool:
        start = manager.Barrier(PROCESSES)
        return [future.result() for future in [pool.submit(work, *arguments, start) for _ in range(PROCESSES)]]


@pytest.mark.process
def test_four_processes_get_exactly_what_the_bucket_holds(path: Path) -> None:
    bursts = in_processes(take_often, path, HOURLY, 0.5)
    assert sum(bursts) == 100


@pytest.mark.process
def test_four_processes_get_exactly_what_trickles_in_as_well(path: Path, table: BucketTable) -> None:
    bucket = Bucket.for_rate(Rate(1000, 100))
    before_first = time.monotonic_ns()
    assert table.take(IDENTITY, bucket).allowed
    after_first = time.monotonic_ns()
    # So that it does not run over where a busy machine takes its time to start processes.
    assert all(table.take(IDENTITY, bucket).allowed for _ in range(899))
    bursts = in_processes(take_often, path, bucket, 1.5)
    allowed = 900 + sum(bursts)
    # Take what is left, so that every token until now is accounted for.
    before = time.monotonic_ns()
    while table.take(IDENTITY, bucket).allowed:
        allowed += 1
        before = time.monotonic_ns()
    after = time.monotonic_ns()
    # Tokens come from the first take on, which lies between two readings of the clock, as the last look does.
    assert 1000 + (before - after_first) // bucket.interval <= allowed
    assert allowed <= 1000 + (after - before_first) // bucket.interval
    assert allowed > 1010


def test_threads_of_one_process_do_not_count_twice(table: BucketTable) -> None:
    with ThreadPool(4) as pool:
        taken = pool.map(lambda _: table.take(IDENTITY, HOURLY).allowed, range(400))
    assert sum(taken) == 100


@pytest.mark.process
def test_a_process_killed_inside_the_table_holds_nobody_up(path: Path, table: BucketTable) -> None:
    asked = spawn.Event()
    holder = spawn.Process(target=hold_the_lock, args=(path, asked))
    holder.start()
    try:
        assert asked.wait(30)
        done = threading.Event()

        def take() -> None:
            table.take(IDENTITY, HOURLY)
            done.set()

        waiting = threading.Thread(target=take)
        waiting.start()
        assert not done.wait(0.2), "the set was not locked"
        # A bucket in another set is not held up at all.
        assert BucketTable(path).take(IDENTITY + 1, HOURLY).allowed
    finally:
        holder.kill()
        holder.join()
    assert done.wait(1), "the lock outlived its holder"
    waiting.join()
    assert table.take(IDENTITY, HOURLY).remaining == 98


def test_an_error_inside_the_table_releases_it(table: BucketTable, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("inside")

    with monkeypatch.context() as patched:
        patched.setattr(Bucket, "take", fail)
        with pytest.raises(RuntimeError, match="inside"):
            table.take(IDENTITY, HOURLY)
    assert BucketTable(path).take(IDENTITY, HOURLY).allowed


def test_what_is_taken_stays_taken_when_the_table_is_opened_again(path: Path) -> None:
    assert [BucketTable(path).take(IDENTITY, HOURLY).remaining for _ in range(3)] == [99, 98, 97]


def test_the_file_is_whole_and_private(path: Path, table: BucketTable) -> None:
    assert path.stat().st_size == TABLE_BYTES
    assert path.stat().st_mode & 0o777 == 0o600
    # All of it is on disk, so that a full disk cannot fail a later write into the mapping.
    assert path.stat().st_blocks * 512 >= TABLE_BYTES


def test_a_file_that_was_cut_short_is_made_whole(path: Path) -> None:
    path.write_bytes(bytes(100))
    assert BucketTable(path).take(IDENTITY, HOURLY).allowed
    assert path.stat().st_size == TABLE_BYTES


@pytest.fixture
def crowded(table: BucketTable) -> list[int]:
    """Identities that fill one set, each with an empty bucket, the first one nearest to being full again."""
    identities = [7 + SETS * number for number in range(1, PLACES + 1)]
    for identity in identities:
        assert table.take(identity, Bucket(1, 60 * SECOND)).allowed
    return identities


def test_buckets_of_one_set_do_not_disturb_each_other(table: BucketTable, crowded: list[int]) -> None:
    assert not any(table.take(identity, Bucket(1, 60 * SECOND)).allowed for identity in crowded)


def test_in_a_full_set_the_fullest_bucket_gives_way_and_the_log_says_so(
    table: BucketTable, crowded: list[int], log: list[EventDict]
) -> None:
    bucket = Bucket(1, 60 * SECOND)
    assert table.take(7, bucket).allowed
    assert not table.take(7, bucket).allowed
    assert not any(table.take(identity, bucket).allowed for identity in crowded[1:])
    assert table.take(crowded[0], bucket).allowed
    assert [event["event"] for event in log] == ["limit_table_full"]


def test_the_place_of_a_full_bucket_is_given_to_another(table: BucketTable, log: list[EventDict]) -> None:
    for identity in range(7, 7 + SETS * PLACES * 3, SETS):
        assert table.take(identity, Bucket(1, 1)).allowed
    assert log == []


def test_buckets_from_before_a_reboot_are_full_and_their_places_free(
    table: BucketTable, crowded: list[int], monkeypatch: pytest.MonkeyPatch, log: list[EventDict]
) -> None:
    now = LONGEST
    monkeypatch.setattr("apikeys.bucket_table.monotonic_ns", lambda: now)
    for place, word in enumerate(table._words):
        if word > LONGEST and place % (2 * PLACES) >= PLACES:
            table._words[place] = now + LONGEST + 1
    bucket = Bucket(1, 60 * SECOND)
    assert table.take(crowded[3], bucket).allowed
    assert table.take(7, bucket).allowed
    assert log == []


def test_a_disk_without_room_costs_the_sharing_and_nothing_else(
    path: Path, monkeypatch: pytest.MonkeyPatch, log: list[EventDict]
) -> None:
    path.symlink_to("/dev/full")
    table = BucketTable(path)
    assert [table.take(IDENTITY, Bucket.for_rate(Rate(2, 60))).allowed for _ in range(3)] == [True, True, False]
    assert [event["event"] for event in log] == ["limit_table_not_shared"]


def test_what_another_counted_moves_a_bucket_forward_and_never_back(table: BucketTable) -> None:
    assert table.ahead(IDENTITY) == 0
    now = time.monotonic_ns()
    table.move_forward(IDENTITY, now + 90 * HOURLY.interval)
    assert 89 * HOURLY.interval < table.ahead(IDENTITY) <= 90 * HOURLY.interval
    assert sum(table.take(IDENTITY, HOURLY).allowed for _ in range(20)) == 10
    before = table.ahead(IDENTITY)
    for full_at in (0, now, now + SECOND, now + LONGEST * 2):
        table.move_forward(IDENTITY, full_at)
    assert before - SECOND * 60 < table.ahead(IDENTITY) <= before
    table.clear()
    assert table.take(IDENTITY, HOURLY).remaining == 99


def test_what_was_counted_before_a_reboot_is_forgotten(table: BucketTable, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 2 * LONGEST
    monkeypatch.setattr("apikeys.bucket_table.monotonic_ns", lambda: now)
    table.move_forward(IDENTITY, now + SECOND)
    assert table.ahead(IDENTITY) == SECOND
    now = SECOND
    assert table.ahead(IDENTITY) == 0
    table.move_forward(IDENTITY, 2 * SECOND)
    assert table.ahead(IDENTITY) == SECOND
