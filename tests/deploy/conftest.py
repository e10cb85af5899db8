"""The service behind a real nginx."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.conftest import StartService
from tests.deploy.proxy import Proxy
from tests.support.service import Service

StartProxy = Callable[..., Proxy]


@pytest.fixture
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartProxy]:
    """A function that starts nginx in front of a service."""
    with ExitStack() as started:

        def start(service: Service, changes: dict[str, str] | None = None) -> Proxy:
            one = Proxy(tmp_path_factory.mktemp("nginx"), f"127.0.0.1:{service.port}", changes)
            started.callback(one.end)
            one.start()
            return one

        yield start


@pytest.fixture
def proxied(service: StartService, proxy: StartProxy) -> Callable[..., tuple[Service, Proxy]]:
    """A function that starts both, the service with settings by field name."""

    def start(changes: dict[str, str] | None = None, **settings: Any) -> tuple[Service, Proxy]:
        one = service(**{"trusted_proxies": ["127.0.0.1"]} | settings)
        return one, proxy(one, changes)

    return start
