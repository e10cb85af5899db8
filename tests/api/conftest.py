"""What the tests of the API share beside the fixtures that all tests have.

With `--instances` their client asks several services behind nginx: whatever the API promises, it must keep when each
request is answered by another process. Tests that look into this process, or change it, are left out. A run with
`--beside-instances` has those alone.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import POSTGRESQL_URL
from tests.deploy.proxy import DOMAIN, Proxy
from tests.support.database import in_orm
from tests.support.forked_commands import forked_commands
from tests.support.processes import PythonProcess
from tests.support.service import Service
from tests.support.valkey import ValkeyServer

FOLDER = Path(__file__).parent
# Of a test that asks for one of these, the service must be in the test's own process.
INSIDE = {"change_settings", "log", "monkeypatch", "no_process", "settings"}
# nginx's own limits have tests of their own, and the tests' address is one of its trusted networks.
UNLIMITED = {"limit_req zone=skg_address burst=20 nodelay;": "", "limit_req zone=skg_key burst=200 nodelay;": ""}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--beside-instances"):
        asked = [item for item in items if item.path.parent == FOLDER and not _inside(item)]
        config.hook.pytest_deselected(items=asked)
        items[:] = [item for item in items if item not in set(asked)]
    if not config.getoption("--instances"):
        return
    if POSTGRESQL_URL not in config.stash:
        raise pytest.UsageError("--instances wants --database postgresql, which they share")
    for item in items:
        if inside := _inside(item):
            item.add_marker(pytest.mark.skip(reason=f"looks into the process that answers ({', '.join(inside)})"))


def _inside(item: pytest.Item) -> list[str]:
    """By what the test needs the service in its own process."""
    assert isinstance(item, pytest.Function)
    if item.get_closest_marker("in_process"):
        return ["in_process"]
    return sorted(INSIDE.intersection(inspect.signature(item.function).parameters))


class Front:
    """nginx in front of services that share the test process's own database, and a Valkey."""

    def __init__(self, number: int, folders: pytest.TempPathFactory, opened: ExitStack) -> None:
        self.valkey = ValkeyServer()
        opened.callback(self.valkey.end)
        self.valkey.start()
        from django.conf import settings

        shared: dict[str, Any] = {
            "database_url": settings.ENV.database_url,
            "redis_url": self.valkey.url,
            "trusted_proxies": "127.0.0.1",
            "allowed_hosts": DOMAIN,
            "workers": 1,
        }
        services = [Service(folders.mktemp("instance"), **shared) for _ in range(number)]
        for one in services:
            opened.callback(one.end)
            one.launch()
        for one in services:
            one.wait_until_ready()
        upstream = "127.0.0.1:1"
        servers = " ".join(f"server 127.0.0.1:{one.port} max_fails=0;" for one in services)
        self.proxy = Proxy(folders.mktemp("nginx"), upstream, UNLIMITED | {f"server {upstream} max_fails=0;": servers})
        opened.callback(self.proxy.end)
        self.proxy.start()

    def forget(self) -> None:
        """Empty what the instances share beside the database."""
        with self.valkey.client() as client:
            client.flushall()


@pytest.fixture(scope="session")
def front(
    request: pytest.FixtureRequest, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    with ExitStack() as opened:
        yield Front(request.config.getoption("--instances"), tmp_path_factory, opened)


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest) -> Iterator[dict[str, Any] | None]:
    if not request.config.getoption("--instances"):
        yield None
        return
    front: Front = request.getfixturevalue("front")
    yield {"base_url": front.proxy.url, "verify": front.proxy.trust}
    front.forget()


Commands = list[PythonProcess]


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Commands]:
    """The commands that requests to this process have started, which are forked."""
    with forked_commands(tmp_path) as begun:
        yield begun


StoreFacts = Callable[..., None]


@pytest.fixture
def store_facts(database: None) -> StoreFacts:
    """A function that stores facts past the API, given as `tests.support.facts.store` takes them."""
    # pytest loads this module before there are settings, which this needs.
    from tests.support.facts import store

    def store_all(*facts: tuple[Any, ...]) -> None:
        in_orm(store, *facts)

    return store_all


@pytest.fixture(autouse=True)
def no_process(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands of processes that a request would have started for a run."""
    started: list[list[str]] = []

    def start(command: list[str], **_: Any) -> None:
        started.append(command)

    monkeypatch.setattr("triples.detached_commands.subprocess.run", start)
    return started
