"""The deployment guide's limit: a hundred requests a minute for each key and endpoint."""

from time import monotonic_ns

import httpx
import pytest

from apikeys import bucket_table
from skg_site.api.rates import Rate
from tests.conftest import ChangeSettings, IssueKey

pytestmark = pytest.mark.both


@pytest.fixture
def still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """No token comes back, however long the requests of a test take."""
    now = monotonic_ns()
    monkeypatch.setattr(bucket_table, "monotonic_ns", lambda: now)


async def stats(client: httpx.AsyncClient, key: str, times: int) -> list[httpx.Response]:
    return [await client.get("/stats", headers={"Authorization": f"Bearer {key}"}) for _ in range(times)]


@pytest.mark.once
async def test_a_hundred_requests_pass_and_the_next_is_refused(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, change_settings: ChangeSettings, still_clock: None
) -> None:
    change_settings(rate_limit=Rate.parse("100"))
    *passed, refused = await stats(anonymous, issue_key(), 101)
    assert {answer.status_code for answer in passed} == {200}
    left = [int(answer.headers["RateLimit"].split(";")[1].removeprefix("r=")) for answer in passed]
    assert left == list(range(99, -1, -1))
    assert refused.status_code == 429
    assert refused.headers["RateLimit-Policy"] == '"default";q=100;w=60'
    assert refused.headers["RateLimit"] == '"default";r=0;t=1'
    assert refused.headers["Retry-After"] == "1"
    assert refused.json()["detail"] == (
        "For this key, 100 requests a minute to GET /stats are used up. SKG_RATE_LIMIT sets how many there are; "
        "an admin can also give the key a rate of its own. Expected available in 1 second."
    )


async def test_an_endpoint_that_is_used_up_leaves_the_others(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, still_clock: None
) -> None:
    key = issue_key(rate="1")
    assert [answer.status_code for answer in await stats(anonymous, key, 2)] == [200, 429]
    headers = {"Authorization": f"Bearer {key}"}
    query = await anonymous.post("/query", json={"pattern": [None, None, None]}, headers=headers)
    assert (query.status_code, query.headers["RateLimit"]) == (200, '"default";r=0;t=60')


@pytest.mark.once
async def test_a_keys_own_rate_holds_in_place_of_the_services(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, change_settings: ChangeSettings, still_clock: None
) -> None:
    change_settings(rate_limit=Rate(1, 60))
    answers = await stats(anonymous, issue_key(rate="2/h"), 3)
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert (
        answers[-1]
        .json()["detail"]
        .startswith(
            "For this key, 2 requests an hour to GET /stats are used up. "
            "That is the key's own rate, which an admin can change."
        )
    )


@pytest.mark.once
async def test_without_keys_the_limit_is_the_addresss(
    anonymous: httpx.AsyncClient, change_settings: ChangeSettings, still_clock: None
) -> None:
    change_settings(rate_limit=Rate(1, 60), enable_auth=False)
    passed, refused = [await anonymous.get("/stats") for _ in range(2)]
    assert (passed.status_code, refused.status_code) == (200, 429)
    assert refused.json()["detail"].startswith(
        "For this address, 1 request a minute to GET /stats is used up. SKG_RATE_LIMIT sets how many there are."
    )


@pytest.mark.once
async def test_a_rate_of_nought_is_no_limit(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, change_settings: ChangeSettings, still_clock: None
) -> None:
    change_settings(rate_limit=Rate.parse("0"))
    answers = await stats(anonymous, issue_key(), 110)
    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit" not in answers[-1].headers


@pytest.mark.once
async def test_probes_are_never_limited(
    anonymous: httpx.AsyncClient, change_settings: ChangeSettings, still_clock: None
) -> None:
    change_settings(rate_limit=Rate(1, 3600))
    for path in ("/health", "/ready", "/metrics"):
        assert [(await anonymous.get(path)).status_code for _ in range(3)] == [200] * 3
