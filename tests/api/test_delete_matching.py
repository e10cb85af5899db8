"""POST /triples/delete: what goes, what a dry run says of it, and what is refused."""

from collections.abc import Sequence
from typing import Any

import httpx
import jsonschema
import pytest

from tests.api.conftest import StoreFacts
from tests.api.operations import DOCUMENT
from tests.conftest import ChangeSettings, IssueKey
from tests.support.database import in_orm
from tests.triples.store.graphs import counted, tallied

pytestmark = pytest.mark.both

EVERYTHING = [None, None, None]


@pytest.fixture
def fruit(store_facts: StoreFacts) -> None:
    store_facts(
        ("apple", "is_a", "fruit", 0.9, None, 1),
        ("pear", "is_a", "fruit", 0.5, None, 1),
        ("plum", "is_a", "fruit", 0.1, None, 1),
        ("apple", "color", "red", 0.7, None, 1),
        ("pear", "color", "green", 0.0, None, 1),
    )


async def delete(
    api: httpx.AsyncClient, pattern: Sequence[str | dict[str, str] | None], **options: Any
) -> dict[str, Any]:
    answer = await api.post("/triples/delete", json={"pattern": pattern, **options})
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    documented = DOCUMENT["paths"]["/triples/delete"]["post"]["responses"]["200"]["content"]["application/json"]
    schema = {**documented["schema"], "components": DOCUMENT["components"]}
    jsonschema.validate(content, schema, cls=jsonschema.Draft202012Validator)
    return content


async def left(api: httpx.AsyncClient) -> set[tuple[str, str]]:
    rows = (await api.get("/triples", params={"limit": 1000})).json()["triples"]
    return {(row["subject"], row["predicate"]) for row in rows if not row["inferred"]}


async def test_a_variable_is_refused_and_a_constant_that_looks_like_one_can_be_written(
    api: httpx.AsyncClient, store_facts: StoreFacts
) -> None:
    store_facts(("?x", "is_a", "fruit"), ("pear", "is_a", "fruit"))
    refused = await api.post("/triples/delete", json={"pattern": ["?x", "is_a", None], "dry_run": False})
    assert (refused.status_code, refused.json()["errors"][0]["loc"]) == (422, ["pattern", 0])
    assert (await delete(api, [{"term": "?x"}, "is_a", None], dry_run=False))["facts"] == 1
    assert await left(api) == {("pear", "is_a")}


@pytest.mark.usefixtures("fruit")
@pytest.mark.parametrize(
    ("body", "going"),
    [
        ({"pattern": ["apple", None, None]}, {("apple", "is_a"), ("apple", "color")}),
        ({"pattern": [None, "is_a", None], "max_weight": 0.5}, {("pear", "is_a"), ("plum", "is_a")}),
        ({"pattern": [None, None, "fruit"], "min_weight": 0.5}, {("apple", "is_a"), ("pear", "is_a")}),
        ({"pattern": ["pear", "color", "green"]}, {("pear", "color")}),
        ({"pattern": EVERYTHING, "max_weight": 0}, {("pear", "color")}),
        ({"pattern": ["unknown", None, None]}, set()),
        ({"pattern": EVERYTHING, "added_after": "2999-01-01T00:00:00Z"}, set()),
        ({"pattern": ["pear", None, None], "added_before": "2999-01-01T00:00:00+02:00"}, {"is_a", "color"}),
        ({"pattern": EVERYTHING, "all": True}, None),
    ],
)
async def test_what_matches_goes_and_a_dry_run_says_so_before(
    api: httpx.AsyncClient, body: dict[str, Any], going: set[Any] | None
) -> None:
    before = await left(api)
    if going is None:
        going = before
    elif "is_a" in going:
        going = {("pear", predicate) for predicate in going}
    dry = await delete(api, **body)
    assert dry.pop("processing_time_ms") >= 0
    assert dry == {"dry_run": True, "facts": len(going), "complete": True, "inferred": 0}
    assert await left(api) == before
    done = await delete(api, **body, dry_run=False)
    assert done.pop("processing_time_ms") >= 0
    assert done == {"dry_run": False, "facts": len(going), "complete": True, "next_cursor": None}
    assert await left(api) == before - going
    assert in_orm(tallied) == in_orm(counted)


async def test_the_bounds_of_time_are_not_within(api: httpx.AsyncClient, fruit: None) -> None:
    rows = (await api.get("/triples")).json()["triples"]
    times = sorted(row["created_at"] for row in rows)
    assert (await delete(api, EVERYTHING, added_after=times[-1]))["facts"] == 0
    assert (await delete(api, EVERYTHING, added_before=times[0]))["facts"] == 0
    later = times[-1].replace("Z", "999Z")
    assert (await delete(api, EVERYTHING, added_before=later))["facts"] == 5


async def test_inferred_facts_lose_their_proof_as_the_dry_run_says(api: httpx.AsyncClient) -> None:
    from tests.triples.store.inferred.derived import program, run

    parts = {"name": "parts", "head": ["?x", "in", "?z"], "body": [["?x", "in", "?y"], ["?y", "in", "?z"]]}
    for subject, object_ in ("ab", "bc", "cd"):
        await api.post("/triples/add", json={"subject": subject, "predicate": "in", "object": object_})
    in_orm(lambda: run(program(parts)))
    assert (await delete(api, ["b", None, None]))["inferred"] == 3
    assert (await delete(api, ["c", "in", None]))["inferred"] == 2
    await delete(api, ["c", "in", None], dry_run=False)
    rows = (await api.get("/triples")).json()["triples"]
    assert {(row["subject"], row["object"]) for row in rows} == {("a", "b"), ("b", "c"), ("a", "c")}
    assert (await delete(api, ["b", None, None]))["inferred"] == 1


async def test_when_all_inferred_facts_would_be_hidden_none_is_counted(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.triples.store.inferred.derived import TRANSITIVE, program, run

    monkeypatch.setattr("triples.store.inferred.dependents.MOST_FACTS", 1)
    for subject, object_ in ("ab", "bc", "cd"):
        await api.post("/triples/add", json={"subject": subject, "predicate": "p", "object": object_})
    in_orm(lambda: run(program(TRANSITIVE)))
    assert (await delete(api, ["b", None, None]))["inferred"] is None


async def test_past_its_time_a_deletion_says_where_to_go_on(
    api: httpx.AsyncClient,
    store_facts: StoreFacts,
    change_settings: ChangeSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # In no time at all the key could not be read again.
    monkeypatch.setattr("apikeys.key_cache.FRESH_SECONDS", 60)
    store_facts(*((f"s{number}", "p", "o", 1 - number / 2000, None, 1) for number in range(1_200)))
    assert len(await left(api)) == 1_000
    gone, cursor, requests, left_out = 0, None, 0, [1_200, 700, 200]
    while requests == 0 or cursor is not None:
        # From the place that a cursor names, nothing is gone yet.
        change_settings(query_timeout=30.0)
        assert (await delete(api, [None, "p", None], cursor=cursor))["facts"] == left_out[requests]
        change_settings(query_timeout=0.0)
        done = await delete(api, [None, "p", None], dry_run=False, cursor=cursor)
        gone, cursor, requests = gone + done["facts"], done["next_cursor"], requests + 1
        assert done["complete"] == (cursor is None)
    assert (gone, requests) == (1_200, 3)
    assert await left(api) == set()


@pytest.mark.once
@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"pattern": EVERYTHING}, ["pattern"]),
        ({"pattern": EVERYTHING, "min_weight": 0, "max_weight": 1}, ["pattern"]),
        ({"pattern": EVERYTHING, "dry_run": False, "all": False}, ["pattern"]),
        ({"pattern": [None, None]}, ["pattern", 2]),
        ({"pattern": ["a", None, None], "all": 1}, ["all"]),
        ({"pattern": ["a", None, None], "dry_run": "false"}, ["dry_run"]),
        ({"pattern": ["a", None, None], "max_weight": 1.5}, ["max_weight"]),
        ({"pattern": ["a", None, None], "added_after": "yesterday"}, ["added_after"]),
        ({"pattern": ["a", None, None], "added_after": "2024-01-15"}, ["added_after"]),
        ({"pattern": ["a", None, None], "added_after": "2024-01-15T10:30:00"}, ["added_after"]),
        ({"pattern": ["a", None, None], "added_after": "2024-02-30T10:30:00Z"}, ["added_after"]),
        ({"pattern": ["a", None, None], "added_before": 1_700_000_000}, ["added_before"]),
        ({"pattern": ["a", None, None], "cursor": "xyz", "dry_run": False}, ["cursor"]),
        ({"pattern": ["a", None, None], "k": 10}, ["k"]),
    ],
)
async def test_bad_input_is_named_and_deletes_nothing(
    api: httpx.AsyncClient, fruit: None, body: dict[str, Any], loc: list[Any]
) -> None:
    answer = await api.post("/triples/delete", json=body)
    assert answer.status_code == 422
    assert [fault["loc"] for fault in answer.json()["errors"]] == [loc]
    assert len(await left(api)) == 5


async def test_a_key_that_may_only_read_deletes_nothing_and_sees_nothing(
    api: httpx.AsyncClient, fruit: None, issue_key: IssueKey
) -> None:
    reading = {"Authorization": f"Bearer {issue_key(scopes=['read'])}"}
    for dry_run in (True, False):
        body = {"pattern": ["apple", None, None], "dry_run": dry_run}
        assert (await api.post("/triples/delete", json=body, headers=reading)).status_code == 403
    assert len(await left(api)) == 5


@pytest.mark.once
async def test_a_made_up_cursor_deletes_nothing_that_does_not_match(api: httpx.AsyncClient, fruit: None) -> None:
    from triples.http.deletions import CURSOR

    for weight in (2.0, 1.0, 0.6, -1.0, float("nan"), float("inf"), float("-inf")):
        cursor = CURSOR.encode(weight, -(2**63))
        await delete(api, EVERYTHING, max_weight=0.5, min_weight=0.2, dry_run=False, cursor=cursor)
        await delete(api, ["plum", "color", None], dry_run=False, cursor=cursor)
    assert await left(api) >= {("apple", "is_a"), ("plum", "is_a"), ("apple", "color"), ("pear", "color")}
