"""Messages of the protocol: revisions, what is no message, and refusals of HTTP before any message is read."""

from typing import Any

import httpx
import pytest
from mcp_types import CLIENT_CAPABILITIES_META_KEY, PROTOCOL_VERSION_META_KEY, methods
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from tests.conftest import ChangeSettings, IssueKey
from tests.support.database import in_orm
from tests.triples.mcp.conftest import ACCEPT, BEFORE, CURRENT, Speaker

LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
ENVELOPE = {PROTOCOL_VERSION_META_KEY: CURRENT, CLIENT_CAPABILITIES_META_KEY: {}}
MODERN = {"MCP-Protocol-Version": CURRENT, "Mcp-Method": "tools/list"}


async def error_of(answer: httpx.Response, status: int, code: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    content = answer.json()
    assert content["jsonrpc"] == "2.0"
    assert content["error"]["code"] == code, content
    message: str = content["error"]["message"]
    return message


async def test_results_are_those_of_the_revision(speaker: Speaker) -> None:
    for method, params in (
        ("tools/list", {}),
        ("tools/call", {"name": "describe_schema", "arguments": {}}),
        ("tools/call", {"name": "query"}),
    ):
        result = await speaker.result(method, **params)
        methods.validate_server_result(method, speaker.version, result)
        assert ("resultType" in result) == (speaker.version == CURRENT)
        assert ("ttlMs" in result) == (speaker.version == CURRENT and method == "tools/list")


@pytest.mark.parametrize("version", [*HANDSHAKE_PROTOCOL_VERSIONS, "1999-01-01"])
async def test_a_client_of_an_earlier_revision_shakes_hands(api: httpx.AsyncClient, version: str) -> None:
    params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "old", "version": "1"}}
    answer = await api.post("/mcp", json={**LIST, "method": "initialize", "params": params})
    result = answer.json()["result"]
    agreed = version if version in HANDSHAKE_PROTOCOL_VERSIONS else BEFORE
    assert result["protocolVersion"] == agreed
    assert result["capabilities"] == {"tools": {}}
    assert "Mcp-Session-Id" not in answer.headers
    done = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    headers = {"MCP-Protocol-Version": agreed, "Accept": ACCEPT}
    answer = await api.post("/mcp", json=done, headers=headers)
    assert (answer.status_code, answer.content) == (202, b"")
    assert (await api.post("/mcp", json={**LIST, "method": "ping"}, headers=headers)).json()["result"] == {}
    assert len((await api.post("/mcp", json=LIST, headers=headers)).json()["result"]["tools"]) == 6
    # The earliest clients send no header.
    assert len((await api.post("/mcp", json=LIST)).json()["result"]["tools"]) == 6


async def test_the_service_says_what_it_is(model: Speaker) -> None:
    result = await model.result("server/discover")
    methods.validate_server_result("server/discover", CURRENT, result)
    assert result["supportedVersions"] == [CURRENT]
    assert result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "skg-api"


async def test_unknown_methods_and_tools_and_wrong_params_are_errors(speaker: Speaker) -> None:
    modern = speaker.version == CURRENT
    no_method, wrong = (404, 400) if modern else (200, 200)
    for method in ("prompts/list", "no/such/method", "", "x" * 10_000, "initialize" if modern else "server/discover"):
        await error_of(await speaker.send(method), no_method, -32601)
    assert "tools/list" in await error_of(await speaker.send("tools/call", name="nothing"), wrong, -32602)
    await error_of(await speaker.send("tools/call"), wrong, -32602)
    await error_of(await speaker.send("tools/call", name=3), wrong, -32602)
    await error_of(await speaker.send("tools/call", name="query", arguments=[1]), wrong, -32602)
    assert (await speaker.call("query", arguments={}))["isError"]


HOSTILE: list[tuple[bytes, int]] = [
    (b"", -32700),
    (b"{", -32700),
    (b"\xff", -32700),
    (b'{"jsonrpc": NaN}', -32700),
    (b"[]", -32600),
    (b"[" + b'{"jsonrpc":"2.0","id":1,"method":"ping"},' * 3 + b'{"jsonrpc":"2.0","id":2,"method":"ping"}]', -32600),
    (b"null", -32600),
    (b'"ping"', -32600),
    (b"{}", -32600),
    (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600),
    (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', -32600),
    (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
    (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600),
    (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600),
    (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600),
    (b'{"jsonrpc":"2.0","id":1,"method":3}', -32600),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}', -32600),
    (b'{"jsonrpc":"2.0","id":1,"result":{}}', -32600),
    (b'{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}', -32600),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":' + b"[" * 40 + b"]" * 40 + b"}}", -32600),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":[' + b"1," * 30_000 + b"1]}}", -32600),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":0.12345678901234567890123}}', -32600),
]


@pytest.mark.parametrize(("body", "code"), HOSTILE, ids=range(len(HOSTILE)))
async def test_what_is_no_message_is_an_error(api: httpx.AsyncClient, body: bytes, code: int) -> None:
    for version in (CURRENT, BEFORE):
        headers = {"Content-Type": "application/json", "MCP-Protocol-Version": version}
        await error_of(await api.post("/mcp", content=body, headers=headers), 400, code)


@pytest.mark.parametrize(
    ("headers", "params", "code"),
    [
        ({"MCP-Protocol-Version": "2031-01-01"}, {}, -32022),
        (MODERN, {}, -32602),
        (MODERN, {"_meta": {}}, -32602),
        (MODERN, {"_meta": 1}, -32602),
        (MODERN | {"Mcp-Method": "tools/call"}, {"_meta": ENVELOPE}, -32020),
        ({"MCP-Protocol-Version": CURRENT}, {"_meta": ENVELOPE}, -32020),
        (MODERN, {"_meta": ENVELOPE | {PROTOCOL_VERSION_META_KEY: BEFORE}}, -32020),
        (MODERN | {"Mcp-Method": "=?base64?!?="}, {"_meta": ENVELOPE}, -32020),
    ],
)
async def test_headers_and_body_must_agree(
    api: httpx.AsyncClient, headers: dict[str, str], params: dict[str, Any], code: int
) -> None:
    await error_of(await api.post("/mcp", json={**LIST, "params": params}, headers=headers), 400, code)


async def test_a_header_may_come_as_base64(api: httpx.AsyncClient) -> None:
    headers = MODERN | {"Mcp-Method": "=?base64?dG9vbHMvbGlzdA==?="}
    assert (await api.post("/mcp", json={**LIST, "params": {"_meta": ENVELOPE}}, headers=headers)).status_code == 200


def assert_problem(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-ID"] == answer.json()["request_id"]


async def test_no_key_and_a_revoked_key_are_refused(anonymous: httpx.AsyncClient, issue_key: IssueKey) -> None:
    from apikeys.models import ApiKey
    from apikeys.services import key_revoke

    answer = await anonymous.post("/mcp", json=LIST)
    assert_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    anonymous.headers["Authorization"] = f"Bearer {issue_key()}"
    in_orm(lambda: key_revoke(key=ApiKey.objects.get(), actor="tests"))
    answer = await anonymous.post("/mcp", json=LIST)
    assert_problem(answer, 401)


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "QUERY"])
async def test_there_are_no_streams_and_no_sessions(api: httpx.AsyncClient, method: str) -> None:
    answer = await api.request(method, "/mcp", headers={"Accept": "text/event-stream"})
    assert_problem(answer, 405)
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://testserver", 200),
        ("https://testserver", 200),
        ("https://good.example", 200),
        ("http://evil.example", 403),
        ("http://testserver:81", 403),
        ("http://testserver.evil.example", 403),
        ("null", 403),
        ("", 403),
        ("\xe4", 403),
    ],
)
async def test_pages_of_other_origins_are_refused(
    api: httpx.AsyncClient, change_settings: ChangeSettings, origin: str, status: int
) -> None:
    change_settings(cors_origins=["https://good.example"])
    answer = await api.post("/mcp", json=LIST, headers=[(b"Origin", origin.encode("latin-1"))])
    assert answer.status_code == status, answer.text
    if status == 403:
        assert_problem(answer, 403)


async def test_where_any_host_is_answered_to_its_name_proves_nothing(api: httpx.AsyncClient, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    assert_problem(await api.post("/mcp", json=LIST, headers={"Origin": "http://testserver"}), 403)


async def test_http_refuses_other_types_and_large_bodies(
    api: httpx.AsyncClient, change_settings: ChangeSettings
) -> None:
    assert_problem(await api.post("/mcp", content=b"{}", headers={"Content-Type": "text/plain"}), 415)
    assert_problem(await api.post("/mcp", json=LIST, headers={"Accept": "text/event-stream"}), 406)
    change_settings(max_body_bytes=100)
    assert_problem(await api.post("/mcp", json=LIST | {"params": {"a": "b" * 100}}), 413)


async def test_a_call_costs_what_it_costs_over_rest(anonymous: httpx.AsyncClient, issue_key: IssueKey) -> None:
    def left(answer: httpx.Response) -> int:
        return int(answer.headers["RateLimit"].split("r=")[1].split(";")[0])

    anonymous.headers["Authorization"] = f"Bearer {issue_key(rate='20/h')}"
    model = Speaker(anonymous, CURRENT)
    pattern = ["?x", "p", "?y"]
    remaining = 20
    for cost, name, arguments in (
        (1, "describe_schema", {}),
        (3, "query", {"patterns": [pattern, pattern], "absent": [pattern]}),
        (5, "paths", {"from": "a", "to": "b"}),
        (1, "query", {"patterns": []}),
        (1, "add_facts", {"facts": [{"subject": "a", "predicate": "p", "object": "b"}]}),
    ):
        remaining -= cost
        assert left(await model.send("tools/call", name=name, arguments=arguments)) == remaining
    await model.send("tools/call", name="paths", arguments={"from": "a", "to": "b"})
    answer = await model.send("tools/call", name="paths", arguments={"from": "a", "to": "b"})
    assert_problem(answer, 429)
    assert answer.headers["Retry-After"]


async def test_calls_are_counted(model: Speaker) -> None:
    await model.call("describe_schema")
    await model.call("query")
    metrics = (await model.http.get("/metrics")).text
    assert 'skg_mcp_calls_total{outcome="answered",tool="describe_schema"}' in metrics
    assert 'skg_mcp_calls_total{outcome="refused",tool="query"}' in metrics
    assert 'endpoint="/mcp"' in metrics
