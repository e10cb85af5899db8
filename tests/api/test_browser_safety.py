"""What a browser is told about the API's answers, whatever they are."""

import httpx
import pytest

pytestmark = pytest.mark.both

CONSTANT = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}

FACT = {"subject": "a", "predicate": "p", "object": "o"}


async def answers(api: httpx.AsyncClient) -> list[httpx.Response]:
    """One answer of each kind: content, nothing, a problem, plain text."""
    added = await api.post("/triples/add", json=FACT)
    path = f"/triples/{added.json()['id']}"
    return [
        added,
        await api.get(path),
        await api.delete(path),
        await api.get(path),
        await api.post("/query", content=b"{"),
        await api.get("/stats", headers={"Authorization": "Bearer wrong"}),
        await api.get("/stats", headers={"Host": "evil.example"}),
        await api.put("/stats"),
        await api.get("/nowhere"),
        await api.get("/metrics"),
        await api.get("/health"),
    ]


@pytest.mark.in_process
async def test_every_answer_says_what_a_browser_may_do_with_it(api: httpx.AsyncClient) -> None:
    found = await answers(api)
    assert [answer.status_code for answer in found] == [201, 200, 204, 404, 415, 401, 400, 405, 404, 200, 200]
    for answer in found:
        for name, value in CONSTANT.items():
            assert answer.headers.get_list(name) == [value], (answer.request.url, name)


@pytest.mark.in_process
async def test_no_answer_sets_a_cookie_or_names_the_software(api: httpx.AsyncClient) -> None:
    for answer in await answers(api):
        for name in ("Set-Cookie", "Server", "X-Powered-By", "X-XSS-Protection"):
            assert name not in answer.headers


@pytest.mark.in_process
async def test_only_a_secure_connection_is_asked_to_stay_secure(api: httpx.AsyncClient) -> None:
    assert "Strict-Transport-Security" not in (await api.get("/health")).headers
    secure = await api.get("https://testserver/health")
    assert secure.headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"


async def test_no_origin_may_read_answers_until_one_is_named(api: httpx.AsyncClient) -> None:
    origin = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    for answer in (await api.get("/stats", headers=origin), await api.options("/stats", headers=origin)):
        assert not [name for name in answer.headers if name.startswith("access-control")]
