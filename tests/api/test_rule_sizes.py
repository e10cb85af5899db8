"""/rules: how large a rule may be, and the pages in which many of them are listed."""

from itertools import permutations
from typing import Any

import httpx
import pytest
from django.utils import timezone

from tests.support.database import in_orm
from triples.models import Rule
from triples.recursion.grammar import MAX_DISTINCT
from triples.rules.documents import MAX_LENGTH, read_document
from triples.services.rules import rules_add

pytestmark = pytest.mark.both

NAMES = ["b", "é", "B", "a c", "a-b", "ab", "𝑝", "Z", "z", "ﬀ"]
VARIABLES = [f"?v{number}" for number in range(9)]


def rule(name: str = "r", **members: Any) -> dict[str, Any]:
    return {"name": name, "head": ["?x", "p", "?y"], "body": [["?x", "q", "?y"]]} | members


def store(names: list[str]) -> None:
    rules_add(drafts=[draft for name in names for draft in read_document(rule(name))])


@pytest.mark.parametrize("limit", [1, 3, len(NAMES), len(NAMES) + 1])
async def test_pages_show_every_rule_once_by_name(api: httpx.AsyncClient, limit: int) -> None:
    in_orm(store, NAMES)
    shown: list[str] = []
    pages, parameters = 0, {"limit": str(limit)}
    while True:
        answer = (await api.get("/rules", params=parameters)).json()
        shown += [each["name"] for each in answer["rules"]]
        pages += 1
        if answer["next_cursor"] is None:
            break
        parameters["cursor"] = answer["next_cursor"]
    assert shown == sorted(NAMES)
    assert pages == -(-len(NAMES) // limit)


async def test_a_page_goes_on_after_a_rule_that_was_deleted_meanwhile(api: httpx.AsyncClient) -> None:
    in_orm(store, ["a", "b", "c"])
    cursor = (await api.get("/rules?limit=2")).json()["next_cursor"]
    await api.delete("/rules/b")
    assert [each["name"] for each in (await api.get(f"/rules?cursor={cursor}")).json()["rules"]] == ["c"]


async def test_a_page_has_a_hundred_rules_unless_told_otherwise(api: httpx.AsyncClient) -> None:
    in_orm(store, [f"{number:03}" for number in range(101)])
    assert len((await api.get("/rules")).json()["rules"]) == 100


@pytest.mark.once
@pytest.mark.parametrize(
    "parameters",
    ["limit=0", "limit=501", "limit=x", "limit=1&limit=2", "cursor=", "cursor=0", "cursor=xy", "cursor=AB", "page=2"],
)
async def test_parameters_that_make_no_sense_are_refused(api: httpx.AsyncClient, parameters: str) -> None:
    answer = await api.get(f"/rules?{parameters}")
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, [parameters.partition("=")[0]])


@pytest.mark.parametrize("cursor", ["00", "ff", "6100", "eda080", "f4908080", "61" * 400])
async def test_every_other_cursor_is_some_position(api: httpx.AsyncClient, cursor: str) -> None:
    in_orm(store, ["a", "b"])
    assert (await api.get(f"/rules?cursor={cursor}")).status_code == 200


def of_length(length: int) -> dict[str, Any]:
    """A rule whose texts have so many characters together."""
    body = [["é" * 500, "q", "?y"]] * 7 + [["?x", "q", "?y"]]
    rest = len("r") + len("?xp?y") + 7 * len("q?y") + 7 * 500 + len("?xq?y")
    return rule(body=body, description="é" * (length - rest))


async def test_a_rule_has_so_many_characters_at_most(api: httpx.AsyncClient) -> None:
    assert (await api.post("/rules", json=of_length(MAX_LENGTH))).status_code == 201
    answer = await api.patch("/rules/r", json={"description": of_length(MAX_LENGTH + 1)["description"]})
    message = f"Must have at most {MAX_LENGTH:,} characters in all of its texts, not {MAX_LENGTH + 1:,}"
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"loc": [], "msg": message, "type": "rule"}])
    answer = await api.post("/rules", json=of_length(MAX_LENGTH + 1))
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"loc": [], "msg": message, "type": "rule"}])


async def test_a_rule_has_so_many_pairs_at_most(api: httpx.AsyncClient) -> None:
    pairs = list(permutations(VARIABLES, 2))
    body = [[*VARIABLES[place : place + 3]] for place in (0, 3, 6)]
    members: dict[str, Any] = {"head": ["?v0", "p", "?v1"], "body": body}
    assert (await api.post("/rules", json=rule(**members, distinct=pairs[:MAX_DISTINCT]))).status_code == 201
    for many in (pairs[: MAX_DISTINCT + 1], pairs[:1] * 4_000, ["x"] * 10_000):
        answer = await api.post("/rules", json=rule("s", **members, distinct=many))
        message = f"Must have at most {MAX_DISTINCT} pairs, not {len(many):,}"
        expected = [{"loc": ["distinct"], "msg": message, "type": "rule"}]
        assert (answer.status_code, answer.json()["errors"]) == (422, expected)


async def test_a_larger_rule_from_before_is_shown_and_deleted(api: httpx.AsyncClient) -> None:
    large = of_length(MAX_LENGTH + 1000)
    times: dict[str, Any] = dict.fromkeys(("created_at", "updated_at"), timezone.now())
    in_orm(lambda: Rule.objects.create(**large, **times))
    assert (await api.get("/rules/r")).status_code == 200
    assert (await api.get("/rules")).json()["rules"][0]["name"] == "r"
    assert (await api.delete("/rules/r")).status_code == 204
