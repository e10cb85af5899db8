"""The host's cache: counters that no process's count is missing from."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skg_site.cache import HostCache
from skg_site.env import BASE_DIR

COUNT = """
import sys
from skg_site.cache import HostCache
cache = HostCache(sys.argv[1], {})
for _ in range(100):
    cache.add("hits", 0, 60) or cache.incr("hits")
"""


@pytest.fixture
def cache(tmp_path: Path) -> HostCache:
    return HostCache(str(tmp_path / "cache"), {})


def test_processes_that_count_at_once_miss_no_count(cache: HostCache, tmp_path: Path) -> None:
    command = [sys.executable, "-c", COUNT, str(tmp_path / "cache")]
    processes = [subprocess.Popen(command, cwd=BASE_DIR) for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0] * 4
    # The first to add counts nothing.
    assert cache.get("hits") == 4 * 100 - 1


def test_of_many_that_add_at_once_one_alone_does(cache: HostCache) -> None:
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda number: cache.add("first", number), range(40)))
    assert added.count(True) == 1
    assert cache.get("first") == added.index(True)


def test_a_counter_that_is_not_there_cannot_be_counted_up(cache: HostCache) -> None:
    with pytest.raises(ValueError, match="not found"):
        cache.incr("nothing")


def test_what_is_kept_is_for_the_owner_alone(cache: HostCache, tmp_path: Path) -> None:
    cache.add("key", "value")
    assert (tmp_path / "cache").stat().st_mode & 0o077 == 0
