"""Header fields and paths on the way in: what means the same is answered the same."""

import httpx
import pytest

pytestmark = pytest.mark.in_process

QUERY = b'{"pattern": ["Kepler", null, null]}'


async def ask(api: httpx.AsyncClient, *headers: tuple[str, str]) -> httpx.Response:
    """A query with exactly these headers beside the key."""
    request = api.build_request("POST", "/query", content=QUERY)
    kept = [pair for pair in request.headers.multi_items() if pair[0] not in {"accept", "content-type"}]
    names = {name for name, _ in headers}
    defaults = () if "Content-Type" in names else (("Content-Type", "application/json"),)
    request.headers = httpx.Headers([*kept, *defaults, *headers])
    return await api.send(request)


@pytest.mark.parametrize(
    "headers",
    [
        [("Content-Type", "application/json; charset=utf-8;")],
        [("Content-Type", "application/json;\tcharset=utf-8")],
        [("Content-Type", "application/json; odata.metadata=minimal")],
        [("Accept", "text/html"), ("Accept", "application/json")],
        [("Accept", "")],
        [("Accept", ""), ("Accept", ",")],
        [("Content-Encoding", "identity")],
        [("Content-Encoding", "")],
    ],
)
async def test_what_means_the_same_is_taken(api: httpx.AsyncClient, headers: list[tuple[str, str]]) -> None:
    assert (await ask(api, *headers)).status_code == 200


@pytest.mark.parametrize("encodings", [["gzip"], ["br"], ["identity", "gzip"], ["GZIP, identity"], ["x"]])
async def test_a_body_that_is_encoded_is_refused(api: httpx.AsyncClient, encodings: list[str]) -> None:
    answer = await ask(api, *(("Content-Encoding", encoding) for encoding in encodings))
    assert (answer.status_code, answer.headers["Accept-Encoding"]) == (415, "identity")
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_accept_may_still_refuse(api: httpx.AsyncClient) -> None:
    assert (await ask(api, ("Accept", "text/html"), ("Accept", "image/png"))).status_code == 406


@pytest.mark.parametrize("path", ["/rules/%FF", "/rules/a%ED%A0%80", "/rules/%C3", "/triples/%FF", "/%FE"])
async def test_a_path_that_is_no_utf_8_means_nothing_else(api: httpx.AsyncClient, path: str) -> None:
    rule = {"name": "\ufffd", "head": ["?x", "is", "?y"], "body": [["?x", "was", "?y"]]}
    assert (await api.post("/rules", json=rule)).status_code == 201
    for method in ("GET", "PATCH", "DELETE"):
        answer = await api.request(method, path)
        assert (answer.status_code, answer.json()["detail"]) == (400, "The path is not UTF-8.")
    # The character itself is a name as any other.
    assert (await api.get("/rules/%EF%BF%BD")).json()["name"] == "\ufffd"
