"""POST /triples/batch: many facts, all or nothing unless the client says otherwise."""

from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.both


def fact(subject: str, **more: Any) -> dict[str, Any]:
    return {"subject": subject, "predicate": "is_a", "object": "dog"} | more


GOOD, OTHER = fact("Laika"), fact("Rex")
BAD = fact("", weight=2)


async def add(api: httpx.AsyncClient, *facts: Any, **options: Any) -> httpx.Response:
    return await api.post("/triples/batch", json={"triples": facts, **options})


def counts(answer: httpx.Response) -> tuple[int, int, int]:
    """How many were accepted, duplicates and errors."""
    assert answer.status_code == 202, answer.text
    content = answer.json()
    return content["accepted"], content["duplicates"], content["errors"]


def places(answer: httpx.Response, status: int) -> list[Any]:
    """Where the faults stand."""
    assert answer.status_code == status, answer.text
    return [fault["loc"] for fault in answer.json()["errors"]]


async def subjects(api: httpx.AsyncClient) -> set[str]:
    return {row["subject"] for row in (await api.get("/triples")).json()["triples"]}


async def test_facts_are_stored_with_their_weights_and_metadata(api: httpx.AsyncClient) -> None:
    assert counts(await add(api, fact("Laika", weight=0.5, metadata={"n": 1}), OTHER)) == (2, 0, 0)
    [rex, laika] = (await api.get("/triples")).json()["triples"]
    assert (laika["subject"], laika["weight"], laika["metadata"], laika["source"]) == ("Laika", 0.5, {"n": 1}, "batch")
    assert (rex["subject"], rex["weight"], rex["metadata"]) == ("Rex", 1.0, {})


async def test_duplicates_are_skipped_and_stay_as_they_are(api: httpx.AsyncClient) -> None:
    await add(api, fact("Laika", weight=0.5))
    assert counts(await add(api, fact("Laika", weight=0.9), OTHER)) == (1, 1, 0)
    weights = {row["subject"]: row["weight"] for row in (await api.get("/triples")).json()["triples"]}
    assert weights == {"Laika": 0.5, "Rex": 1.0}


async def test_a_fact_that_a_batch_repeats_is_stored_once_as_it_came_first(api: httpx.AsyncClient) -> None:
    assert counts(await add(api, fact("Rex", weight=0.1), fact(" Rex ", weight=0.2), GOOD)) == (2, 1, 0)
    [rex] = (await api.get("/triples", params={"subject": "Rex"})).json()["triples"]
    assert rex["weight"] == 0.1


async def test_a_duplicate_fails_the_batch_when_none_may_be_skipped(api: httpx.AsyncClient) -> None:
    await add(api, GOOD)
    answer = await add(api, OTHER, GOOD, fact("Lassie"), OTHER, skip_duplicates=False)
    assert places(answer, 409) == [["triples", 1], ["triples", 3]]
    assert answer.json()["detail"] == "2 of the facts are there already; nothing was stored."
    one = await add(api, GOOD, skip_duplicates=False)
    assert one.json()["detail"] == "1 of the facts is there already; nothing was stored."
    assert {fault["type"] for fault in answer.json()["errors"]} == {"duplicate"}
    assert await subjects(api) == {"Laika"}


async def test_a_batch_without_duplicates_is_stored_when_none_may_be_skipped(api: httpx.AsyncClient) -> None:
    assert counts(await add(api, GOOD, OTHER, skip_duplicates=False)) == (2, 0, 0)


async def test_one_bad_fact_refuses_the_batch_and_every_fault_is_listed(api: httpx.AsyncClient) -> None:
    answer = await add(api, BAD, GOOD, fact("Rex", tail=True), "Rex")
    assert sorted(places(answer, 422)) == [
        ["triples", 0, "subject"],
        ["triples", 0, "weight"],
        ["triples", 2, "tail"],
        ["triples", 3],
    ]
    assert await subjects(api) == set()


async def test_bad_facts_are_left_out_and_reported_when_they_may_be(api: httpx.AsyncClient) -> None:
    answer = await add(api, BAD, GOOD, {}, None, OTHER, skip_invalid=True)
    assert counts(answer) == (2, 0, 3)
    details = answer.json()["error_details"]
    assert [item["index"] for item in details] == [0, 2, 3]
    assert sorted(error["loc"] for error in details[0]["errors"]) == [
        ["triples", 0, "subject"],
        ["triples", 0, "weight"],
    ]
    assert all(error["msg"] and error["type"] for item in details for error in item["errors"])
    assert await subjects(api) == {"Laika", "Rex"}


async def test_a_number_that_loses_precision_is_a_fault_of_its_fact_alone(api: httpx.AsyncClient) -> None:
    good, other, bad = (str(one).replace("'", '"') for one in (GOOD, OTHER, BAD))
    number = good.replace("Laika", "Belka").replace("}", ', "metadata": {"id": 1234567890123456789, "x": [1e999]}}')

    async def send(*facts: str, more: str = "") -> httpx.Response:
        body = f'{{"triples": [{", ".join(facts)}]{more}}}'
        return await api.post("/triples/batch", content=body, headers={"Content-Type": "application/json"})

    inside = [["triples", 1, "metadata", "id"], ["triples", 1, "metadata", "x", 0]]
    assert places(await send(good, number), 422) == inside
    skip = ', "skip_invalid": true'
    answer = await send(good, number, bad, other, more=skip)
    assert counts(answer) == (2, 0, 2)
    [inexact, invalid] = answer.json()["error_details"]
    assert (inexact["index"], [error["loc"] for error in inexact["errors"]]) == (1, inside)
    assert {error["type"] for error in inexact["errors"]} == {"inexact_number"}
    assert invalid["index"] == 2
    assert await subjects(api) == {"Laika", "Rex"}
    many = [number.replace("Belka", str(place)) for place in range(100)]
    assert counts(await send(*many, more=skip)) == (0, 0, 100)
    # Whose fact it is cannot be told of these.
    assert places(await send(good, number, more=f'{skip}, "more": 1e999'), 422) == [*inside, ["more"]]


async def test_nothing_needs_to_be_valid_when_bad_facts_may_be_left_out(api: httpx.AsyncClient) -> None:
    assert counts(await add(api, BAD, BAD, skip_invalid=True)) == (0, 0, 2)
    answer = await add(api, GOOD, skip_invalid=True)
    assert (counts(answer), answer.json()["error_details"]) == ((1, 0, 0), [])


async def test_a_duplicate_is_named_by_its_place_among_bad_facts_too(api: httpx.AsyncClient) -> None:
    await add(api, GOOD)
    answer = await add(api, BAD, OTHER, BAD, GOOD, skip_invalid=True, skip_duplicates=False)
    assert places(answer, 409) == [["triples", 3]]
    assert await subjects(api) == {"Laika"}


async def test_a_batch_may_be_as_large_as_is_promised(api: httpx.AsyncClient) -> None:
    facts = [fact(f"dog {number}") for number in range(101)]
    assert counts(await add(api, *facts[:100])) == (100, 0, 0)
    for options in ({}, {"skip_invalid": True}):
        assert places(await add(api, *facts, **options), 422) == [["triples"]]
    assert (await api.get("/stats")).json()["total_triples"] == 100


@pytest.mark.once
@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, ["triples"]),
        ({"triples": []}, ["triples"]),
        ({"triples": {}}, ["triples"]),
        ({"triples": None}, ["triples"]),
        ({"triples": [], "skip_invalid": True}, ["triples"]),
        ({"triples": [GOOD], "skip_invalid": 1}, ["skip_invalid"]),
        ({"triples": [GOOD], "skip_duplicates": "false"}, ["skip_duplicates"]),
        ({"triples": [GOOD], "skip_invalid": True, "skip_duplicates": None}, ["skip_duplicates"]),
        ({"triples": [GOOD], "skip": True}, ["skip"]),
        ({"triples": [GOOD], "skip_invalid": True, "skip": True}, ["skip"]),
        ([GOOD], []),
    ],
)
async def test_a_batch_of_another_form_is_refused(api: httpx.AsyncClient, body: Any, place: list[str]) -> None:
    assert places(await api.post("/triples/batch", json=body), 422) == [place]
    assert await subjects(api) == set()
