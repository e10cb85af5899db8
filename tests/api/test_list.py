"""GET /triples: the facts that match, in pages."""

import struct
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.api.conftest import StoreFacts
from tests.api.operations import OPERATIONS, of_types
from triples.store.operations import ReadTimeout

pytestmark = pytest.mark.both


async def found(api: httpx.AsyncClient, **parameters: Any) -> list[str]:
    """The subjects of the page."""
    answer = await api.get("/triples", params=parameters)
    assert answer.status_code == 200, answer.text
    return [row["subject"] for row in answer.json()["triples"]]


async def pages(api: httpx.AsyncClient, **parameters: Any) -> AsyncIterator[list[str]]:
    """The subjects of every page, each page asked for when it is wanted."""
    while True:
        answer = await api.get("/triples", params=parameters)
        assert answer.status_code == 200, answer.text
        yield [row["subject"] for row in answer.json()["triples"]]
        parameters["cursor"] = answer.json()["next_cursor"]
        if parameters["cursor"] is None:
            return


async def test_an_empty_graph_has_one_empty_page(api: httpx.AsyncClient) -> None:
    assert (await api.get("/triples")).json() == {"triples": [], "next_cursor": None}


async def test_a_row_is_the_fact_as_its_id_shows_it(api: httpx.AsyncClient) -> None:
    body = {"subject": "a", "predicate": "b", "object": "c", "weight": 0.5, "metadata": {"k": [1]}}
    added = (await api.post("/triples/add", json=body)).json()
    [row] = (await api.get("/triples")).json()["triples"]
    assert row == (await api.get(f"/triples/{added['id']}")).json()
    assert row | {"status": "inserted"} == added


async def test_the_heaviest_comes_first_and_ties_come_by_age(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    for subject, weight in (("a", 0.5), ("b", 0.9), ("c", 0.5), ("d", 0.0)):
        store_facts((subject, "p", "o", weight, None, 1))
    assert await found(api) == ["b", "a", "c", "d"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"subject": "a"}, ["a", "a"]),
        ({"predicate": "q"}, ["a", "b"]),
        ({"object": "y"}, ["a", "b"]),
        ({"subject": "a", "predicate": "p"}, ["a"]),
        ({"predicate": "q", "object": "y"}, ["a", "b"]),
        ({"subject": "b", "object": "y"}, ["b"]),
        ({"subject": "a", "predicate": "q", "object": "y"}, ["a"]),
        ({"subject": "a", "predicate": "q", "object": "x"}, []),
        ({"subject": "unknown"}, []),
        ({"subject": "  a  "}, ["a", "a"]),
        ({"min_weight": "0.6"}, ["a", "a"]),
        ({"min_weight": "0.5", "subject": "b"}, ["b"]),
        ({"min_weight": "1"}, []),
    ],
)
async def test_filters_narrow_the_list(
    api: httpx.AsyncClient, store_facts: StoreFacts, parameters: dict[str, str], expected: list[str]
) -> None:
    store_facts(("a", "p", "x", 0.9, None, 1), ("a", "q", "y", 0.7, None, 1), ("b", "q", "y", 0.5, None, 1))
    assert await found(api, **parameters) == expected


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
async def test_pages_show_every_fact_once_in_order(api: httpx.AsyncClient, store_facts: StoreFacts, limit: int) -> None:
    for number in range(7):
        store_facts((f"s{number}", "p", "o", 1.0 if number < 4 else 0.5, None, 1))
    every = [subject async for page in pages(api, limit=limit) for subject in page]
    assert every == await found(api) == [f"s{number}" for number in range(7)]


@pytest.mark.parametrize("filters", [{}, {"predicate": "p"}, {"predicate": "p", "object": "o", "min_weight": 0.2}])
async def test_pages_are_stable_while_facts_are_added_and_deleted(
    api: httpx.AsyncClient, store_facts: StoreFacts, filters: dict[str, Any]
) -> None:
    for number in range(6):
        store_facts((f"old {number}", "p", "o", 0.5, None, 1))
    seen: list[str] = []
    async for page in pages(api, limit=2, **filters):
        seen += page
        turn = len(seen)
        # Before, among and behind what has been shown; and what has been shown goes away.
        store_facts((f"heavy {turn}", "p", "o", 0.9, None, 1), (f"other {turn}", "q", "o", 0.9, None, 1))
        shown = (await api.get("/triples", params={"subject": page[0]})).json()["triples"][0]["id"]
        assert (await api.delete(f"/triples/{shown}")).status_code == 204
    assert seen == [f"old {number}" for number in range(6)]


async def test_a_full_last_page_says_that_it_is_the_last(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    store_facts(("a", "p", "o"), ("b", "p", "o"))
    assert (await api.get("/triples", params={"limit": 2})).json()["next_cursor"] is None


@pytest.mark.once
@pytest.mark.parametrize(
    "weight", [0.5, 0.0, -1.0, 2.0, float("nan"), float("inf"), float("-inf"), 5e-324, 1.7976931348623157e308]
)
@pytest.mark.parametrize("key", [0, -1, 2**63 - 1, -(2**63)])
async def test_a_made_up_cursor_of_the_right_form_is_some_place_in_the_list(
    api: httpx.AsyncClient, store_facts: StoreFacts, weight: float, key: int
) -> None:
    store_facts(("a", "p", "o", 0.25, None, 1))
    for inferred in (False, True):
        cursor = struct.pack(">d?qqq", weight, inferred, key, key, key).hex()
        assert await found(api, cursor=cursor) in (["a"], [])


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "1001"),
        ("limit", "ten"),
        ("limit", ""),
        ("min_weight", "1.1"),
        ("min_weight", "-0.1"),
        ("min_weight", "nan"),
        ("min_weight", "heavy"),
        ("subject", ""),
        ("subject", " "),
        ("predicate", "p" * 501),
        ("object", "o" * 10_001),
        ("object", "a\0b"),
        ("cursor", ""),
        ("cursor", "00"),
        ("cursor", "g" * 66),
        ("cursor", "0" * 67),
        ("inferred", "perhaps"),
        ("offset", "1"),
        ("Subject", "a"),
    ],
)
async def test_a_bad_parameter_is_named(api: httpx.AsyncClient, name: str, value: str) -> None:
    answer = await api.get("/triples", params={name: value})
    assert answer.status_code == 422
    assert [fault["loc"] for fault in answer.json()["errors"]] == [[name]]


async def test_a_parameter_twice_is_refused(api: httpx.AsyncClient) -> None:
    answer = await api.get("/triples?subject=a&subject=b")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["subject"]


async def test_a_query_string_that_is_not_utf8_is_malformed(api: httpx.AsyncClient) -> None:
    """Read leniently it would ask for another term than the one that was meant."""
    answer = await api.get("/triples?subject=%FF")
    assert answer.status_code == 400
    assert "UTF-8" in answer.json()["detail"]


NO_NUMBERS = [
    "1_0",
    "0_1",
    "+1",
    " 1",
    "1 ",
    "\uff11",
    "\u0661",
    "0x1",
    "01",
    "1e400",
    "nan",
    "inf",
    "Infinity",
    "",
    ".5",
    "1.",
]


@pytest.mark.parametrize("text", NO_NUMBERS)
async def test_a_number_is_written_as_in_json(api: httpx.AsyncClient, text: str) -> None:
    asked = [
        (operation, name) for operation in OPERATIONS for name in of_types(operation.query_string, "integer", "number")
    ]
    assert {str(operation) for operation, _ in asked} >= {"GET /triples", "GET /rules", "GET /triples/{id}/explain"}
    for operation, name in asked:
        answer = await api.request(operation.method, operation.path(), params=operation.parameters | {name: text})
        assert answer.status_code == 422, operation
        assert [name] in [error["loc"] for error in answer.json()["errors"]], operation


async def test_an_integer_of_a_body_may_have_a_point(api: httpx.AsyncClient) -> None:
    """JSON Schema takes 5.0 for the integer 5."""
    asked = [
        (operation, name)
        for operation in OPERATIONS
        if operation.takes_json and not operation.names_one
        for name in of_types(operation.json_members, "integer")
    ]
    assert {str(operation) for operation, _ in asked} >= {"POST /query", "POST /recurse", "POST /keys"}
    for operation, name in asked:
        answer = await api.request(operation.method, operation.path(), json={name: 5.0, "no such member": 1})
        assert answer.status_code == 422, operation
        assert [name] not in [error["loc"] for error in answer.json()["errors"]], operation


async def test_numbers_in_every_spelling_of_json_are_read(api: httpx.AsyncClient) -> None:
    for name, text in (
        ("limit", "5"),
        ("limit", "5.0"),
        ("min_weight", "0"),
        ("min_weight", "5e-1"),
        ("min_weight", "1E-2"),
    ):
        assert (await api.get("/triples", params={name: text})).status_code == 200, text


@pytest.mark.parametrize(
    ("filters", "total"),
    [
        ({}, 5),
        ({"predicate": "p"}, 3),
        ({"predicate": "o"}, 0),
        ({"predicate": "unknown"}, 0),
        ({"min_weight": "0.5"}, 3),
        ({"predicate": "p", "min_weight": "0.5"}, 2),
        ({"subject": "a"}, 2),
        ({"object": "o", "predicate": "p"}, 3),
        ({"inferred": "true"}, 0),
        ({"inferred": "false"}, 5),
    ],
)
async def test_a_list_counts_all_that_match_when_it_is_asked_to(
    api: httpx.AsyncClient, store_facts: StoreFacts, filters: dict[str, str], total: int
) -> None:
    store_facts(*((name, "p", "o", weight, None, 1) for name, weight in (("a", 0.9), ("b", 0.5), ("c", 0.1))))
    store_facts(("a", "q", "o", 0.7, None, 1), ("d", "q", "o", 0.0, None, 1))
    answer = await api.get("/triples", params={"limit": "1", "count": "exact"} | filters)
    assert answer.json()["total"] == total
    assert "total" not in (await api.get("/triples", params=filters)).json()
    assert "total" not in (await api.get("/triples", params={"count": "none"} | filters)).json()
    cursor = answer.json()["next_cursor"]
    if cursor is not None:
        following = {"limit": "1", "count": "exact", "cursor": cursor}
        again = await api.get("/triples", params=following | filters)
        assert again.json()["total"] == total


async def test_an_exact_count_goes_beyond_that_of_a_query(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    store_facts(*((f"s{number}", "p", "o", number % 2, None, 1) for number in range(10_400)))
    asked: list[dict[str, str]] = [{}, {"object": "o"}, {"min_weight": "1"}]
    for filters, total in zip(asked, [10_400, 10_400, 5_200], strict=True):
        answer = await api.get("/triples", params={"limit": "1", "count": "exact"} | filters)
        assert answer.json()["total"] == total


async def test_a_count_that_takes_too_long_is_given_up(
    api: httpx.AsyncClient, store_facts: StoreFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_long(*_: Any) -> int:
        raise ReadTimeout

    store_facts(("a", "p", "o"))
    monkeypatch.setattr("triples.query.reads.total", too_long)
    answer = await api.get("/triples", params={"count": "exact"})
    assert answer.status_code == 503
    assert "narrow" in answer.json()["detail"]
