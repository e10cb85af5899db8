"""A language model's session, through the official SDK's client."""

from typing import Any

import pytest
from mcp_types import CallToolResult, TextContent

from tests.conftest import IssueKey
from tests.triples.mcp.conftest import BEFORE, CURRENT, Connect

pytestmark = pytest.mark.both


def told(result: CallToolResult) -> str:
    [block] = result.content
    assert isinstance(block, TextContent)
    assert not result.is_error, block.text
    return block.text


@pytest.mark.parametrize(("mode", "version"), [("auto", CURRENT), ("legacy", BEFORE)])
async def test_a_model_searches_joins_explains_and_adds(
    connect: Connect, places: None, mode: str, version: str
) -> None:
    async with connect(mode) as client:
        assert client.protocol_version == version
        assert client.server_info is not None
        assert client.server_info.name == "skg-api"
        assert "describe_schema" in (client.instructions or "")
        tools = (await client.list_tools()).tools
        assert [tool.name for tool in tools] == [
            *("search_terms", "describe_schema", "query", "paths", "explain", "add_facts")
        ]

        async def ask(tool: str, **arguments: Any) -> str:
            return told(await client.call_tool(tool, arguments))

        assert "einstein" not in (found := await ask("search_terms", search="einstien"))
        assert found.splitlines()[1].startswith("Einstein\t")
        assert "located_in\t2\t1" in await ask("describe_schema")
        assert "Ulm\tlocated_in\tGermany\t0.5" in await ask("describe_schema", predicate="located_in")
        join = [["?who", "born_in", "?town"], ["?town", "located_in", "?land"]]
        lines = (await ask("query", patterns=join, select=["?who", "?land"])).splitlines()
        assert lines == ["?who\t?land\tweight", "Einstein\tGermany\t0.45", "Einstein\tEurope\t0.225"]
        path = await ask("paths", **{"from": "Einstein", "to": "Jinja"})
        assert "0.675\tEinstein -born_in-> Ulm -twin_of-> Jinja" in path
        assert "Ulm <-born_in- Einstein" in await ask("paths", **{"from": "Jinja", "to": "Einstein"})
        proof = await ask("explain", subject="Ulm", predicate="located_in", object="Europe")
        assert proof.splitlines()[1:4] == [
            "0\tUlm\tlocated_in\tEurope\t0.25\trule located_in is transitive",
            "1\tUlm\tlocated_in\tGermany\t0.5\tasserted",
            "1\tGermany\tlocated_in\tEurope\t1\tasserted",
        ]
        fact = {"subject": "Grossmann", "predicate": "friend_of", "object": "Einstein", "weight": 0.8}
        assert await ask("add_facts", facts=[fact]) == "1 new fact is stored."
        assert "1 was there already" in await ask("add_facts", facts=[fact])
        assert "Grossmann\t0.8" in await ask("query", patterns=[["?x", "friend_of", "Einstein"]])


async def test_a_key_sees_the_tools_of_its_scopes(connect: Connect, issue_key: IssueKey) -> None:
    async with connect("auto", issue_key(scopes=["read"])) as client:
        assert "add_facts" not in {tool.name for tool in (await client.list_tools()).tools}
        refused = await client.call_tool("add_facts", {"facts": []})
        assert refused.is_error
        assert "scope write" in str(refused.content)
    async with connect("auto", issue_key(scopes=["write"])) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["add_facts"]
    async with connect("auto", issue_key(scopes=["admin"])) as client:
        assert (await client.list_tools()).tools == []
