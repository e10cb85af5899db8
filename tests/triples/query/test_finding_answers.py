"""Questions asked of a stored graph, beside trying every combination of the facts that it shows."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.database import in_orm
from tests.support.properties import examples
from tests.triples.query.question_oracle import best_answers
from tests.triples.query.test_ranked_join import questions
from tests.triples.store.graphs import fact, store
from tests.triples.store.inferred.derived import TRANSITIVE, program, term_ids
from tests.triples.store.inferred.hiding import RULES, Doing, Oracle, Texts, changes
from tests.triples.store.inferred.reads import Reading, reading
from triples.models import Term, Triple
from triples.patterns import Variable
from triples.query import finding_answers, terms_in_order
from triples.query.answers import GroupCount, Position
from triples.query.blocks import Fact
from triples.query.fact_rows import AnyRow
from triples.query.finding_answers import Answers, find_answers, find_groups
from triples.query.graph_facts import GraphFacts
from triples.query.join_order import join_order
from triples.query.joining_by_term import begins_with_selected, joined_by_term
from triples.query.joining_in_parts import joined_in_parts
from triples.query.parts_join import PartsJoin
from triples.query.questions import AskedPattern, Question, with_ids
from triples.query.ranked_join import ranked
from triples.query.reads import Wanted
from triples.recursion.programs import Key
from triples.store import parts
from triples.store.operations import Row

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database", "small_blocks")]

# The numbers of `test_ranked_join.TERMS`, and 0, as texts.
NAMES = {0: "nowhere", 1: "a", 2: "b", 3: "c", 4: "p", 5: "q"}
TERMS = [NAMES[number] for number in range(1, 6)]
facts = st.tuples(st.sampled_from(TERMS), st.sampled_from(TERMS), st.sampled_from(TERMS))
weights = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, 0.3, 1e-200, 3e-162])
graphs = st.dictionaries(facts, weights, min_size=1, max_size=14)


def never() -> bool:
    return False


def make(graph: Mapping[Texts, float], doing: list[Doing]) -> None:
    """A graph with inferred facts, some of which are hidden or asserted meanwhile."""
    Triple.objects.all().delete()
    for text in TERMS:
        Term.objects.get_or_create(text=text)
    store(*(fact(*texts, weight) for texts, weight in graph.items()))
    oracle = Oracle(program(TRANSITIVE, *RULES[1:3]))
    oracle.run(small=False)
    oracle.do(doing)


@contextmanager
def source_of(reader: Reading, *, inferred: bool) -> Iterator[GraphFacts]:
    with reader.snapshots.taken(reader.fetch, always=True) as shown:
        yield GraphFacts(reader.fetch, reader.dialect, shown.filter if shown is not None and inferred else None)


def shown_facts(*, inferred: bool) -> list[Fact]:
    """All facts that queries show, which have tests of their own."""
    ids = term_ids()
    with reading() as other:
        rows = other.heaviest(Wanted((None, None, None), inferred=inferred)).rows
    return [
        Fact(Key(*(ids[text] for text in (row.subject, row.predicate, row.object))), row.weight, _id(row))
        for row in rows
    ]


def _id(row: AnyRow) -> int | None:
    return row.id if isinstance(row, Row) else None


def first_answers(
    question: Question[str], source: GraphFacts, shown: list[Fact], names: Mapping[int, str], k: int
) -> tuple[Question[int], list[tuple[tuple[int, ...], float]], Answers]:
    """The question with ids, all of its answers by trying everything, and the first k as they were found, compared."""
    ids = with_ids(question, term_ids())
    expected = best_answers(ids, ids.selected, shown, names)
    found = find_answers(question, source, never, k=k, counted=True, with_facts=True)
    assert [(answer.terms, answer.weight) for answer in found.answers] == expected[:k]
    assert found.more == (len(expected) > k)
    assert found.total == (len(expected), False)
    return ids, expected, found


def with_names(question: Question[int]) -> Question[str]:
    """The same with texts for its constants."""

    def pattern(given: AskedPattern[int]) -> AskedPattern[str]:
        subject, predicate, object_ = (NAMES[place] if isinstance(place, int) else place for place in given)
        return subject, predicate, object_

    return Question(
        tuple(map(pattern, question.patterns)),
        tuple(tuple(map(pattern, group)) for group in question.optional),
        tuple(map(pattern, question.absent)),
        question.filters,
        question.select,
        question.group_by,
        question.min_weight,
    )


@given(graphs, changes, st.lists(questions(), min_size=3, max_size=3), st.integers(1, 6), st.booleans())
@settings(max_examples=examples(0.3))
def test_answers_are_those_of_trying_everything_whatever_the_way(
    graph: Mapping[Texts, float], doing: list[Doing], asked: list[Question[int]], k: int, inferred: bool
) -> None:
    def compare() -> None:
        make(graph, doing)
        with reading() as reader, source_of(reader, inferred=inferred) as source:
            shown = shown_facts(inferred=inferred)
            names = {id_: text for text, id_ in term_ids().items()}
            for question in map(with_names, asked):
                ids, expected, found = first_answers(question, source, shown, names, k)
                assert found.named.texts.items() >= {
                    (term, names[term]) for terms, _ in expected[:k] for term in terms if term
                }
                order = join_order(ids, source)
                after = Position(expected[k - 1][1], expected[k - 1][0]) if len(expected) >= k else None
                following = expected[k if after else 0 :]
                join = PartsJoin(ids, order.places, source, 100, after, never)
                for way in (joined_in_parts(join, 10), ranked(ids, order.places, source, k=100, after=after)):
                    assert [(answer.terms, answer.weight) for answer in way.answers] == following
                if begins_with_selected(ids, order.places):
                    tied = joined_by_term(ids, order, source, k=2, after=after)
                    answers = [(answer.terms, answer.weight) for answer in tied.answers] if tied else following[:2]
                    assert answers == following[:2]

    in_orm(compare)


@given(graphs, st.lists(questions(), min_size=3, max_size=3), st.integers(1, 6), st.sampled_from([1.0, 0.5]))
@settings(max_examples=examples(0.3))
def test_unweighted_answers_are_those_of_trying_everything(
    graph: Mapping[Texts, float], asked: list[Question[int]], k: int, weight: float
) -> None:
    def compare() -> None:
        make(dict.fromkeys(graph, weight), [])
        with reading() as reader, source_of(reader, inferred=False) as source, pytest.MonkeyPatch.context() as patched:
            patched.setattr(finding_answers, "_FEW", 0)
            patched.setattr(terms_in_order, "ROWS", 1)
            shown = shown_facts(inferred=False)
            names = {id_: text for text, id_ in term_ids().items()}
            for question in map(with_names, asked):
                _, expected, _ = first_answers(question, source, shown, names, k)
                if len(expected) > k:
                    after = Position(expected[k - 1][1], expected[k - 1][0])
                    rest = find_answers(question, source, never, k=100, after=after)
                    assert [(answer.terms, answer.weight) for answer in rest.answers] == expected[k:]

    in_orm(compare)


@pytest.mark.parametrize("dense", [False, True])
def test_terms_of_facts_come_in_order(dense: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_PASSED", 1_000_000 if dense else 1)

    def ask() -> None:
        store(fact("b", "p", "c"), fact("b", "p", "a", 0.5), fact("a", "q", "b"), fact("a", "p", "b", 0.0))
        store(fact("c", "q", "b"), fact("c", "p", "a"))
        Oracle(program(TRANSITIVE)).run(small=False)
        with reading() as reader, source_of(reader, inferred=True) as source:
            shown = shown_facts(inferred=True)
            for place, column, least in product(shown, range(3), (0.0, 0.6)):
                for given in product((False, True), repeat=3):
                    ends = [term if is_given else None for term, is_given in zip(place.key, given, strict=True)]
                    if ends[column] is None:
                        keys = [one.key for one in shown if one.weight > 0 and one.weight >= least]
                        fit = [key for key in keys if all(e in (None, t) for e, t in zip(ends, key, strict=True))]
                        expected = sorted({key[column] for key in fit})
                        assert source.terms((ends[0], ends[1], ends[2]), column, 0, least, 50) == expected

    in_orm(ask)


@given(graphs, changes, questions(), st.data())
@settings(max_examples=examples(0.3))
def test_groups_are_those_of_trying_everything(
    graph: Mapping[Texts, float], doing: list[Doing], question: Question[int], data: st.DataObject
) -> None:
    bound = sorted(question.bound)
    group_by = tuple(data.draw(st.lists(st.sampled_from(bound), min_size=1, max_size=2, unique=True))) if bound else ()
    asked = with_names(replace(question, group_by=group_by))

    def compare() -> None:
        make(graph, doing)
        with reading() as reader, source_of(reader, inferred=True) as source:
            ids = with_ids(asked, term_ids())
            names = {id_: text for text, id_ in term_ids().items()}
            answers = best_answers(ids, (*group_by, *ids.selected), shown_facts(inferred=True), names)
            groups: dict[tuple[int, ...], list[float]] = {}
            for terms, weight in answers:
                groups.setdefault(terms[: len(group_by)], []).append(weight)
            expected = [GroupCount(terms, len(weights), max(weights)) for terms, weights in groups.items()]
            expected.sort(key=lambda group: (-group.answers, -group.weight, group.terms))
            found = find_groups(asked, source, never, most=3)
            assert (found.groups, found.left_out) == (expected[:3], max(0, len(expected) - 3))

    in_orm(compare)


@pytest.mark.parametrize("subject", ["a", Variable("x")])
def test_facts_of_any_predicate_are_found_where_few_are_derived(subject: str | Variable) -> None:
    def ask() -> None:
        store(fact("a", "p", "b"), fact("b", "p", "c"))
        Oracle(program(TRANSITIVE)).run(small=False)
        with reading() as reader, source_of(reader, inferred=True) as source:
            found = find_answers(Question(((subject, Variable("y"), "c"),)), source, never, k=5)
        assert len(found.answers) == (1 if subject == "a" else 2)

    in_orm(ask)


def test_all_of_an_answer_is_of_one_moment() -> None:
    def ask() -> None:
        store(fact("a", "p", "b"), fact("b", "p", "c"))
        x, y = Variable("x"), Variable("y")
        with reading() as reader, source_of(reader, inferred=True) as source:
            before = find_answers(Question((("a", "p", x), (x, "p", y))), source, never, k=5)
            store(fact("a", "p", "c"), fact("c", "p", "d"))
            assert find_answers(Question((("a", "p", x), (x, "p", y))), source, never, k=5) == before
        with reading() as reader, source_of(reader, inferred=True) as source:
            assert len(find_answers(Question((("a", "p", x), (x, "p", y))), source, never, k=5).answers) == 2

    in_orm(ask)


def test_a_search_without_time_says_that_nothing_is_complete() -> None:
    def ask() -> None:
        store(fact("a", "p", "b"))
        with reading() as reader, source_of(reader, inferred=True) as source:
            found = find_answers(Question((("a", "p", Variable("x")),)), source, lambda: True, k=5, counted=True)
        assert (found.answers, found.complete_above, found.total) == ([], 1.0, None)

    in_orm(ask)
