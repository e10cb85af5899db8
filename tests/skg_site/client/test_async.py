"""The client for asyncio, against the whole application in this process."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from skg_site.client import AddManyStopped, AsyncClient, Conflict, NotFound, Options, RateLimited, Refused, Wait
from skg_site.client.uploading import Progress
from tests.conftest import ChangeSettings
from tests.skg_site.client.conftest import NewClient


def facts(number: int) -> list[tuple[str, str, str]]:
    return [(f"s{i}", "p", f"o{i % 7}") for i in range(number)]


async def subjects(client: AsyncClient) -> list[str]:
    """All subjects; facts of one batch may be stored in any order."""
    return sorted([fact["subject"] async for fact in client.triples(page_size=7)])


async def test_a_fact_is_added_changed_and_deleted(client: AsyncClient) -> None:
    added = await client.add("Ada", "parent_of", "Bob", 0.9, {"source": "family"})
    assert (added["status"], added["weight"], added["metadata"]) == ("inserted", 0.9, {"source": "family"})
    assert (await client.add("Ada", "parent_of", "Bob"))["status"] == "exists"
    assert (await client.add("Ada", "parent_of", "Bob", 0.8, on_duplicate="replace"))["status"] == "updated"
    assert (await client.change(added["id"], weight=0.5))["weight"] == 0.5
    assert (await client.fact(added["id"]))["weight"] == 0.5
    await client.delete(added["id"])
    with pytest.raises(NotFound, match="404 Not Found"):
        await client.delete(added["id"])


@pytest.mark.parametrize("name", [".", "..", "...", "a/b", "%2E", ""])
async def test_a_name_stays_in_its_place_in_the_path(client: AsyncClient, name: str) -> None:
    """An HTTP client takes `.` and `..` out of a path, and would ask for another one."""
    for asked in (client.rule(name), client.delete_rule(name), client.delete(name)):
        with pytest.raises(NotFound):
            await asked


async def test_lists_are_followed_page_by_page(client: AsyncClient) -> None:
    added = await client.add_many(facts(30), batch_size=8)
    assert (added.accepted, added.duplicates, added.refused) == (30, 0, [])
    assert await subjects(client) == sorted(f"s{i}" for i in range(30))
    assert {fact["subject"] async for fact in client.triples(object="o3")} == {"s3", "s10", "s17", "s24"}
    assert (await client.triples_page(limit=5, count=True)).get("total") == 30
    assert [one["asserted"] async for one in client.predicates()] == [30]
    answers = [one["bindings"]["?x"] async for one in client.all_answers([["?x", "p", "o3"]], k=3)]
    assert len(answers) == 4
    assert set(answers) == {"s3", "s10", "s17", "s24"}
    with pytest.raises(ValueError, match=r"patterns\(\), which tells how many are left out"):
        client.all_answers([["?x", "p", "?y"]], group_by=["?y"])  # type: ignore[call-arg]


async def test_questions(client: AsyncClient) -> None:
    await client.add_many([("Ada", "parent_of", "Bob", 0.9), ("Bob", "parent_of", "Cleo", None, {"n": 1})])
    found = await client.query("Bob", include_metadata=True)
    assert [(one["object"], one.get("metadata")) for one in found["results"]] == [("Cleo", {"n": 1})]
    chain = await client.patterns([["?x", "parent_of", "?y"], ["?y", "parent_of", "?z"]], select=["?x", "?z"])
    assert chain["results"][0]["bindings"] == {"?x": "Ada", "?z": "Cleo"}
    [path] = (await client.paths("Ada", "Cleo"))["paths"]
    assert (path["length"], path["weight"]) == (2, 0.9)
    assert (await client.neighbours("Bob", k=1))["more"] == 1
    assert [term["term"] for term in (await client.terms("clea"))["terms"]] == ["Cleo"]
    assert (await client.stats())["total_triples"] == 2


async def test_rules_and_keys(client: AsyncClient) -> None:
    stored = await client.add_rules({"symmetric": "near", "name": "back / again"})
    assert stored["warnings"][0]["predicate"] == "near"
    assert [rule["name"] async for rule in client.rules()] == ["back / again"]
    assert (await client.change_rule("back / again", weight=0.5))["weight"] == 0.5
    with pytest.raises(Conflict):
        await client.add_rules({"symmetric": "far", "name": "back / again"})
    await client.delete_rule("back / again")
    with pytest.raises(NotFound):
        await client.rule("back / again")
    issued = await client.issue_key("reader", ["read"], rate="5/s")
    names = [one["name"] async for one in client.keys()]  # noqa: SIM118  # no dictionary
    assert sorted(names) == ["reader", "test"]
    rotated = await client.rotate_key(issued["id"], grace_seconds=60)
    assert rotated["rotated_from"] == issued["id"]
    assert (await client.revoke_key(rotated["id"], lineage=True))["also_revoked"] == [issued["id"]]
    assert (await client.key())["name"] == "test"
    assert (await client.health())["status"] == "healthy"
    async with asyncio.timeout(30):
        # Beside a load, its look at the database may take too long once.
        while not (await client.ready())["ready"]:
            await asyncio.sleep(0.1)


async def test_what_matches_is_counted_and_then_deleted(client: AsyncClient) -> None:
    await client.add_many(facts(20))
    assert (await client.delete_matching([None, "p", "o3"]))["facts"] == 3
    assert (await client.delete_matching([None, "p", "o3"], dry_run=False))["facts"] == 3
    assert len(await subjects(client)) == 17


async def test_each_refused_fact_is_told_with_its_place(client: AsyncClient) -> None:
    odd: list[Any] = [
        ("a", "p", "b"),
        {"subject": "a", "predicate": "p", "object": "c", "wieght": 0.5},
        ("a", "p"),
        "a p b",
        {"subject": "a", "predicate": "p", "object": "d", "weight": 2.0, "metadata": {}},
        {"subject": "a", "predicate": "p", "object": "e", "metadata": {"at": object()}},
        ("a", "p", "f", float("nan")),
        ("a", "p", "g"),
    ]
    added = await client.add_many(odd, batch_size=3)
    assert (added.accepted, added.done) == (2, 8)
    assert {refused.index: refused.errors[0]["loc"][-1:] for refused in added.refused} == {
        1: ["wieght"],
        2: [],
        3: [],
        4: ["weight"],
        5: [],
        6: [],
    }
    assert all(refused.fact is odd[refused.index] for refused in added.refused)


async def test_facts_of_an_answer_can_be_added_as_they_are(client: AsyncClient) -> None:
    await client.add("a", "p", "b", 0.5, {"n": 1})
    rows = [fact async for fact in client.triples()]
    await client.delete(rows[0]["id"])

    async def one_by_one() -> AsyncIterator[dict[str, object]]:
        for row in rows:
            yield dict(row)

    assert (await client.add_many(one_by_one())).accepted == 1
    [again] = [fact async for fact in client.triples()]
    assert (again["weight"], again["metadata"]) == (0.5, {"n": 1})


async def test_a_service_that_takes_less_is_asked_with_less(
    client: AsyncClient, change_settings: ChangeSettings
) -> None:
    change_settings(max_body_bytes=1024)
    long = [(f"s{i}", "p", "o" * 100) for i in range(40)]
    added = await client.add_many([*long, ("s", "p", "o", None, {"text": "x" * 2000})], batch_size=40)
    assert added.accepted == 40
    assert [(refused.index, refused.errors[0]["type"]) for refused in added.refused] == [(40, "too_large")]
    assert len(await subjects(client)) == 40


async def test_a_batch_of_too_many_facts_is_sent_in_parts(client: AsyncClient) -> None:
    added = await client.add_many(facts(250), batch_size=250)
    assert added.accepted == 250


async def test_a_slow_key_waits_says_how_long_and_ends_right(new_client: NewClient) -> None:
    told: list[Progress] = []
    began = time.monotonic()
    async with new_client(rate="5/s") as client:
        added = await client.add_many(facts(20), batch_size=2, total=20, progress=told.append)
        assert added.accepted == 20
        assert await subjects(client) == sorted(f"s{i}" for i in range(20))
    # Five requests at once, and five a second after that.
    assert time.monotonic() - began > 0.8
    waits = [progress.wait for progress in told if progress.wait is not None]
    assert waits
    assert all(0 < wait.seconds <= 1.5 for wait in waits)
    assert [progress.done for progress in told if progress.wait is None] == list(range(2, 21, 2))


async def test_patience_has_an_end(new_client: NewClient) -> None:
    waits: list[Wait] = []
    impatient = Options(patience=2, on_wait=waits.append)
    async with new_client(rate="1/h", options=impatient) as client:
        await client.stats()
        # The client is told with the first answer that the next request would be refused.
        with pytest.raises(RateLimited) as limited:
            await client.stats()
        assert limited.value.retry_after is not None
        assert limited.value.retry_after > 2
        assert (await client.add_many(facts(2), batch_size=2)).accepted == 2
        with pytest.raises(AddManyStopped, match="Stopped after 0 facts") as stopped:
            await client.add_many(facts(4), batch_size=2)
        assert isinstance(stopped.value.__cause__, RateLimited)
    assert waits == []


async def test_a_refusal_says_what_is_wrong_and_where(client: AsyncClient) -> None:
    with pytest.raises(Refused, match=r"422 .*weight: ") as refused:
        await client.add("a", "p", "b", 2)
    assert refused.value.errors[0]["loc"] == ["weight"]
    assert refused.value.request_id


async def test_a_key_that_may_not_write_is_told_so(new_client: NewClient) -> None:
    async with new_client(scopes=["read"]) as client:
        with pytest.raises(AddManyStopped, match="403"):
            await client.add_many(facts(3))
