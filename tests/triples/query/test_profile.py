"""What the graph says of a term, beside a look at every fact that is shown."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.database import in_orm, in_orm_thread
from tests.support.properties import examples
from tests.triples.query.test_finding_answers import TERMS, graphs, make
from tests.triples.store.graphs import fact, store
from tests.triples.store.inferred.derived import term_ids
from tests.triples.store.inferred.hiding import Doing, Texts, changes
from tests.triples.store.inferred.reads import reading
from triples.query import profile
from triples.query.fact_rows import AnyRow
from triples.query.graph_facts import GraphFacts
from triples.query.profile import Half, Number, Profile, ProfileReader
from triples.query.reads import Wanted

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]


def read(text: str, *, inferred: bool = True) -> tuple[Profile, list[AnyRow]]:
    """The profile of a term, and all facts that queries show, which have tests of their own."""
    with reading() as reader:
        rows = reader.heaviest(Wanted((None, None, None), inferred=inferred)).rows
        with reader.snapshots.taken(reader.fetch, always=True) as shown:
            visible = shown.filter if shown is not None and inferred else None
            source = GraphFacts(reader.fetch, reader.dialect, visible)
            return ProfileReader(source, shown).read(term_ids()[text], text), rows


def check(half: Half, rows: list[AnyRow]) -> None:
    counts = Counter(row.predicate for row in rows)
    assert half.complete
    assert half.number == Number(len(rows))
    assert [(group.predicate, group.number) for group in half.groups] == sorted(
        ((predicate, Number(count)) for predicate, count in counts.items()), key=lambda one: (-one[1].facts, one[0])
    )
    for place, group in enumerate(half.groups):
        own = [row for row in rows if row.predicate == group.predicate]
        assert list(group.rows) == (own[: profile.EACH] if place < profile.SHOWN else [])
    assert list(half.heaviest) == rows[: len(half.heaviest)]


@pytest.mark.parametrize("whole", [1, 1_000])
@given(graphs, changes, st.sampled_from(TERMS), st.booleans())
@settings(max_examples=examples(0.3))
def test_it_is_what_a_look_at_every_fact_tells(
    whole: int, graph: Mapping[Texts, float], doing: list[Doing], term: str, inferred: bool
) -> None:
    def compare() -> None:
        make(graph, doing)
        if term not in term_ids():
            return
        found, rows = read(term, inferred=inferred)
        check(found.out, [row for row in rows if row.subject == term])
        check(found.in_, [row for row in rows if row.object == term])
        between = [row for row in rows if row.predicate == term]
        assert (found.between.number.facts if found.between else 0) == len(between)
        assert (list(found.between.rows) if found.between else []) == between[: profile.EACH]
        ids = term_ids()
        assert all(ids[text] == id_ for text, id_ in found.ids.items())
        assert {row.object for row in found.out.heaviest} <= found.ids.keys()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(profile, "WHOLE", whole)
        patched.setattr(profile, "EACH", 2)
        patched.setattr(profile, "SHOWN", 2)
        in_orm(compare)


@in_orm_thread
def test_a_hub_is_counted_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("WHOLE", 3), ("COUNTED", 5), ("COUNTED_EACH", 4)):
        monkeypatch.setattr(profile, name, value)

    store(*(fact("hub", "p", f"o{number}") for number in range(9)), fact("hub", "q", "x"), fact("y", "q", "hub"))
    found, _ = read("hub")
    assert found.out.number == Number(5, more=True)
    assert [group[:2] for group in found.out.groups] == [("p", Number(4, more=True)), ("q", Number(1))]
    assert found.in_.number == Number(1)


@in_orm_thread
def test_in_a_graph_of_many_predicates_those_of_the_heaviest_facts_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "WHOLE", 1)
    monkeypatch.setattr(profile, "MOST_PREDICATES", {"subject": 9, "object": 2})

    store(*(fact("x", f"p{number}", "hub", number / 10) for number in range(4)), fact("hub", "q", "y"))
    found, _ = read("hub")
    assert {group.predicate for group in found.in_.groups} == {"p3", "p2"}
    assert not found.in_.complete
    assert found.in_.number == Number(4)
    assert found.out.complete


@in_orm_thread
def test_a_larger_hub_takes_no_more_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "WHOLE", 10)

    def statements() -> int:
        asked: list[str] = []
        with reading() as reader, reader.snapshots.taken(reader.fetch, always=True) as shown:

            def fetch(sql: str, parameters: Any) -> Any:
                asked.append(sql)
                return reader.fetch(sql, parameters)

            ProfileReader(GraphFacts(fetch, reader.dialect, None), shown).read(term_ids()["hub"], "hub")
        return len(asked)

    store(*(fact(f"s{number}", f"p{number % 3}", "hub") for number in range(30)))
    few = statements()
    store(*(fact(f"t{number}", f"p{number % 3}", "hub") for number in range(150)))
    assert statements() == few
