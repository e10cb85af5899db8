"""Clients of the application in this process, and of real services."""

from collections.abc import AsyncIterator, Callable, Iterator

import httpx2
import pytest
from asgi_lifespan import LifespanManager

from skg_site.client import AsyncClient, Client, Options
from tests.conftest import IssueKey, StartService
from tests.support.service import KEY, Service

NewClient = Callable[..., AsyncClient]


@pytest.fixture
async def new_client(database: None, issue_key: IssueKey) -> AsyncIterator[NewClient]:
    """A function that makes a client of the application; its arguments are those of a key and `options`."""
    from skg_site.asgi import application

    def make(*, options: Options | None = None, **key: object) -> AsyncClient:
        transport = httpx2.ASGITransport(application)  # type: ignore[arg-type]  # the same protocol, typed otherwise
        return AsyncClient("http://testserver", issue_key(**key), options=options, transport=transport)

    async with LifespanManager(application):  # type: ignore[arg-type]  # as above
        yield make


@pytest.fixture
async def client(new_client: NewClient) -> AsyncIterator[AsyncClient]:
    async with new_client() as one:
        yield one


@pytest.fixture
def one_service(service: StartService) -> Service:
    return service()


@pytest.fixture
def sync_client(one_service: Service) -> Iterator[Client]:
    with Client(one_service.url, KEY) as one:
        yield one
