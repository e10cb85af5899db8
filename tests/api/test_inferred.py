"""Inferred facts over HTTP: among the others, one by one, and explained."""

from typing import Any
from uuid import UUID

import httpx
import jsonschema
import pytest

from tests.api.operations import DOCUMENT
from tests.support.database import in_orm
from triples import ids

pytestmark = pytest.mark.both

LOCATED = {
    "name": "located_in is transitive",
    "weight": 0.5,
    "head": ["?x", "located_in", "?z"],
    "body": [["?x", "located_in", "?y"], ["?y", "located_in", "?z"]],
}
FACTS = [("Ulm", "Germany"), ("Germany", "Europe"), ("Europe", "Earth")]


@pytest.fixture
async def places(api: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client of a graph of three facts, from which three more follow."""
    for subject, object_ in FACTS:
        await api.post("/triples/add", json={"subject": subject, "predicate": "located_in", "object": object_})
    rerun()
    return api


def rerun() -> None:
    from tests.triples.store.inferred.derived import program, run

    in_orm(lambda: run(program(LOCATED)))


async def ask(api: httpx.AsyncClient, *pattern: str | None, **options: Any) -> dict[str, Any]:
    answer = await api.post("/query", json={"pattern": pattern, **options})
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


async def inferred_id(api: httpx.AsyncClient, subject: str, object_: str) -> str:
    [found] = (await ask(api, subject, None, object_))["results"]
    assert found["inferred"]
    return str(found["id"])


def outline(rows: list[dict[str, Any]]) -> list[tuple[str, str, float, bool]]:
    return [(row["subject"], row["object"], row["weight"], row["inferred"]) for row in rows]


def checked(answer: httpx.Response, route: str) -> Any:
    """The answer's content, which is as it is documented."""
    assert answer.status_code == 200, answer.text
    documented = DOCUMENT["paths"][route]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    schema = {**documented, "components": DOCUMENT["components"]}
    jsonschema.validate(answer.json(), schema, cls=jsonschema.Draft202012Validator)
    return answer.json()


async def test_a_query_shows_both_in_one_order(places: httpx.AsyncClient) -> None:
    found = await ask(places, "Ulm", None, None)
    assert outline(found["results"]) == [
        ("Ulm", "Germany", 1.0, False),
        ("Ulm", "Europe", 0.5, True),
        ("Ulm", "Earth", 0.25, True),
    ]
    assert found["total"] == 3
    assert outline((await ask(places, "Ulm", None, None, k=2))["results"]) == outline(found["results"])[:2]
    assert (await ask(places, "Ulm", None, None, k=1, min_weight=0.5))["total"] == 2


async def test_a_query_can_do_without(places: httpx.AsyncClient) -> None:
    found = await ask(places, "Ulm", None, None, include_inferred=False)
    assert found["total"] == 1
    assert set(found["results"][0]) == {"id", "subject", "predicate", "object", "weight"}


async def test_an_inferred_fact_has_no_metadata(places: httpx.AsyncClient) -> None:
    [_, second, _] = (await ask(places, "Ulm", None, None, include_metadata=True))["results"]
    assert second["metadata"] == {}


async def test_an_inferred_fact_is_fetched_by_its_id(places: httpx.AsyncClient) -> None:
    path = f"/triples/{await inferred_id(places, 'Ulm', 'Earth')}"
    answer = await places.get(path)
    content = checked(answer, "/triples/{id}")
    assert content.pop("created_at") == (await places.get("/stats")).json()["inferred_at"]
    assert content == {
        "id": path.removeprefix("/triples/"),
        "subject": "Ulm",
        "predicate": "located_in",
        "object": "Earth",
        "weight": 0.25,
        "metadata": {},
        "source": "inferred",
        "updated_at": None,
        "inferred": True,
        "depth": 2,
        "rule": "located_in is transitive",
    }
    assert answer.headers["ETag"]


async def test_the_id_of_an_inferred_fact_is_the_same_after_every_run(places: httpx.AsyncClient) -> None:
    before = await inferred_id(places, "Ulm", "Europe")
    rerun()
    assert await inferred_id(places, "Ulm", "Europe") == before
    assert ids.unpack_inferred(UUID(before))


async def test_a_fact_that_is_asserted_is_inferred_no_more(places: httpx.AsyncClient) -> None:
    old = await inferred_id(places, "Ulm", "Europe")
    body = {"subject": "Ulm", "predicate": "located_in", "object": "Europe", "weight": 0.75}
    assert (await places.post("/triples/add", json=body)).json()["status"] == "inserted"
    assert outline((await ask(places, "Ulm", None, "Europe"))["results"]) == [("Ulm", "Europe", 0.75, False)]
    for path in (f"/triples/{old}", f"/triples/{old}/explain"):
        assert (await places.get(path)).status_code == 404


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_an_inferred_fact_cannot_be_changed(places: httpx.AsyncClient, method: str) -> None:
    path = f"/triples/{await inferred_id(places, 'Ulm', 'Europe')}"
    body = {"weight": 1} if method == "PATCH" else None
    answer = await places.request(method, path, json=body)
    assert answer.status_code == 409
    assert "inferred fact" in answer.json()["detail"]
    assert (await places.get(path)).status_code == 200
    stranger = f"/triples/{ids.pack_inferred(1, 2, 2**36 - 1)}"
    assert (await places.request(method, stranger, json=body)).status_code == 404


@pytest.mark.parametrize(
    ("inferred", "expected"), [({}, 6), ({"inferred": "true"}, 3), ({"inferred": "false"}, 3)], ids=str
)
@pytest.mark.parametrize("limit", [1, 2, 4, 6])
async def test_a_list_shows_either_kind_in_pages(
    places: httpx.AsyncClient, inferred: dict[str, str], expected: int, limit: int
) -> None:
    rows: list[dict[str, Any]] = []
    parameters: dict[str, Any] = {"limit": limit, **inferred}
    while True:
        content = checked(await places.get("/triples", params=parameters), "/triples")
        rows += content["triples"]
        if content["next_cursor"] is None:
            break
        parameters["cursor"] = content["next_cursor"]
    both = (await ask(places, None, None, None))["results"]
    assert len(rows) == expected
    wanted = [row for row in both if not inferred or row["inferred"] == (inferred["inferred"] == "true")]
    assert [row["id"] for row in rows] == [row["id"] for row in wanted]


async def test_what_rests_on_a_deleted_fact_is_shown_no_more(places: httpx.AsyncClient) -> None:
    path = f"/triples/{await inferred_id(places, 'Ulm', 'Earth')}"
    [asserted] = (await ask(places, "Germany", None, "Europe"))["results"]
    assert (await places.delete(f"/triples/{asserted['id']}")).status_code == 204
    found = await ask(places, None, None, None)
    assert outline(found["results"]) == [("Ulm", "Germany", 1.0, False), ("Europe", "Earth", 1.0, False)]
    assert found["total"] == 2
    assert (await places.get("/triples", params={"inferred": "true"})).json()["triples"] == []
    for gone in (path, f"{path}/explain"):
        assert (await places.get(gone)).status_code == 404


async def test_an_explanation_goes_down_to_asserted_facts(places: httpx.AsyncClient) -> None:
    path = f"/triples/{await inferred_id(places, 'Ulm', 'Earth')}/explain"
    proof = checked(await places.get(path), "/triples/{id}/explain")
    assert (proof["weight"], proof["inferred"], proof["depth"]) == (0.25, True, 2)
    assert proof["rule"] == LOCATED
    [first, second] = proof["premises"]
    leaf, step = (first, second) if "premises" in second else (second, first)
    assert set(leaf) == {"id", "subject", "predicate", "object", "weight", "inferred"}
    assert (leaf["inferred"], step["inferred"], step["depth"]) == (False, True, 1)
    assert [premise["inferred"] for premise in step["premises"]] == [False, False]
    # What it shows can be asked for in turn.
    for node in (leaf, step):
        assert checked(await places.get(f"/triples/{node['id']}/explain"), "/triples/{id}/explain") == node


async def test_an_explanation_is_cut_at_the_depth_that_is_asked_for(places: httpx.AsyncClient) -> None:
    path = f"/triples/{await inferred_id(places, 'Ulm', 'Earth')}/explain"
    proof = checked(await places.get(path, params={"depth": 1}), "/triples/{id}/explain")
    [step] = [premise for premise in proof["premises"] if premise["inferred"]]
    assert step["truncated"] is True
    assert "premises" not in step


@pytest.mark.parametrize("depth", ["0", "65", "deep", "-1"])
async def test_a_depth_out_of_bounds_is_refused(places: httpx.AsyncClient, depth: str) -> None:
    path = f"/triples/{await inferred_id(places, 'Ulm', 'Earth')}/explain"
    answer = await places.get(path, params={"depth": depth})
    assert answer.status_code == 422
    assert [fault["loc"] for fault in answer.json()["errors"]] == [["depth"]]


async def test_statistics_have_the_last_runs_count(places: httpx.AsyncClient) -> None:
    content = checked(await places.get("/stats"), "/stats")
    assert (content["total_triples"], content["inferred_triples"]) == (3, 3)
    assert content["inferred_complete_above"] is None


async def test_a_made_up_id_of_an_inferred_fact_is_not_found(places: httpx.AsyncClient) -> None:
    for made in (ids.pack_inferred(1, 1, 1), ids.pack_inferred(2**36 - 1, 2**36 - 1, 2**36 - 1)):
        for path in (f"/triples/{made}", f"/triples/{made}/explain"):
            assert (await places.get(path)).status_code == 404


async def total(api: httpx.AsyncClient, **filters: Any) -> int:
    content = checked(await api.get("/triples", params={"limit": 1, "count": "exact", **filters}), "/triples")
    return int(content["total"])


async def test_an_exact_count_has_both_kinds_but_none_twice_and_none_that_is_hidden(places: httpx.AsyncClient) -> None:
    kinds: list[dict[str, Any]] = [
        {},
        {"inferred": True},
        {"inferred": False},
        {"predicate": "located_in"},
        {"subject": "Ulm"},
    ]
    assert [await total(places, **filters) for filters in kinds] == [6, 3, 3, 6, 3]
    assert await total(places, min_weight=0.5) == 5
    await places.post("/triples/add", json={"subject": "Ulm", "predicate": "located_in", "object": "Europe"})
    assert [await total(places, **filters) for filters in kinds] == [6, 2, 4, 6, 3]
    [link] = (await places.get("/triples", params={"subject": "Europe", "inferred": False})).json()["triples"]
    assert (await places.delete(f"/triples/{link['id']}")).is_success
    assert [await total(places, **filters) for filters in kinds] == [3, 0, 3, 3, 2]
    rerun()
    assert [await total(places, **filters) for filters in kinds] == [3, 0, 3, 3, 2]
