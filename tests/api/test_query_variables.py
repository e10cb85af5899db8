"""POST /query with variables: `?x` is anything, the same twice is the same term, and constants may begin with `?`."""

from typing import Any

import httpx
import pytest

from tests.api.conftest import StoreFacts
from tests.support.database import in_orm

pytestmark = pytest.mark.both

LOVES = [
    ("Ann", "loves", "Ann", 0.25),
    ("Ann", "loves", "Bob", 0.5),
    ("Bob", "loves", "Bob", 1.0),
    ("loves", "loves", "loves", 0.75),
    ("loves", "loves", "Ann", 0.125),
    ("Ann", "is", "is", 0.625),
]
OF_LOVE = {"name": "back", "weight": 0.5, "head": ["?y", "loves", "?x"], "body": [["?x", "loves", "?y"]]}


async def ask(api: httpx.AsyncClient, *pattern: Any, **options: Any) -> tuple[list[str], int]:
    """The texts of the results, and the total."""
    answer = await api.post("/query", json={"pattern": pattern, **options})
    assert answer.status_code == 200, answer.text
    content = answer.json()
    names = ("subject", "predicate", "object")
    return [" ".join(result[name] for name in names) for result in content["results"]], content["total"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (["?x", "loves", "?x"], ["Bob loves Bob", "loves loves loves", "Ann loves Ann"]),
        (["?x", "?x", None], ["loves loves loves", "loves loves Ann"]),
        ([None, "?x", "?x"], ["loves loves loves", "Ann is is"]),
        (["Ann", "?x", "?x"], ["Ann is is"]),
        (["?x", "?x", "Ann"], ["loves loves Ann"]),
        (["?x", "?x", "?x"], ["loves loves loves"]),
        (["?x", "?y", "?x"], ["Bob loves Bob", "loves loves loves", "Ann loves Ann"]),
        ([" ?x\n", "loves", "?x"], ["Bob loves Bob", "loves loves loves", "Ann loves Ann"]),
        (["?x", "hates", "?x"], []),
    ],
)
async def test_the_same_variable_twice_is_the_same_term(
    api: httpx.AsyncClient, store_facts: StoreFacts, pattern: list[str | None], expected: list[str]
) -> None:
    store_facts(*((*fact, None, 1) for fact in LOVES))
    assert await ask(api, *pattern) == (expected, len(expected))
    assert await ask(api, *pattern, k=1) == (expected[:1], len(expected))
    assert await ask(api, *pattern, include_inferred=False) == (expected, len(expected))
    heavy = [text for text in expected if text in {"Bob loves Bob", "loves loves loves", "Ann is is"}]
    assert await ask(api, *pattern, min_weight=0.5) == (heavy, len(heavy))


async def test_different_variables_are_as_good_as_null(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    store_facts(*((*fact, None, 1) for fact in LOVES))
    for pattern in (["?a", "?b", "?c"], ["?a", "loves", "?é"], ["Ann", None, "?c_1"]):
        nulls = [None if place and place.startswith("?") else place for place in pattern]
        assert await ask(api, *pattern, k=2) == await ask(api, *nulls, k=2)


async def test_inferred_facts_are_held_to_it_too(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    from tests.triples.store.inferred.derived import program, run

    body = {"name": "self", "weight": 0.5, "head": ["?x", "knows", "?x"], "body": [["?x", "loves", "?y"]]}
    store_facts(*((*fact, None, 1) for fact in LOVES))
    in_orm(lambda: run(program(OF_LOVE, body)))
    assert await ask(api, "?x", "knows", "?x") == (
        ["Bob knows Bob", "loves knows loves", "Ann knows Ann"],
        3,
    )
    assert await ask(api, "?x", "loves", "?x") == (["Bob loves Bob", "loves loves loves", "Ann loves Ann"], 3)
    assert (await ask(api, "?x", None, "?x", k=2))[1] == 6


async def test_a_constant_may_begin_with_a_question_mark(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    store_facts(("?why", "asked_by", "Ann"), ("?x", "asked_by", "?x"), ("why?", "asked_by", "Bob"))
    assert await ask(api, {"term": " ?why"}, None, None) == (["?why asked_by Ann"], 1)
    assert await ask(api, {"term": "?x"}, "asked_by", {"term": "?x"}) == (["?x asked_by ?x"], 1)
    assert await ask(api, {"term": "?x"}, None, "?x") == (["?x asked_by ?x"], 1)
    assert await ask(api, "why?", {"term": "asked_by"}, None) == (["why? asked_by Bob"], 1)


async def test_in_the_parameters_of_a_list_a_text_is_a_constant(
    api: httpx.AsyncClient, store_facts: StoreFacts
) -> None:
    store_facts(("?x", "asked_by", "Ann"), ("?y", "asked_by", "Ann"))
    answer = await api.get("/triples", params={"subject": "?x"})
    assert [fact["subject"] for fact in answer.json()["triples"]] == ["?x"]


@pytest.mark.once
@pytest.mark.parametrize(
    ("place", "given", "said"),
    [
        (0, "?", "the name of a variable consists of"),
        (0, "?why not", "the name of a variable consists of"),
        (2, "??", "the name of a variable consists of"),
        (1, "?" + "x" * 500, "at most 500 characters"),
        (0, {}, "is missing"),
        (0, {"term": None}, "must be a text"),
        (0, {"term": ""}, "must not be empty"),
        (1, {"term": "?" * 501}, "at most 500 characters"),
        (2, {"term": "?why", "also": 1}, "is not known here"),
        (2, {"name": "x"}, "is not known here"),
        (0, True, "must be a text"),
    ],
)
async def test_a_faulty_place_is_named(api: httpx.AsyncClient, place: int, given: Any, said: str) -> None:
    pattern: list[Any] = [None, None, None]
    pattern[place] = given
    answer = await api.post("/query", json={"pattern": pattern})
    assert answer.status_code == 422
    [fault] = answer.json()["errors"]
    assert fault["loc"] == ["pattern", place]
    assert said in fault["msg"]
