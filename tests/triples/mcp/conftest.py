"""A small graph with an inferred fact, and the ways to speak with `/mcp`: plain messages, and the SDK's own client."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CLIENT_CAPABILITIES_META_KEY, PROTOCOL_VERSION_META_KEY
from mcp_types.version import LATEST_HANDSHAKE_VERSION, LATEST_MODERN_VERSION

from tests.conftest import IssueKey
from tests.support.database import in_orm

CURRENT, BEFORE = LATEST_MODERN_VERSION, LATEST_HANDSHAKE_VERSION
ACCEPT = "application/json, text/event-stream"


RULE = {
    "name": "located_in is transitive",
    "weight": 0.5,
    "head": ["?x", "located_in", "?z"],
    "body": [["?x", "located_in", "?y"], ["?y", "located_in", "?z"]],
}


def make_graph(*facts: tuple[Any, ...]) -> None:
    """Store facts, and derive from them that what is in a place is in everything that contains it."""
    from tests.support.facts import store
    from tests.triples.store.inferred.derived import program, run

    def make() -> None:
        store(*facts)
        run(program(RULE))

    in_orm(make)


@pytest.fixture
def places(database: None) -> None:
    make_graph(
        ("Ulm", "located_in", "Germany", 0.5),
        ("Germany", "located_in", "Europe"),
        ("Ulm", "twin_of", "Jinja", 0.75),
        ("Einstein", "born_in", "Ulm", 0.9),
    )


class Speaker:
    """Sends messages as a client of one revision does."""

    def __init__(self, http: httpx.AsyncClient, version: str) -> None:
        self.http = http
        self.version = version

    async def send(self, method: str, **params: Any) -> httpx.Response:
        headers = {"Accept": ACCEPT, "MCP-Protocol-Version": self.version}
        if self.version == CURRENT:
            params["_meta"] = {PROTOCOL_VERSION_META_KEY: self.version, CLIENT_CAPABILITIES_META_KEY: {}}
            headers["Mcp-Method"] = method
            if "name" in params:
                headers["Mcp-Name"] = str(params["name"])
        message = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        return await self.http.post("/mcp", json=message, headers=headers)

    async def result(self, method: str, **params: Any) -> dict[str, Any]:
        answer = await self.send(method, **params)
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        assert (content["jsonrpc"], content["id"]) == ("2.0", 7)
        result: dict[str, Any] = content["result"]
        return result

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        return await self.result("tools/call", name=tool, arguments=arguments)

    async def text(self, tool: str, **arguments: Any) -> str:
        """The text of an answer, or that of a refusal after an exclamation mark."""
        result = await self.call(tool, **arguments)
        [block] = result["content"]
        return f"{'!' if result.get('isError') else ''}{block['text']}"


@pytest.fixture(params=[CURRENT, BEFORE])
def speaker(api: httpx.AsyncClient, request: pytest.FixtureRequest) -> Speaker:
    return Speaker(api, request.param)


@pytest.fixture
def model(api: httpx.AsyncClient) -> Speaker:
    """A speaker of the current revision."""
    return Speaker(api, CURRENT)


Connect = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture
def connect(anonymous: httpx.AsyncClient, issue_key: IssueKey) -> Connect:
    """A function that connects the SDK's client to the application."""
    from skg_site.asgi import application

    @asynccontextmanager
    async def connect(mode: str, key: str = "") -> AsyncIterator[Client]:
        headers = {"Authorization": f"Bearer {key or issue_key()}"}
        transport = httpx2.ASGITransport(application)  # type: ignore[arg-type]  # the same protocol, typed in other words
        async with httpx2.AsyncClient(transport=transport, headers=headers) as http:
            server = streamable_http_client("http://testserver/mcp", http_client=http)
            async with Client(server, mode=mode) as client:
                yield client

    return connect
