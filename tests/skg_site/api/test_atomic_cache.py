"""The cache of a host and that of several: counters that no process's count is missing from."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import pytest
from structlog.typing import EventDict

from skg_site.api.atomic_cache import HostCache, SharedCache
from tests.conftest import ChangeSettings
from tests.support.processes import PythonProcess
from tests.support.valkey import ValkeyServer

COUNT = """
import sys
from skg_site.api.atomic_cache import HostCache
cache = HostCache(sys.argv[1], {})
for _ in range(100):
    cache.add("hits", 0, 60) or cache.incr("hits")
"""


@pytest.fixture
def cache(tmp_path: Path) -> HostCache:
    return HostCache(str(tmp_path / "cache"), {})


@pytest.mark.process
def test_processes_that_count_at_once_miss_no_count(cache: HostCache, tmp_path: Path) -> None:
    command = ["-c", COUNT, str(tmp_path / "cache")]
    processes = [PythonProcess(command, env=os.environ) for _ in range(4)]
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


@pytest.fixture
def shared_cache(
    valkey_server: ValkeyServer, change_settings: ChangeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> SharedCache:
    change_settings(redis_url=valkey_server.url)
    monkeypatch.setattr(SharedCache, "down_until", None)
    return SharedCache(str(tmp_path / "cache"), {})


def test_hosts_count_together(shared_cache: SharedCache, tmp_path: Path) -> None:
    elsewhere = SharedCache(str(tmp_path / "elsewhere"), {})
    assert shared_cache.add("hits", 1, 60)
    assert not elsewhere.add("hits", 1, 60)
    assert elsewhere.incr("hits") == 2
    assert shared_cache.get("hits") == 2


def test_the_shared_cache_keeps_to_what_a_cache_does(shared_cache: SharedCache) -> None:
    shared_cache.set("name", {"a": "value"}, 60)
    assert shared_cache.get("name") == {"a": "value"}
    assert shared_cache.touch("name", 120)
    assert shared_cache.delete("name")
    assert shared_cache.get("name", "nothing") == "nothing"
    with pytest.raises(ValueError, match="not found"):
        shared_cache.incr("nothing")


def test_clearing_leaves_what_else_is_on_the_server(shared_cache: SharedCache, valkey_server: ValkeyServer) -> None:
    with valkey_server.client() as client:
        client.set("skg:limit:1", 1)
        shared_cache.set("name", "value")
        shared_cache.clear()
        assert client.keys() == [b"skg:limit:1"]


def test_without_the_server_the_host_counts_and_with_it_again_all(
    shared_cache: SharedCache,
    valkey_server: ValkeyServer,
    log: list[EventDict],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared_cache.add("hits", 7, 60)
    valkey_server.kill()
    assert shared_cache.add("hits", 1, 60)
    assert shared_cache.incr("hits") == 2
    shared_cache.clear()
    assert shared_cache.get("hits") is None
    valkey_server.start()
    # Not asked again before a second is over, and as soon as it is.
    assert shared_cache.add("hits", 1, 60)
    monkeypatch.setattr("skg_site.api.atomic_cache.monotonic", lambda: monotonic() + 1)
    assert shared_cache.get("hits") is None
    assert shared_cache.down_until is None
    assert [event["event"] for event in log] == ["shared_cache_down"]
