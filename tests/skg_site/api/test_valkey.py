"""The switch before a real Valkey: who waits when it is killed, stopped or refuses, and that it comes back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis
from structlog.typing import EventDict

from skg_site.api.valkey import Valkey, ValkeyDown, publish
from tests.support.environment import process_environment, service_variables
from tests.support.processes import run_python
from tests.support.valkey import ValkeyServer


@pytest.fixture
async def valkey(valkey_server: ValkeyServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Valkey]:
    monkeypatch.setattr("skg_site.api.valkey.PROBE_SECONDS", 0.05)
    one = Valkey()
    one.open(valkey_server.url)
    yield one
    await one.close()


async def ping(client: Redis) -> bool:
    return bool(await client.ping())


async def until_up(valkey: Valkey) -> None:
    async with asyncio.timeout(20):
        while not valkey.is_up:
            await asyncio.sleep(0.01)


async def test_nobody_asks_a_server_that_is_not_there() -> None:
    unused = Valkey()
    assert not unused.is_up
    with pytest.raises(ValkeyDown):
        await unused.call(ping)
    await unused.close()


async def test_a_killed_server_is_left_alone_until_it_is_back(
    valkey: Valkey, valkey_server: ValkeyServer, log: list[EventDict]
) -> None:
    assert await valkey.call(ping)
    valkey_server.kill()
    outcomes = await asyncio.gather(*(valkey.call(ping) for _ in range(10)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {ValkeyDown}
    assert not valkey.is_up
    assert REGISTRY.get_sample_value("skg_valkey_down") == 1
    valkey_server.start()
    await until_up(valkey)
    assert REGISTRY.get_sample_value("skg_valkey_down") == 0
    assert await valkey.call(ping)
    assert [event["event"] for event in log] == ["valkey_down", "valkey_up"]


async def test_a_server_that_answers_late_is_left_alone_until_it_answers_in_time(
    valkey: Valkey, valkey_server: ValkeyServer, log: list[EventDict]
) -> None:
    assert await valkey.call(ping)
    valkey_server.pause()
    with pytest.raises(ValkeyDown):
        await valkey.call(ping)
    for _ in range(100):
        with pytest.raises(ValkeyDown):
            await valkey.call(ping)
    # Some probes have been in vain by now.
    await asyncio.sleep(0.4)
    assert not valkey.is_up
    valkey_server.resume()
    await until_up(valkey)
    assert await valkey.call(ping)
    assert log[0]["error"] == "TimeoutError: no answer in time"


async def test_a_loop_that_was_late_itself_does_not_blame_the_server(valkey: Valkey) -> None:
    assert await valkey.call(ping)
    asking = asyncio.create_task(valkey.call(ping))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    busy_until = asyncio.get_running_loop().time() + 0.2
    while asyncio.get_running_loop().time() < busy_until:
        pass
    assert await asking


async def test_a_server_that_is_full_counts_as_down(valkey: Valkey, valkey_server: ValkeyServer) -> None:
    with valkey_server.client() as client:
        client.config_set("maxmemory", 1)
        with pytest.raises(ValkeyDown):
            await valkey.call(lambda asked: asked.set("name", "value"))
        await asyncio.sleep(0.2)
        assert not valkey.is_up
        client.config_set("maxmemory", 0)
    await until_up(valkey)


async def test_a_follower_hears_again_after_a_restart(valkey: Valkey, valkey_server: ValkeyServer) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    following = asyncio.create_task(valkey.follow("channel", heard.put_nowait))
    await said(valkey_server, heard, "before")
    valkey_server.kill()
    valkey_server.start()
    await said(valkey_server, heard, "after")
    following.cancel()


async def said(server: ValkeyServer, heard: "asyncio.Queue[str]", word: str) -> None:
    """Say it until it is heard: nobody knows when the follower listens."""
    async with asyncio.timeout(20):
        while heard.empty():
            assert await asyncio.to_thread(publish, server.url, "channel", word)
            await asyncio.sleep(0.02)
    while not heard.empty():
        assert heard.get_nowait() == word


def test_what_nobody_takes_is_not_said(valkey_server: ValkeyServer) -> None:
    valkey_server.kill()
    assert not publish(valkey_server.url, "channel", "word")


@pytest.mark.process
@pytest.mark.parametrize(("settings", "is_loaded"), [({}, False), ({"redis_url": "redis://127.0.0.1:1"}, True)])
def test_the_client_is_loaded_only_where_there_is_a_server(
    tmp_path: Path, settings: dict[str, str], is_loaded: bool
) -> None:
    code = """
import asyncio, sys
import skg_site.asgi
from django.core.cache import cache
cache.get("anything")

async def receive():
    return {}

async def send(message):
    pass

asyncio.run(skg_site.asgi.application({"type": "lifespan"}, receive, send))
sys.exit("redis" in sys.modules)
"""
    environment = process_environment(service_variables(tmp_path, **settings))
    environment["DJANGO_SETTINGS_MODULE"] = "skg_site.settings"
    assert run_python(["-c", code], env=environment).returncode == is_loaded
