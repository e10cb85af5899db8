"""What the log says of a request, and what it never says."""

from typing import Any

import httpx
import orjson
from structlog.typing import EventDict

from tests.conftest import IssueKey

FIELDS = {
    "event",
    "log_level",
    "request_id",
    "key_id",
    "ip",
    "method",
    "endpoint",
    "status",
    "duration_ms",
}
# Stands in every part of a request that a client fills.
MARK = "the-clients-own-words"


def requests(log: list[EventDict]) -> list[EventDict]:
    return [line for line in log if line["event"] == "request"]


async def test_every_request_has_one_line(api: httpx.AsyncClient, log: list[EventDict]) -> None:
    answer = await api.get("/stats", headers={"X-Request-ID": "one"})
    [line] = requests(log)
    assert set(line) == FIELDS
    key = api.headers["Authorization"].split("_")[-1]
    duration = line.pop("duration_ms")
    assert isinstance(duration, float)
    assert 0 < duration < 60_000
    assert line == {
        "event": "request",
        "log_level": "info",
        "request_id": answer.headers["X-Request-ID"],
        "key_id": key[:8],
        "ip": "127.0.0.1",
        "method": "GET",
        "endpoint": "/stats",
        "status": 200,
    }


async def test_a_request_without_a_key_has_a_line_without_one(
    anonymous: httpx.AsyncClient, log: list[EventDict]
) -> None:
    await anonymous.get("/stats")
    await anonymous.get("/nowhere")
    lines = [(line["key_id"], line["endpoint"], line["status"]) for line in requests(log)]
    assert lines == [(None, "/stats", 401), (None, "unknown", 404)]


async def test_the_endpoint_is_the_route(api: httpx.AsyncClient, log: list[EventDict]) -> None:
    await api.get("/triples/018d0c8e-9a40-8000-8000-000000000001")
    await api.post("/keys/AAAAAAAA/revoke")
    assert [line["endpoint"] for line in requests(log)] == ["/triples/{id}", "/keys/{id}/revoke"]


async def test_an_odd_method_is_not_repeated(api: httpx.AsyncClient, log: list[EventDict]) -> None:
    await api.request(MARK.upper(), "/stats")
    assert [(line["method"], line["status"]) for line in requests(log)] == [("OTHER", 405)]


async def test_no_line_holds_what_a_client_wrote(
    api: httpx.AsyncClient, issue_key: IssueKey, log: list[EventDict]
) -> None:
    fact: dict[str, Any] = {"subject": MARK, "predicate": MARK, "object": MARK, "metadata": {MARK: MARK}}
    added = await api.post("/triples/add", json=fact)
    path = f"/triples/{added.json()['id']}"
    headers = dict.fromkeys(("User-Agent", "Referer", "Cookie", "X-Forwarded-For", "X-Other"), MARK)
    await api.post("/triples/batch", json={"triples": [fact, {MARK: 1}], "skip_invalid": True}, headers=headers)
    await api.post("/triples/batch", json={"triples": [fact], "skip_duplicates": False})
    await api.post("/query", json={"pattern": [MARK, None, MARK]})
    await api.get("/triples", params={"subject": MARK, MARK: MARK})
    await api.patch(path, json={"metadata": {"k": MARK}}, headers={"If-Match": f'"{MARK}"'})
    await api.post("/query", content=f'{{"{MARK}'.encode(), headers={"Content-Type": "application/json"})
    await api.get(f"/{MARK}", headers={"Accept": MARK, "Content-Type": MARK})
    await api.get("/stats", headers={"Host": MARK})
    await api.get("/stats", headers={"Authorization": f"Bearer {MARK}"})
    await api.get("/stats", headers={"X-Request-ID": f"{MARK} "})
    assert len(requests(log)) == 11
    # But what it called its request, where that cannot be used.
    assert requests(log)[-1].pop("client_request_id") == f"{MARK} "
    text = orjson.dumps(log, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()
    assert MARK not in text


async def test_no_line_holds_a_key_or_a_part_of_its_secret(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, log: list[EventDict]
) -> None:
    key = issue_key()
    body = key.removeprefix("skg_prod_")
    for token in (key, key[:-1], key + "x", key.lower(), f"{key} {key}"):
        await anonymous.get("/keys/me", headers={"Authorization": f"Bearer {token}"})
    made = await anonymous.post(
        "/keys", json={"name": "other", "scopes": ["read"]}, headers={"Authorization": f"Bearer {key}"}
    )
    assert made.status_code == 201
    text = repr(log)
    # The public id names a key in the log; nothing behind it ever does.
    for secret in (body[8:16], body[-14:-6], body[-6:], made.json()["key"].removeprefix("skg_prod_")[8:16]):
        assert secret not in text
    assert body[:8] in text
