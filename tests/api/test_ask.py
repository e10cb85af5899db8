"""POST /query/patterns and /query/paths: questions that need several facts."""

import asyncio
from typing import Any

import httpx
import jsonschema
import pytest

from skg_site.api.rates import Rate
from tests.api.conftest import StoreFacts
from tests.api.operations import DOCUMENT
from tests.api.test_inferred import rerun
from tests.conftest import ChangeSettings, IssueKey
from triples.services.graph import graph
from triples.store.reader import Reader

pytestmark = pytest.mark.both

COLLEAGUES = [("?c", "colleague_of", "?p"), ("?p", "won", "Nobel_Prize")]


@pytest.fixture
def people(store_facts: StoreFacts) -> None:
    store_facts(
        ("Grossmann", "colleague_of", "Einstein", 0.9),
        ("Besso", "colleague_of", "Einstein", 0.7),
        ("Curie", "colleague_of", "Perrin", 0.8),
        ("Perrin", "colleague_of", "Curie", 0.8),
        ("Einstein", "colleague_of", "Nobody", 0.0),
        ("Einstein", "won", "Nobel_Prize", 1.0),
        ("Curie", "won", "Nobel_Prize", 1.0),
        ("Perrin", "won", "Nobel_Prize", 0.5),
        ("Grossmann", "born_in", "Budapest", 1.0),
        ("Besso", "born_in", "Zurich", 1.0),
        ("Besso", "died_in", "Geneva", 1.0),
        ("Besso", "age", "81", 1.0),
        ("Grossmann", "age", "9", 1.0),
    )


async def ask(api: httpx.AsyncClient, **question: Any) -> dict[str, Any]:
    answer = await api.post("/query/patterns", json=question)
    return checked(answer, "/query/patterns")


def checked(answer: httpx.Response, route: str) -> dict[str, Any]:
    """The answer's content, which is as it is documented."""
    assert answer.status_code == 200, answer.text
    documented = DOCUMENT["paths"][route]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.validate(answer.json(), documented | {"components": DOCUMENT["components"]})
    content: dict[str, Any] = answer.json()
    return content


def rows(content: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [tuple(result["bindings"].values()) for result in content["results"]]


@pytest.mark.usefixtures("people")
async def test_a_join_has_the_heaviest_products_first(api: httpx.AsyncClient) -> None:
    found = await ask(api, patterns=COLLEAGUES)
    assert found["variables"] == ["?c", "?p"]
    assert rows(found) == [
        ("Grossmann", "Einstein"),
        ("Perrin", "Curie"),
        ("Besso", "Einstein"),
        ("Curie", "Perrin"),
    ]
    assert [result["weight"] for result in found["results"]] == [0.9, 0.8, 0.7, 0.4]
    assert found["next_cursor"] is None
    assert "complete_above" not in found


@pytest.mark.usefixtures("people")
async def test_pages_together_are_the_whole(api: httpx.AsyncClient) -> None:
    whole = await ask(api, patterns=COLLEAGUES, k=100)
    found: list[Any] = []
    cursor = None
    while True:
        page = await ask(api, patterns=COLLEAGUES, k=3, cursor=cursor)
        found += page["results"]
        if (cursor := page["next_cursor"]) is None:
            break
    assert found == whole["results"]


@pytest.mark.parametrize(
    ("clauses", "expected"),
    [
        ({"filter": [["?c", "!=", "?p"], ["?c", "starts_with", "g"]]}, [("Grossmann", "Einstein")]),
        ({"filter": [["?c", "in", ["Besso", "Curie"]]]}, [("Besso", "Einstein"), ("Curie", "Perrin")]),
        ({"absent": [["?c", "won", "Nobel_Prize"]]}, [("Grossmann", "Einstein"), ("Besso", "Einstein")]),
        # The fact of weight 0 counts as absent.
        ({"absent": [["?p", "colleague_of", "?x"]], "select": ["?p"]}, [("Einstein",)]),
        (
            {"optional": [[["?c", "born_in", "?b"], ["?c", "died_in", "?d"]]], "select": ["?c", "?b"], "k": 3},
            [("Grossmann", None), ("Perrin", None), ("Besso", "Zurich")],
        ),
        ({"optional": [[["?c", "born_in", "?b"]]], "filter": [["?b", "contains", "DAP"]]}, [("Grossmann", "Einstein")]),
        (
            {"patterns": [*COLLEAGUES, ("?c", "age", "?a")], "filter": [["?a", "<", 10]], "select": ["?c"]},
            [("Grossmann",)],
        ),
        ({"select": ["?p"]}, [("Einstein",), ("Curie",), ("Perrin",)]),
        ({"min_weight": 0.7}, [("Grossmann", "Einstein"), ("Perrin", "Curie"), ("Besso", "Einstein")]),
        ({"patterns": [[{"term": "?c"}, "colleague_of", None]]}, []),
        ({"patterns": [["?c", "no_such_predicate", "?p"]]}, []),
        ({"patterns": [["Curie", "won", "Nobel_Prize"]]}, [()]),
    ],
)
@pytest.mark.usefixtures("people")
async def test_each_clause_does_what_it_says(
    api: httpx.AsyncClient, clauses: dict[str, Any], expected: list[tuple[Any, ...]]
) -> None:
    assert rows(await ask(api, **({"patterns": COLLEAGUES} | clauses))) == expected


@pytest.mark.usefixtures("people")
async def test_answers_are_counted_and_grouped(api: httpx.AsyncClient) -> None:
    assert (await ask(api, patterns=COLLEAGUES, k=1, count=True))["total"] == 4
    groups = await ask(api, patterns=COLLEAGUES, group_by=["?p"])
    assert [(*result["bindings"].values(), result["count"], result["weight"]) for result in groups["results"]] == [
        ("Einstein", 2, 0.9),
        ("Curie", 1, 0.8),
        ("Perrin", 1, 0.4),
    ]
    first = await ask(api, patterns=COLLEAGUES, group_by=["?p"], k=1)
    assert (first["results"], first["groups_left_out"]) == (groups["results"][:1], 2)


async def test_whether_anything_matches_is_told_by_the_first_facts(
    api: httpx.AsyncClient, store_facts: StoreFacts
) -> None:
    """A question without variables has one answer, so no second one is looked for among all facts."""
    store_facts(*((f"a{number}", "p", f"b{number}", number % 7 / 7) for number in range(1000)))
    found = await ask(api, patterns=[[None, "p", None]], explain=True, count=True)
    assert ([result["bindings"] for result in found["results"]], found["next_cursor"], found["total"]) == (
        [{}],
        None,
        1,
    )
    assert found["plan"]["facts_read"] < 500


async def test_inferred_facts_count_unless_they_are_not_wanted(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    store_facts(("Ulm", "located_in", "Germany"), ("Germany", "located_in", "Europe"), ("Einstein", "born_in", "Ulm"))
    rerun()
    patterns = [["?x", "born_in", "?y"], ["?y", "located_in", "Europe"]]
    found = await ask(api, patterns=patterns, include_facts=True)
    assert rows(found) == [("Einstein", "Ulm")]
    for id_, inferred in zip(found["results"][0]["facts"], [False, True], strict=True):
        assert (await api.get(f"/triples/{id_}")).json()["inferred"] is inferred
    assert rows(await ask(api, patterns=patterns, include_inferred=False)) == []
    path = {"from": "Ulm", "to": "Europe", "order": "length"}
    found = checked(await api.post("/query/paths", json=path), "/query/paths")
    assert [(one["length"], one["weight"], one["facts"][0]["inferred"]) for one in found["paths"]] == [(1, 0.5, True)]


@pytest.mark.usefixtures("people")
async def test_the_plan_is_shown(api: httpx.AsyncClient) -> None:
    plan = (await ask(api, patterns=COLLEAGUES, explain=True))["plan"]
    assert {tuple(step["pattern"]) for step in plan["steps"]} == set(COLLEAGUES)
    assert plan["steps"][0] == {"pattern": ["?p", "won", "Nobel_Prize"], "facts": 3, "estimate": 3.0}
    assert (plan["way"], plan["facts_read"]) == ("in parts", 8)


@pytest.mark.usefixtures("people")
async def test_paths_are_found_whichever_way_the_facts_point(api: httpx.AsyncClient) -> None:
    asked = {"from": "Besso", "to": "Curie", "k": 2}
    found = checked(await api.post("/query/paths", json=asked), "/query/paths")
    outline = [
        (path["weight"], [(fact["subject"], fact["predicate"], fact["reversed"]) for fact in path["facts"]])
        for path in found["paths"]
    ]
    start = [("Besso", "colleague_of", False), ("Einstein", "won", False)]
    assert outline == [
        (0.7, [*start, ("Curie", "won", True)]),
        (0.28, [*start, ("Perrin", "won", True), ("Perrin", "colleague_of", False)]),
    ]
    for narrowed in ({"direction": "out"}, {"max_length": 2}, {"predicates": ["won"]}, {"min_weight": 0.71}):
        assert checked(await api.post("/query/paths", json=asked | narrowed), "/query/paths")["paths"] == []


@pytest.mark.once
@pytest.mark.parametrize(
    ("route", "body", "place"),
    [
        ("patterns", {}, ["patterns"]),
        ("patterns", {"patterns": []}, ["patterns"]),
        ("patterns", {"patterns": [["?x", "p", "?y"]] * 9}, ["patterns"]),
        ("patterns", {"patterns": [["?x", "p"]]}, ["patterns", 0]),
        ("patterns", {"patterns": [["?x", "p", 1]]}, ["patterns", 0, 2]),
        ("patterns", {"patterns": [["?x y", "p", "o"]]}, ["patterns", 0, 0]),
        ("patterns", {"patterns": [["?x", "p" * 501, "?y"]]}, ["patterns", 0, 1]),
        ("patterns", {"patterns": [["?x", "p", "?y"], ["?z", "p", "?w"]]}, ["patterns", 1]),
        ("patterns", {"patterns": [["?x", "p", "?y"]], "select": ["?z"]}, ["select", 0]),
        ("patterns", {"patterns": [["?x", "p", "?y"]], "select": ["?x", "?x"]}, ["select", 1]),
        ("patterns", {"patterns": [["?x", "p", "?y"]], "select": []}, ["select"]),
        ("patterns", {"patterns": [["?x", "p", "?y"]], "filter": [["?z", "=", "a"]]}, ["filter", 0, 0]),
        ("patterns", {"patterns": [["?x", "p", "?y"]], "filter": [["?x", "~", "a"]]}, ["filter", 0, 1]),
        ("patterns", {"patterns": [["?x", "p", "?y"]], "filter": [["?x", "in", "a"]]}, ["filter", 0, 2]),
        ("patterns", {"patterns": [["?x", "p", "?y"]], "filter": [["?x", "=", True]]}, ["filter", 0, 2]),
        ("patterns", {"patterns": [["?x", "p", "?y"]], "optional": [[["?z", "p", "?w"]]]}, ["optional", 0, 0]),
        ("patterns", {"patterns": [["?x", "p", "?y"]], "absent": [["?z", "p", "?w"]]}, ["absent", 0]),
        ("patterns", {"patterns": [["?x", "p", "?y"]], "cursor": "00" * 8}, ["cursor"]),
        ("patterns", {"patterns": [["?x", "p", "?y"]], "group_by": ["?x"], "count": True}, ["count"]),
        ("patterns", {"patterns": [["?x", "p", "?y"]], "k": 0}, ["k"]),
        ("patterns", {"patterns": [["?x", "p", "?y"]], "limit": 5}, ["limit"]),
        ("paths", {"from": "a"}, ["to"]),
        ("paths", {"from": "a", "to": "a"}, ["to"]),
        ("paths", {"from": "a", "to": "b", "max_length": 11}, ["max_length"]),
        ("paths", {"from": "a", "to": "b", "direction": "up"}, ["direction"]),
        ("paths", {"from": "a", "to": "b", "predicates": []}, ["predicates"]),
        ("paths", {"from": "?x", "to": "b"}, ["from"]),
        ("paths", {"from": "a", "to": " ?x"}, ["to"]),
        ("paths", {"from": "a", "to": "b", "predicates": ["p", "?p"]}, ["predicates", 1]),
        ("paths", {"from": "a", "to": {"term": ""}}, ["to"]),
        ("paths", {"from": "a", "to": {"text": "b"}}, ["to"]),
        ("neighbours", {"term": "?x"}, ["term"]),
        ("neighbours", {"term": "?x y"}, ["term"]),
        ("neighbours", {"term": 1}, ["term"]),
    ],
)
async def test_a_bad_question_is_refused_with_the_place(
    api: httpx.AsyncClient, route: str, body: dict[str, Any], place: list[Any]
) -> None:
    answer = await api.post(f"/query/{route}", json=body)
    assert answer.status_code == 422, answer.text
    assert place in [fault["loc"] for fault in answer.json()["errors"]]


async def test_a_term_that_begins_with_a_question_mark_is_written_as_an_object(
    api: httpx.AsyncClient, store_facts: StoreFacts
) -> None:
    store_facts(("?why", "?asks", "Ann"), ("Ann", "knows", "Bob"))
    why = {"term": "?why"}
    around = checked(await api.post("/query/neighbours", json={"term": why}), "/query/neighbours")
    assert (around["term"], [fact["object"] for fact in around["facts"]]) == ("?why", ["Ann"])
    asked = {"from": why, "to": {"term": "Bob"}, "predicates": [{"term": "?asks"}, "knows"]}
    [path] = checked(await api.post("/query/paths", json=asked), "/query/paths")["paths"]
    assert path["length"] == 2
    refused = await api.post("/query/neighbours", json={"term": "?why"})
    assert refused.json()["errors"][0]["msg"] == (
        "must be a term: a variable such as ?why is not possible here; "
        'the constant that begins with a question mark is written {"term": "?why"}'
    )


async def test_a_question_costs_a_token_for_each_pattern(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, change_settings: ChangeSettings
) -> None:
    change_settings(rate_limit=Rate(5, 3600))
    headers = {"Authorization": f"Bearer {issue_key()}"}
    body = {"patterns": [["?x", "p", "?y"], ["?y", "p", "?z"]], "absent": [["?z", "p", "?x"]]}
    answers = [await anonymous.post("/query/patterns", json=body, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[0].headers["RateLimit"].startswith('"default";r=2;')
    assert answers[1].headers["RateLimit"].startswith('"default";r=0;')
    assert answers[1].json()["title"] == "Too Many Requests"


async def test_what_costs_more_than_the_bucket_holds_takes_all_of_it(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, change_settings: ChangeSettings
) -> None:
    change_settings(rate_limit=Rate(2, 3600))
    headers = {"Authorization": f"Bearer {issue_key()}"}
    answers = [await anonymous.post("/query/paths", json={"from": "a", "to": "b"}, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]


async def test_a_search_that_runs_out_of_time_answers_what_it_has(
    api: httpx.AsyncClient, store_facts: StoreFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triples.services.graph.PART_OF_TIME", 0.0)
    store_facts(("a", "p", "b"))
    assert (await ask(api, patterns=[["?x", "p", "?y"]], count=True))["complete_above"] == 1.0
    path = checked(await api.post("/query/paths", json={"from": "a", "to": "b"}), "/query/paths")
    assert path["complete_above"] == 1.0
    answer = await api.post("/query/patterns", json={"patterns": [["?x", "p", "?y"]], "group_by": ["?x"]})
    assert answer.status_code == 503


# It has so many answers that nobody can wait for all of them to be counted.
ENDLESS = {
    "patterns": [[f"?a{place}", "p", f"?b{place}"] for place in range(6)],
    "allow_cross_product": True,
    "group_by": ["?a0"],
}


@pytest.fixture
def many(store_facts: StoreFacts) -> None:
    store_facts(*((f"a{number}", "p", f"b{number}") for number in range(40)))


@pytest.mark.in_process
@pytest.mark.usefixtures("many")
async def test_nothing_goes_on_for_a_client_that_is_gone(api: httpx.AsyncClient) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await api.post("/query/patterns", json=ENDLESS)
    await until_idle()


@pytest.mark.usefixtures("many")
async def test_a_key_that_is_revoked_ends_the_questions_that_it_asked(
    api: httpx.AsyncClient, anonymous: httpx.AsyncClient, issue_key: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skg_site.api.views.LOOK_AGAIN_SECONDS", 0.05)
    headers = {"Authorization": f"Bearer {issue_key()}"}
    own = (await anonymous.get("/keys/me", headers=headers)).json()["id"]
    asking = asyncio.create_task(anonymous.post("/query/patterns", json=ENDLESS, headers=headers))
    await asyncio.wait({asking}, timeout=0.2)
    assert (await api.post(f"/keys/{own}/revoke")).status_code == 200
    assert (await asking).status_code == 401
    await until_idle()


async def until_idle() -> None:
    """Wait until no thread reads the graph."""
    reader = graph.running.long
    assert isinstance(reader, Reader)
    async with asyncio.timeout(10):
        while reader.depth or any(worker._job for worker in reader._workers):
            await asyncio.sleep(0.02)
