"""The data of the explorer: users who may view facts read what the API answers to a key, and others nothing."""

from typing import Any, NamedTuple

import httpx
import pytest

from tests.conftest import IssueKey
from tests.triples.explorer.conftest import VIEW, LogIn

pytestmark = pytest.mark.both

DATA = "/explorer/data"


class Ask(NamedTuple):
    method: str
    path: str
    body: dict[str, Any] | None = None

    async def send(self, client: httpx.AsyncClient, base: str = DATA) -> httpx.Response:
        return await client.request(self.method, base + self.path, json=self.body)


ASKED = [
    Ask("GET", "/terms?search=ul"),
    Ask("GET", "/triples?subject=Ulm&limit=2"),
    Ask("POST", "/query/neighbours", {"term": "Ulm", "k": 2, "include_counts": True}),
    Ask("POST", "/query/patterns", {"patterns": [["?x", "located_in", "?y"]], "include_facts": True}),
    Ask("POST", "/query/paths", {"from": "Ulm", "to": "Europe"}),
]


def timeless(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return {name: value for name, value in answer.json().items() if name != "query_time_ms"}


async def ids(client: httpx.AsyncClient) -> dict[bool, str]:
    """An id of each kind of fact."""
    page = timeless(await client.get(f"{DATA}/triples?subject=Ulm&predicate=located_in"))
    return {fact["inferred"]: fact["id"] for fact in page["triples"]}


def assert_problem(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["detail"]
    assert len(problem["request_id"]) == 32


async def test_users_read_what_keys_read(log_in: LogIn, issue_key: IssueKey) -> None:
    client = log_in(*VIEW)
    found = await ids(client)
    asked = [*ASKED, *(Ask("GET", f"/triples/{id_}{more}") for id_ in found.values() for more in ("", "/explain"))]
    for ask in asked:
        answer = await ask.send(client)
        assert answer.headers["Cache-Control"] == "no-store"
        client.headers["Authorization"] = f"Bearer {issue_key(scopes=['read'])}"
        assert timeless(answer) == timeless(await ask.send(client, ""))
        del client.headers["Authorization"]


async def test_the_answers_show_each_fact_once(log_in: LogIn) -> None:
    patterns = [["?x", "located_in", "?y"], ["?x", "twin_of", "?z"]]
    ask = Ask("POST", "/query/patterns", {"patterns": patterns, "include_facts": True})
    found = timeless(await ask.send(log_in(*VIEW)))
    named = [fact for result in found["results"] for fact in result["facts"]]
    assert len(named) == 4
    assert [fact["id"] for fact in found["facts"]] == list(dict.fromkeys(named))
    assert [(one["predicate"], one["weight"], one["inferred"]) for one in found["facts"]] == [
        ("located_in", 0.5, False),
        ("twin_of", 0.75, False),
        ("located_in", 0.25, True),
    ]


@pytest.mark.once
async def test_nobody_else_reads_anything(anonymous: httpx.AsyncClient, log_in: LogIn) -> None:
    anonymous.headers["X-CSRFToken"] = token = "t" * 32
    anonymous.cookies.set("csrftoken", token, domain="testserver.local")
    for ask in ASKED:
        answer = await ask.send(anonymous)
        assert_problem(answer, 401)
        assert answer.headers["WWW-Authenticate"].startswith("Session")


@pytest.mark.once
@pytest.mark.parametrize(("permissions", "staff"), [((), True), (("view_term",), True), (VIEW, False)])
async def test_users_who_may_not_view_facts_are_refused(
    log_in: LogIn, permissions: tuple[str, ...], staff: bool
) -> None:
    client = log_in(*permissions, staff=staff)
    for ask in ASKED:
        assert_problem(await ask.send(client), 403)


@pytest.mark.once
async def test_a_question_needs_the_token_of_the_page(log_in: LogIn) -> None:
    client = log_in(*VIEW)
    del client.headers["X-CSRFToken"]
    for ask in ASKED:
        answer = await ask.send(client)
        assert answer.status_code == (200 if ask.method == "GET" else 403)


async def test_inferred_facts_have_a_permission_of_their_own(log_in: LogIn, issue_key: IssueKey) -> None:
    client = log_in("view_triple")
    key = {"Authorization": f"Bearer {issue_key(scopes=['read'])}"}
    [inferred] = (await client.get("/triples?inferred=true", headers=key)).json()["triples"]
    for path in (inferred["id"], f"{inferred['id']}/explain"):
        assert_problem(await client.get(f"{DATA}/triples/{path}"), 404)
    assert timeless(await client.get(f"{DATA}/triples?inferred=true")) == {"triples": [], "next_cursor": None}
    assert len(timeless(await client.get(f"{DATA}/triples"))["triples"]) == 3
    for ask in ASKED[2:]:
        assert '"inferred":true' not in (await ask.send(client)).text
    around = timeless(await Ask("POST", "/query/neighbours", {"term": "Ulm"}).send(client))
    assert len(around["facts"]) == 2


@pytest.mark.once
@pytest.mark.parametrize(
    ("ask", "status"),
    [
        (Ask("GET", "/terms"), 422),
        (Ask("GET", "/terms?search=%00"), 422),
        (Ask("GET", "/terms?search=a&search=b"), 422),
        (Ask("GET", "/terms?search=%ff"), 400),
        (Ask("GET", "/terms?search=a&limit=101"), 422),
        (Ask("POST", "/terms", {}), 405),
        (Ask("GET", "/triples?cursor=00"), 422),
        (Ask("GET", "/triples?limit=0"), 422),
        (Ask("GET", "/triples?nothing=1"), 422),
        (Ask("GET", "/triples/00000000-0000-0000-0000-000000000000"), 404),
        (Ask("GET", "/triples/00000000-0000-0000-0000-000000000000/explain"), 404),
        (Ask("GET", "/query/neighbours"), 405),
        (Ask("POST", "/query/neighbours", {}), 422),
        (Ask("POST", "/query/neighbours", {"term": "a", "k": 1_000_000}), 422),
        (Ask("POST", "/query/neighbours", {"term": "a", "more": 1}), 422),
        (Ask("POST", "/query/patterns", {"patterns": [["?x", "?y"]]}), 422),
        (Ask("POST", "/query/patterns", {"patterns": [["?x", "p", "?y"], ["?a", "p", "?b"]]}), 422),
        (Ask("POST", "/query/patterns", {"patterns": [["?x", "p", "?y"]], "cursor": "ff"}), 422),
        (Ask("POST", "/query/paths", {"from": "Ulm", "to": "Ulm"}), 422),
    ],
)
async def test_what_makes_no_sense_is_refused(log_in: LogIn, ask: Ask, status: int) -> None:
    assert_problem(await ask.send(log_in(*VIEW)), status)


@pytest.mark.once
@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"[", "application/json", 400),
        (b"[" * 40 + b"]" * 40, "application/json", 422),
        (b'{"term": "a", "term": "b"}', "application/json", 422),
        (b'{"term": "Ulm"}', "text/plain", 415),
        (b"", "application/json", 400),
        (b"[%b1]" % (b"1," * 20_001), "application/json", 422),
        (b'"%b"' % (b"a" * 3_000_000), "application/json", 400),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(log_in: LogIn, body: bytes, kind: str, status: int) -> None:
    client = log_in(*VIEW)
    answer = await client.post(f"{DATA}/query/neighbours", content=body, headers={"Content-Type": kind})
    assert_problem(answer, status)
