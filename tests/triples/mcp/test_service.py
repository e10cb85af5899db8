"""`/mcp` of a real service, over a real connection, by the SDK's client; and its switch."""

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import TextContent

from tests.conftest import StartService
from tests.support.service import KEY
from tests.triples.mcp.conftest import BEFORE, CURRENT


async def test_a_client_speaks_with_a_service(service: StartService) -> None:
    served = service()
    for mode, version in (("auto", CURRENT), ("legacy", BEFORE)):
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}, timeout=30) as http,
            Client(streamable_http_client(f"{served.url}/mcp", http_client=http), mode=mode) as client,
        ):
            assert client.protocol_version == version
            fact = {"subject": "Ada", "predicate": "parent_of", "object": "Bob", "weight": 0.9}
            await client.call_tool("add_facts", {"facts": [fact]})
            found = await client.call_tool("query", {"patterns": [["?x", "parent_of", "Bob"]]})
            assert found.content == [TextContent(type="text", text="?x\tweight\nAda\t0.9")]
            assert found.structured_content == {"columns": ["?x", "weight"], "rows": [["Ada", 0.9]]}


def test_it_can_be_turned_off(service: StartService) -> None:
    with service(enable_mcp=False).client() as client:
        answer = client.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "ping"})
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
