"""What stands around a term, beside a look at every fact that is shown."""

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.database import in_orm_thread
from tests.support.properties import examples
from tests.triples.query.test_finding_answers import TERMS, graphs, make, shown_facts, source_of
from tests.triples.store.graphs import fact, store
from tests.triples.store.inferred.derived import TRANSITIVE, program, term_ids
from tests.triples.store.inferred.hiding import Doing, Oracle, Texts, changes
from tests.triples.store.inferred.reads import reading
from triples.query import neighbours
from triples.query.neighbours import Around, AskedNeighbours, count_beside, find_neighbours

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

asked_for = st.builds(
    AskedNeighbours,
    st.sampled_from([*TERMS, "nowhere"]),
    st.integers(1, 5),
    st.sampled_from(["out", "in", "any"]),
    st.none() | st.lists(st.sampled_from([*TERMS, "nowhere"]), min_size=1, max_size=2),
    st.sampled_from([0.0, 0.4]),
)


@given(graphs, changes, st.lists(asked_for, min_size=4, max_size=4), st.booleans())
@settings(max_examples=examples(0.3))
@in_orm_thread
def test_the_heaviest_facts_and_the_counts_are_those_of_looking_at_every_fact(
    graph: Mapping[Texts, float], doing: list[Doing], questions: list[AskedNeighbours], inferred: bool
) -> None:
    make(graph, doing)
    with reading() as reader, source_of(reader, inferred=inferred) as source:
        shown = shown_facts(inferred=inferred)
        ids: dict[str, int] = term_ids()
        for asked in questions:
            found = find_neighbours(asked, source)
            term = ids.get(asked.term)
            wanted = None if asked.predicates is None else {ids.get(text) for text in asked.predicates}
            around = [one for one in shown if wanted is None or one.key.predicate in wanted]
            out = [one for one in around if one.key.subject == term and asked.direction != "in"]
            in_ = [one for one in around if one.key.object == term and asked.direction != "out"]
            facts = dict.fromkeys(
                one for one in shown if one in [*out, *in_] and one.weight >= max(asked.min_weight, 1e-300)
            )
            assert list(found.facts) == list(facts)[: asked.k]
            counts = Counter(one.key.predicate for one in [*out, *in_])
            assert {one.predicate: one.out + one.in_ for one in found.predicates} == counts
            assert [one.predicate for one in found.predicates] == sorted(
                counts, key=lambda predicate: (-counts[predicate], predicate)
            )
            assert found.complete
            assert not found.capped
            ends = {end for one in found.facts for end in (one.key.subject, one.key.object)}
            assert count_beside(found, source) == {
                found.named.texts[end]: sum((end == one.key.subject) + (end == one.key.object) for one in shown)
                for end in ends
            }


@in_orm_thread
def test_a_hub_is_counted_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "AROUND_LIMIT", 5)

    store(*(fact("hub", "p", f"o{number}") for number in range(9)), fact("x", "q", "hub"))
    with reading() as reader, source_of(reader, inferred=True) as source:
        found = find_neighbours(AskedNeighbours("hub", 3, "any", None, 0.0), source)
        ids = term_ids()
        assert found.predicates == [Around(ids["p"], 5, 0), Around(ids["q"], 0, 1)]
        assert (found.more, found.capped, len(found.facts)) == (3, True, 3)


@in_orm_thread
def test_inferred_facts_count_up_to_the_same_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "AROUND_LIMIT", 5)

    store(*(fact(one, "p", other) for one, other in pairwise("abcdefg")))
    Oracle(program(TRANSITIVE)).run(small=False)
    with reading() as reader, source_of(reader, inferred=True) as source:
        found = find_neighbours(AskedNeighbours("a", 3, "any", None, 0.0), source)
        assert found.predicates == [Around(term_ids()["p"], 5, 0)]
        assert found.capped


@in_orm_thread
def test_in_a_graph_of_many_predicates_those_of_the_heaviest_facts_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "MOST_PREDICATES", 2)
    monkeypatch.setattr(neighbours, "_HEAVIEST", 1)

    store(*(fact("x", f"p{number}", "hub", number / 10) for number in range(4)), fact("hub", "q", "y"))
    with reading() as reader, source_of(reader, inferred=True) as source:
        found = find_neighbours(AskedNeighbours("hub", 3, "any", None, 0.0), source)
        ids = term_ids()
        assert set(found.predicates) == {Around(ids["p3"], 0, 1), Around(ids["q"], 1, 0)}
        assert not found.complete
        around_x = find_neighbours(AskedNeighbours("x", 3, "out", None, 0.0), source)
        assert (around_x.predicates, around_x.complete) == ([Around(ids["p3"], 1, 0)], False)


@in_orm_thread
def test_of_a_term_of_few_facts_all_predicates_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many the graph has."""
    monkeypatch.setattr(neighbours, "MOST_PREDICATES", 2)

    store(*(fact("x", f"p{number}", "term", number / 10) for number in range(4)), fact("term", "q", "y"))
    with reading() as reader, source_of(reader, inferred=True) as source:
        found = find_neighbours(AskedNeighbours("term", 3, "any", None, 0.0), source)
        ids = term_ids()
        # The first has the weight 0, so it is counted and not shown. Where such a fact is, each predicate is looked up.
        assert not found.complete
        around = find_neighbours(AskedNeighbours("term", 3, "out", None, 0.0), source)
        assert (around.predicates, around.complete) == ([Around(ids["q"], 1, 0)], True)


@in_orm_thread
@pytest.mark.parametrize(
    ("frequent", "limit", "largest"),
    [
        pytest.param(2, 1_000, 9, id="few-predicates-of-many-facts-are-counted-on"),
        pytest.param(3, 3, 3, id="many-are-not"),
    ],
)
def test_so_many_facts_of_so_many_predicates_are_counted(
    frequent: int, limit: int, largest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "_FIRST_LIMIT", 3)
    monkeypatch.setattr(neighbours, "_FEW", 1)
    monkeypatch.setattr(neighbours, "_MOST_COUNTED", 2_000 if frequent == 2 else 299)

    facts = [("hub", f"p{number % frequent}", f"o{number}") for number in range(9 * frequent)]
    store(*(fact(*one) for one in [*facts, ("hub", "q", "y"), ("y", "q", "hub")]))
    with reading() as reader, source_of(reader, inferred=True) as source:
        found = find_neighbours(AskedNeighbours("hub", 3, "any", None, 0.0), source)
        assert found.counted_up_to == limit
        assert [one.out for one in found.predicates] == [largest] * frequent + [1]
        assert found.predicates[-1] == Around(term_ids()["q"], 1, 1)
        assert found.capped == (limit == 3)
        assert found.more == sum(one.out + one.in_ for one in found.predicates) - 3


async def test_over_http(api: Any) -> None:
    for subject, object_, weight in (("a", "b", 0.5), ("b", "a", 0.9), ("a", "a", 0.7)):
        body = {"subject": subject, "predicate": "p", "object": object_, "weight": weight}
        assert (await api.post("/triples/add", json=body)).status_code == 201
    found = (await api.post("/query/neighbours", json={"term": "a", "k": 2})).json()
    assert [(one["subject"], one["weight"]) for one in found["facts"]] == [("b", 0.9), ("a", 0.7)]
    assert (found["more"], found["predicates"]) == (1, [{"predicate": "p", "out": 2, "in": 2}])
    assert "predicates_counted_up_to" not in found
    assert (await api.post("/query/neighbours", json={"term": "unknown"})).json()["facts"] == []
    for number in range(26):
        facts = [{"subject": "hub", "predicate": f"p{number}", "object": f"o{other}"} for other in range(51)]
        assert (await api.post("/triples/batch", json={"triples": facts})).status_code == 202
    found = (await api.post("/query/neighbours", json={"term": "hub"})).json()
    assert (found["predicates_counted_up_to"], {one["out"] for one in found["predicates"]}) == (50, {50})
    assert found["more_capped"]
    refused = await api.post("/query/neighbours", json={"term": "a", "k": 0})
    assert [fault["loc"] for fault in refused.json()["errors"]] == [["k"]]
