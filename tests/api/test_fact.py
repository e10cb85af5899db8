"""GET, PATCH and DELETE /triples/{id}: one fact, and requests that hold only for one version of it."""

import asyncio
import time
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from triples import ids

pytestmark = pytest.mark.both

FACT = {"subject": "Pluto", "predicate": "is_a", "object": "planet", "weight": 0.5, "metadata": {"since": 1930}}


@pytest.fixture
async def path(api: httpx.AsyncClient) -> str:
    """The path of a fact."""
    return f"/triples/{(await api.post('/triples/add', json=FACT)).json()['id']}"


async def tag(api: httpx.AsyncClient, path: str) -> str:
    return (await api.get(path)).headers["ETag"]


async def change(api: httpx.AsyncClient, path: str, if_match: str | None = None, **body: Any) -> httpx.Response:
    return await api.patch(path, json=body, headers={} if if_match is None else {"If-Match": if_match})


async def test_a_fact_is_answered_with_its_version(api: httpx.AsyncClient, path: str) -> None:
    answer = await api.get(path)
    assert answer.status_code == 200
    content = answer.json()
    assert path == f"/triples/{content.pop('id')}"
    assert content.pop("created_at")
    assert content == FACT | {"source": "api", "updated_at": None, "inferred": False}
    assert answer.headers["ETag"] == await tag(api, path)


async def test_head_is_answered_as_get(api: httpx.AsyncClient, path: str) -> None:
    answer = await api.head(path)
    assert (answer.status_code, answer.headers["ETag"]) == (200, await tag(api, path))


async def test_who_has_it_already_is_told_so(api: httpx.AsyncClient, path: str) -> None:
    known = await tag(api, path)
    for named in (known, f"W/{known}", f'"another", {known}', "*"):
        answer = await api.get(path, headers={"If-None-Match": named})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", known)
        # Its length would be taken for that of the fact.
        assert not {"content-type", "content-length"} & set(answer.headers)
    assert (await api.get(path, headers={"If-None-Match": '"another"'})).json()["id"] in path
    assert (await api.get(path, headers={"If-None-Match": "3f2a"})).status_code == 400
    await change(api, path, weight=0.25)
    changed = await api.get(path, headers={"If-None-Match": known})
    assert (changed.status_code, changed.json()["weight"]) == (200, 0.25)


async def test_a_weight_is_changed_and_the_rest_stays(api: httpx.AsyncClient, path: str) -> None:
    before = await api.get(path)
    answer = await change(api, path, weight=0.25)
    assert answer.status_code == 200
    assert answer.json()["updated_at"] >= before.json()["created_at"]
    assert answer.json() == before.json() | {"weight": 0.25, "updated_at": answer.json()["updated_at"]}
    assert answer.headers["ETag"] == await tag(api, path) != before.headers["ETag"]
    assert (await api.get(path)).json() == answer.json()


@pytest.mark.parametrize(
    ("metadata", "stored"), [({"a": 1.0}, {"a": 1.0}), (None, {}), ({}, {})], ids=["new", "null", "empty"]
)
async def test_metadata_is_put_in_place_of_what_was(
    api: httpx.AsyncClient, path: str, metadata: Any, stored: dict[str, Any]
) -> None:
    answer = await change(api, path, metadata=metadata)
    assert (answer.status_code, answer.json()["metadata"], answer.json()["weight"]) == (200, stored, 0.5)


async def test_a_change_shows_in_queries(api: httpx.AsyncClient, path: str) -> None:
    await change(api, path, weight=0.125, metadata={"seen": True})
    [result] = (await api.post("/query", json={"pattern": ["Pluto", None, None], "include_metadata": True})).json()[
        "results"
    ]
    assert (result["weight"], result["metadata"]) == (0.125, {"seen": True})


async def test_a_change_of_nothing_is_refused(api: httpx.AsyncClient, path: str) -> None:
    answer = await change(api, path)
    assert answer.status_code == 422
    assert [(fault["loc"], fault["type"]) for fault in answer.json()["errors"]] == [([], "nothing_to_change")]


@pytest.mark.once
@pytest.mark.parametrize(
    ("field", "value"),
    [("weight", None), ("weight", "1"), ("weight", 2), ("metadata", []), ("subject", "Charon"), ("source", "admin")],
)
async def test_a_bad_change_is_named_and_changes_nothing(
    api: httpx.AsyncClient, path: str, field: str, value: Any
) -> None:
    before = await tag(api, path)
    answer = await change(api, path, **{"weight": 0.1} | {field: value})
    assert answer.status_code == 422
    assert [fault["loc"] for fault in answer.json()["errors"]] == [[field]]
    assert await tag(api, path) == before


async def test_a_deleted_fact_is_gone(api: httpx.AsyncClient, path: str) -> None:
    answer = await api.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Type" not in answer.headers
    for again in (await api.get(path), await change(api, path, weight=1), await api.delete(path)):
        assert again.status_code == 404
    assert (await api.post("/query", json={"pattern": ["Pluto", None, None]})).json()["total"] == 0


async def test_a_fact_that_is_added_again_is_another(api: httpx.AsyncClient, path: str) -> None:
    await api.delete(path)
    again = await api.post("/triples/add", json=FACT)
    assert again.json()["status"] == "inserted"
    assert (await api.get(path)).status_code == 404


async def if_matched(api: httpx.AsyncClient, path: str, if_match: str) -> list[int]:
    """What a change and then a deletion under this condition come to."""
    changed = await change(api, path, if_match, metadata={"n": 1})
    return [changed.status_code, (await api.delete(path, headers={"If-Match": if_match})).status_code]


async def test_any_version_will_do_for_a_star(api: httpx.AsyncClient, path: str) -> None:
    assert await if_matched(api, path, "*") == [200, 204]


async def test_one_of_several_versions_will_do(api: httpx.AsyncClient, path: str) -> None:
    version = await tag(api, path)
    changed = await change(api, path, f'"other", {version} ,W/"weak"', weight=1)
    assert changed.status_code == 200
    deleted = await api.delete(path, headers={"If-Match": f'"other",{changed.headers["ETag"]}'})
    assert deleted.status_code == 204


async def test_a_version_that_has_passed_is_refused(api: httpx.AsyncClient, path: str) -> None:
    old = await tag(api, path)
    now = (await change(api, path, old, weight=1)).headers["ETag"]
    assert await if_matched(api, path, old) == [412, 412]
    assert await tag(api, path) == now


async def test_a_weak_version_matches_nothing(api: httpx.AsyncClient, path: str) -> None:
    assert await if_matched(api, path, f"W/{await tag(api, path)}") == [412, 412]


@pytest.mark.parametrize(
    "lines",
    [
        ["{},"],
        ['"a",, {}'],
        # nginx refuses a second line itself.
        pytest.param(['"a"', "{}"], marks=pytest.mark.in_process),
    ],
)
async def test_a_condition_may_have_empty_elements_and_come_in_several_lines(
    api: httpx.AsyncClient, path: str, lines: list[str]
) -> None:
    headers = [("If-Match", line.format(await tag(api, path))) for line in lines]
    answer = await api.patch(path, json={"weight": 0.125}, headers=headers)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("below", ["", "/explain"])
async def test_an_id_in_capitals_is_the_same_id(api: httpx.AsyncClient, path: str, below: str) -> None:
    prefix, id_ = path.rsplit("/", 1)
    capitals = f"{prefix}/{id_.upper()}"
    assert capitals != path
    answer = await api.get(capitals + below)
    assert (answer.status_code, answer.json()["id"]) == (200, id_)
    assert (await change(api, capitals, weight=0.25)).json()["weight"] == 0.25
    assert (await api.delete(capitals)).status_code == 204
    assert (await api.get(path)).status_code == 404


# A client of its own does not send a header of nothing but a space.
BLANK = pytest.param(" ", marks=pytest.mark.in_process)


@pytest.mark.once
@pytest.mark.parametrize("if_match", ["", BLANK, "3f2a", '"3f2a', '"a" "b"', ",", '*, "a"', "'a'", "W/*", '"a b"'])
async def test_a_malformed_condition_is_a_bad_request(api: httpx.AsyncClient, path: str, if_match: str) -> None:
    before = await tag(api, path)
    assert await if_matched(api, path, if_match) == [400, 400]
    assert await tag(api, path) == before


async def test_of_two_who_change_the_same_version_one_is_refused(api: httpx.AsyncClient, path: str) -> None:
    version = await tag(api, path)
    answers = await asyncio.gather(*(change(api, path, version, weight=number / 8) for number in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
    [changed] = [answer for answer in answers if answer.status_code == 200]
    assert (await api.get(path)).json() == changed.json()


def altered(path: str, *, milliseconds: int = 0, key: int = 0, kind: int = 0) -> str:
    """The id of a row that differs a little."""
    row = ids.unpack(UUID(path.removeprefix("/triples/")))
    assert row is not None
    return ids.pack(row.created_ms + milliseconds, row.key + key, kind)


async def test_an_id_that_no_fact_has_is_not_found(api: httpx.AsyncClient, path: str) -> None:
    strangers = {
        "another time": altered(path, milliseconds=1),
        "another key": altered(path, key=1),
        "another kind": altered(path, kind=1),
        "the largest key": ids.pack(time.time_ns() // 1_000_000, 2**62 - 1),
        "not ours": str(uuid4()),
        "nothing set": str(UUID(int=0)),
        "everything set": str(UUID(int=2**128 - 1)),
    }
    for name, id_ in strangers.items():
        stranger = f"/triples/{id_}"
        for answer in (await api.get(stranger), await change(api, stranger, weight=1), await api.delete(stranger)):
            assert (answer.status_code, answer.json()["detail"]) == (404, "There is no fact with this id."), name
        assert await if_matched(api, stranger, "*") == [404, 404], name
    assert (await api.get(path)).status_code == 200


# nginx refuses it itself.
ZERO = pytest.param("%00", marks=pytest.mark.in_process)


@pytest.mark.parametrize("id_", ["1", "x", "018d0c8e", "018d0c8e-9a40-8000-8000-00000000000g", ZERO, "a%2Fb"])
async def test_what_is_no_id_is_not_found(api: httpx.AsyncClient, id_: str) -> None:
    assert (await api.get(f"/triples/{id_}")).status_code == 404
