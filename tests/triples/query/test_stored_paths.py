"""Paths of a stored graph, and the reads that only they make, beside the same facts in memory."""

from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.database import in_orm
from tests.support.properties import examples
from tests.triples.query.memory_source import MemorySource
from tests.triples.query.test_best_paths import all_paths
from tests.triples.query.test_finding_answers import NAMES, graphs, make, shown_facts, source_of
from tests.triples.store.inferred.derived import term_ids
from tests.triples.store.inferred.hiding import Doing, Texts, changes
from tests.triples.store.inferred.reads import reading
from triples.query import path_openings, path_reads
from triples.query.best_paths import best_paths
from triples.query.lookups import Lookup
from triples.query.path_facts import PathQuestion
from triples.store import join_sql

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database", "small_blocks")]

# Numbers of `NAMES`: the ends, and perhaps a predicate.
questions = st.builds(
    PathQuestion,
    st.just(1),
    st.integers(2, 3),
    st.sampled_from([None, None, (4,), (4, 5)]),
    st.sampled_from(["out", "in", "any"]),
    st.integers(1, 5),
    st.integers(1, 3),
    st.sampled_from(["weight", "length"]),
)


@pytest.fixture(params=["with hubs", "without"], autouse=True)
def few_are_many(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Terms with few facts are looked up as hubs are, and opened last."""
    monkeypatch.setattr(join_sql, "_MANY", 2)
    if request.param == "with hubs":
        monkeypatch.setattr(path_reads, "HUB", 1)
        monkeypatch.setattr(path_openings, "_LINKED", 0)
    # Statements are kept.
    join_sql.linked.cache_clear()
    yield
    join_sql.linked.cache_clear()


@given(graphs, changes, st.lists(questions, min_size=6, max_size=6), st.booleans())
@settings(max_examples=examples(0.4))
def test_paths_are_those_of_trying_all(
    graph: Mapping[Texts, float], doing: list[Doing], asked: list[PathQuestion], inferred: bool
) -> None:
    def compare() -> None:
        make(graph, doing)
        ids, shown = term_ids(), shown_facts(inferred=inferred)
        with reading() as reader, source_of(reader, inferred=inferred) as source:
            for one in asked:
                predicates = one.predicates and tuple(sorted(ids[NAMES[number]] for number in one.predicates))
                ends = ids[NAMES[one.start]], ids[NAMES[one.goal]]
                question = PathQuestion(*ends, predicates, one.direction, one.max_length, one.k, one.order)
                assert best_paths(question, source).paths == all_paths(question, shown)[: one.k]

    in_orm(compare)


@given(graphs, changes, st.booleans(), st.sampled_from([0.0, 0.3, 1.0]), st.sampled_from([None, 4]))
@settings(max_examples=examples(0.3))
def test_reads_are_those_of_the_same_facts_in_memory(
    graph: Mapping[Texts, float], doing: list[Doing], inferred: bool, least: float, predicate: int | None
) -> None:
    def compare() -> None:
        make(graph, doing)
        ids, memory = term_ids(), MemorySource(shown_facts(inferred=inferred))
        only = predicate and ids[NAMES[predicate]]
        terms = sorted(ids.values())
        lookups = [Lookup((None, only, None), ((0, 0),), (2,), ()), Lookup((None, only, None), ((2, 0),), (0,), ())]
        rows = [(term,) for term in terms]
        with reading() as reader, source_of(reader, inferred=inferred) as source:
            assert source.numbers(lookups, rows, least, 100) == memory.numbers(lookups, rows, least, 100)
            found = source.linked(terms[:3], only, terms[1:], least, 100)
            assert sorted(found) == sorted(memory.linked(terms[:3], only, terms[1:], least, 100))
            assert len(source.linked(terms, only, terms, 0.0, 2)) == min(
                len(memory.linked(terms, only, terms, 0.0, 9)), 2
            )

    in_orm(compare)
