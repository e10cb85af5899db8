"""POST /triples/add: one fact, new or there already."""

from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.both

FACT = {"subject": "Bern", "predicate": "capital_of", "object": "Switzerland"}


async def add(api: httpx.AsyncClient, **more: Any) -> httpx.Response:
    return await api.post("/triples/add", json=FACT | more)


async def test_a_new_fact_is_inserted(api: httpx.AsyncClient) -> None:
    answer = await add(api, weight=0.25, metadata={"page": 3})
    assert answer.status_code == 201
    content = answer.json()
    assert content.pop("id")
    assert content.pop("created_at")
    assert content == FACT | {
        "weight": 0.25,
        "metadata": {"page": 3},
        "source": "api",
        "inferred": False,
        "updated_at": None,
        "status": "inserted",
    }


async def test_what_is_left_out_is_full_weight_and_no_metadata(api: httpx.AsyncClient) -> None:
    content = (await add(api)).json()
    assert (content["weight"], content["metadata"]) == (1.0, {})


@pytest.mark.parametrize("metadata", [None, {}])
async def test_empty_metadata_is_no_metadata(api: httpx.AsyncClient, metadata: Any) -> None:
    assert (await add(api, metadata=metadata)).json()["metadata"] == {}


@pytest.mark.parametrize("weight", [0, 1, 0.0, 1.0, 0.1, 5e-324, 0.30000000000000004])
async def test_a_weight_is_kept_exactly(api: httpx.AsyncClient, weight: float) -> None:
    id_ = (await add(api, weight=weight)).json()["id"]
    assert (await api.get(f"/triples/{id_}")).json()["weight"] == weight


async def test_a_fact_that_is_there_is_answered_as_it_stands(api: httpx.AsyncClient) -> None:
    first = (await add(api, weight=0.25, metadata={"page": 3})).json()
    again = await add(api, weight=0.75, metadata={"page": 4})
    assert again.status_code == 200
    assert again.json() == first | {"status": "exists"}


async def test_a_fact_that_is_there_takes_the_new_weight_and_metadata_when_told_so(api: httpx.AsyncClient) -> None:
    first = (await add(api, weight=0.25, metadata={"page": 3})).json()
    again = await add(api, weight=0.75, on_duplicate="replace")
    assert again.status_code == 200
    content = again.json()
    assert content.pop("updated_at") >= first["created_at"]
    del first["updated_at"]
    assert content == first | {"weight": 0.75, "metadata": {}, "status": "updated"}
    stored = (await api.get(f"/triples/{first['id']}")).json()
    assert (stored["weight"], stored["metadata"]) == (0.75, {})


async def test_a_new_fact_is_inserted_whatever_is_told_about_duplicates(api: httpx.AsyncClient) -> None:
    assert (await add(api, on_duplicate="replace")).json()["status"] == "inserted"
    assert (await add(api, on_duplicate="keep")).json()["status"] == "exists"


async def test_facts_are_told_apart_by_all_three_terms_and_by_case(api: httpx.AsyncClient) -> None:
    others = [{}, {"subject": "bern"}, {"predicate": "in"}, {"object": "Europe"}]
    assert [(await add(api, **other)).status_code for other in others] == [201] * 4


async def test_metadata_comes_back_as_it_was_written(api: httpx.AsyncClient) -> None:
    written = '{"z":1.0,"a":[1,2.50,null,{"é":"\\u00e9"}],"":false}'
    body = '{"subject":"a","predicate":"b","object":"c","metadata":' + written + "}"
    added = await api.post("/triples/add", content=body, headers={"Content-Type": "application/json"})
    fetched = await api.get(f"/triples/{added.json()['id']}")
    for answer in (added, fetched):
        assert answer.json()["metadata"] == {"z": 1.0, "a": [1, 2.5, None, {"é": "é"}], "": False}
        # A float stays a float, and the order of the keys stays.
        assert '"metadata":{"z":1.0,"a":[1,2.5,null,' in answer.text


async def test_metadata_has_a_size_limit(api: httpx.AsyncClient) -> None:
    def of_bytes(size: int) -> dict[str, str]:
        return {"k": "x" * (size - len('{"k":""}'))}

    assert (await add(api, metadata=of_bytes(16 * 1024))).status_code == 201
    refused = await add(api, metadata=of_bytes(16 * 1024 + 1))
    assert refused.status_code == 422
    assert [fault["loc"] for fault in refused.json()["errors"]] == [["metadata"]]
    assert "16,384" in refused.json()["errors"][0]["msg"]


@pytest.mark.once
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", None),
        ("subject", 1),
        ("subject", ""),
        ("subject", ["Bern"]),
        ("predicate", "p" * 501),
        ("object", "o" * 501),
        ("weight", "0.5"),
        ("weight", True),
        ("weight", None),
        ("weight", -0.1),
        ("weight", 1.0000000000000002),
        ("metadata", []),
        ("metadata", "text"),
        ("on_duplicate", "ignore"),
        ("on_duplicate", None),
        ("Weight", 0.5),
        ("id", "1"),
    ],
)
async def test_a_fault_is_named_by_its_field_and_nothing_is_stored(
    api: httpx.AsyncClient, field: str, value: Any
) -> None:
    answer = await add(api, **{field: value})
    assert answer.status_code == 422
    assert [fault["loc"] for fault in answer.json()["errors"]] == [[field]]
    assert (await api.get("/stats")).json()["total_triples"] == 0


async def test_every_fault_is_named_at_once(api: httpx.AsyncClient) -> None:
    answer = await api.post("/triples/add", json={"subject": "", "object": "x", "weight": 2, "more": 1})
    assert sorted(fault["loc"] for fault in answer.json()["errors"]) == [
        ["more"],
        ["predicate"],
        ["subject"],
        ["weight"],
    ]


async def test_terms_may_be_as_long_as_is_promised(api: httpx.AsyncClient) -> None:
    # Characters count, not bytes.
    long = {"subject": "\U0001f9e0" * 500, "predicate": "\u00e9" * 500, "object": "o" * 500}
    answer = await api.post("/triples/add", json=long)
    assert answer.status_code == 201
    assert long.items() <= answer.json().items()


@pytest.mark.once
@pytest.mark.parametrize("body", ["[]", "null", '"text"', "1", "[{}]"])
async def test_a_body_that_is_no_object_is_not_valid(api: httpx.AsyncClient, body: str) -> None:
    answer = await api.post("/triples/add", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert [fault["loc"] for fault in answer.json()["errors"]] == [[]]
