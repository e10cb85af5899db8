"""What a load sends: facts that are not there yet, questions about facts that are."""

from random import Random
from typing import Any

import orjson

from skg_site.ops.loadtest.mixes import Work
from skg_site.ops.loadtest.request_maker import OBJECTS, Fact, RequestMaker

NAME = "load_test-12345678"


def requests(*known: Fact, batch_size: int = 10) -> RequestMaker:
    return RequestMaker(NAME, batch_size, known, Random(1))


def sent(source: RequestMaker, work: Work) -> Any:
    return orjson.loads(source.next(work).body)


def test_no_fact_is_sent_twice_and_each_can_be_found_by_its_predicate() -> None:
    source = requests()
    facts = [sent(source, Work.ADD) for _ in range(20)]
    for _ in range(OBJECTS // 5):
        facts += sent(source, Work.BATCH)["triples"]
    keys = {(fact["subject"], fact["predicate"], fact["object"]) for fact in facts}
    assert len(keys) == len(facts) == source.facts
    assert {fact["predicate"] for fact in facts} == {NAME}
    assert all(fact["subject"].startswith(NAME) and fact["object"].startswith(NAME) for fact in facts)


def test_questions_are_about_facts_of_the_graph_in_five_shapes() -> None:
    known = ("Einstein", "discovered", "Relativity")
    source = requests(known)
    patterns = [sent(source, Work.QUERY)["pattern"] for _ in range(200)]
    assert {tuple(part is not None for part in pattern) for pattern in patterns} == {
        (True, False, False),
        (True, True, False),
        (False, False, True),
        (False, True, True),
        (True, True, True),
    }
    assert all(part in {None, term} for pattern in patterns for part, term in zip(pattern, known, strict=True))


def test_a_term_that_begins_with_a_question_mark_is_no_variable() -> None:
    source = requests(("?why", "asked", "?"))
    places = {str(part) for _ in range(100) for part in sent(source, Work.QUERY)["pattern"]}
    assert places == {"None", "asked", "{'term': '?why'}", "{'term': '?'}"}


def test_where_the_graph_is_empty_questions_are_about_what_the_load_adds() -> None:
    source = requests()
    assert NAME in str(sent(source, Work.QUERY))
    added = [sent(source, Work.ADD) for _ in range(50)]
    terms = {fact[part] for fact in added for part in ("subject", "predicate", "object")} | {None}
    assert {part for _ in range(200) for part in sent(source, Work.QUERY)["pattern"]} <= terms


def test_each_kind_of_work_says_where_it_goes_and_what_is_well() -> None:
    source = requests()
    assert [source.next(work)[::2] for work in (Work.QUERY, Work.ADD, Work.BATCH)] == [
        ("/query", 200),
        ("/triples/add", 201),
        ("/triples/batch", 202),
    ]
