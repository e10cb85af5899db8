"""The list of facts: what it finds, what it says, what it costs."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.support.facts import store
from triples.admin import fact_list, filters, lists
from triples.admin.facts import TripleAdmin
from triples.models import Source, Triple
from triples.query import fact_lists

pytestmark = pytest.mark.both

FACTS = "/admin/triples/triple/"


def listed(admin: Client, **parameters: Any) -> list[str]:
    """The subjects of the facts that are listed."""
    response = admin.get(f"{FACTS}?{urlencode(parameters)}")
    assert response.status_code == 200, response
    return [fact.subject.text for fact in response.context["cl"].result_list]


def page(admin: Client, **parameters: Any) -> str:
    return admin.get(f"{FACTS}?{urlencode(parameters)}").content.decode()


def test_all_facts_are_listed_newest_first(admin: Client, animals: list[Triple]) -> None:
    assert listed(admin) == ["Dog", "cat", "dogma", "dog.n.01", "dog"]
    assert "5 triples" in page(admin)


@pytest.mark.once
def test_an_empty_graph_is_an_empty_list(admin: Client) -> None:
    assert listed(admin) == []
    assert "0 triples" in page(admin)


@pytest.mark.parametrize(
    ("typed", "subjects"),
    [
        ("dog", ["dogma", "dog", "dog.n.01", "cat"]),
        ("s:dog", ["dogma", "dog", "dog.n.01"]),
        ("o:dog", ["dog.n.01", "cat"]),
        ("p:chased", ["cat"]),
        ("p:dog", []),
        ('"dog"', ["dog", "dog.n.01", "cat"]),
        ('s:"dog"', ["dog"]),
        ("Dog", ["Dog"]),
        ("og", []),
        ("d%", []),
        ("d_g", []),
        ("'; DROP TABLE triples_triple; --", []),
    ],
)
def test_a_search_finds_terms_by_how_they_begin(
    admin: Client, animals: list[Triple], typed: str, subjects: list[str]
) -> None:
    assert listed(admin, q=typed) == subjects


@pytest.mark.once
def test_an_id_of_the_api_finds_its_fact(admin: Client, animals: list[Triple]) -> None:
    from django.contrib import admin as django_admin

    model_admin = django_admin.site.get_model_admin(Triple)
    assert isinstance(model_admin, TripleAdmin)
    assert listed(admin, q=model_admin.public_id(animals[3])) == ["cat"]


@pytest.mark.once
def test_what_cannot_be_a_term_is_explained(admin: Client, animals: list[Triple]) -> None:
    assert listed(admin, q="x" * 10_001) == []
    assert "This cannot be a term: it must have at most 10000 characters, not 10001." in page(admin, q="x" * 10_001)


def test_a_search_takes_the_first_terms_and_says_so(
    admin: Client, animals: list[Triple], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fact_list, "MAX_TERMS", 2)
    assert listed(admin, q="s:dog") == ["dog", "dog.n.01"]
    assert "More than 2 terms begin with this; the facts of the first 2 are listed." in page(admin, q="s:dog")
    assert "terms begin with this" not in page(admin, q='s:"dog"')


@pytest.mark.parametrize(
    ("wanted", "subjects"),
    [
        ({"weight": "1"}, ["dogma"]),
        ({"weight": "0.9"}, ["dog"]),
        ({"weight": "0.5"}, ["dog.n.01"]),
        ({"weight": "0.1"}, ["cat"]),
        ({"weight": "0"}, ["Dog"]),
        ({"source": "api"}, ["dogma", "dog.n.01", "dog"]),
        ({"source": "batch"}, []),
        ({"source": "import"}, ["cat"]),
        ({"source": "admin"}, ["Dog"]),
        ({"metadata": "yes"}, ["dogma"]),
        ({"metadata": "no"}, ["Dog", "cat", "dog.n.01", "dog"]),
        ({"metadata": "no", "source": "api"}, ["dog.n.01", "dog"]),
        ({"q": "o:dog", "source": "import"}, ["cat"]),
    ],
)
def test_filters_narrow_the_list(
    admin: Client, animals: list[Triple], wanted: dict[str, str], subjects: list[str]
) -> None:
    assert listed(admin, **wanted) == subjects


def test_facts_are_filtered_by_a_predicate_in_use(admin: Client, animals: list[Triple]) -> None:
    assert listed(admin, predicate="is_a") == ["dogma", "dog", "dog.n.01", "Dog"]
    assert listed(admin, predicate=" is_a ", q="o:dog") == ["dog.n.01"]
    assert listed(admin, predicate="unknown") == []
    assert listed(admin, predicate="") == listed(admin)


def test_the_most_frequent_predicates_are_offered_and_the_others_counted(
    admin: Client, animals: list[Triple], monkeypatch: pytest.MonkeyPatch
) -> None:
    store(("x", "knows", "y"))
    shown = page(admin)
    assert "One of 3 predicates" in shown
    assert 'href="?predicate=is_a">is_a <span class="quiet">4</span></a>' in shown
    assert "type a part of the name" not in shown
    monkeypatch.setattr(filters, "MAX_PREDICATES", 1)
    shown = page(admin, weight="1")
    assert "and 2 others: type a part of the name above" in shown
    assert '<input type="hidden" name="weight" value="1">' in shown
    assert listed(admin, predicate="chased_by") == ["cat"]


@pytest.mark.once
@pytest.mark.parametrize("wanted", [{"weight": "7"}, {"source": "moon"}, {"metadata": "x"}, {"p": "9"}])
def test_a_filter_or_page_that_is_not_there_leads_back_to_the_list(
    admin: Client, animals: list[Triple], wanted: dict[str, str]
) -> None:
    response = admin.get(FACTS, wanted)
    assert (response.status_code, response["Location"]) == (302, f"{FACTS}?e=1")
    assert listed(admin, e=1) == listed(admin)


@pytest.mark.once
@pytest.mark.parametrize("lookup", ["weight__gt", "subject__text__contains", "created_at", "anything"])
def test_no_other_column_can_be_filtered_by(admin: Client, animals: list[Triple], lookup: str) -> None:
    assert admin.get(FACTS, {lookup: "0"}).status_code == 400


def test_the_weight_can_be_sorted_by_both_ways(admin: Client, animals: list[Triple]) -> None:
    column = list(TripleAdmin.list_display).index("weight") + 1
    assert listed(admin, o=f"-{column}") == ["dogma", "dog", "dog.n.01", "cat", "Dog"]
    assert listed(admin, o=column) == ["Dog", "cat", "dog.n.01", "dog", "dogma"]
    assert listed(admin, o=column, q="o:dog") == ["cat", "dog.n.01"]
    # No index has the facts by subject: asking for it changes nothing.
    assert listed(admin, o=2) == listed(admin)


@pytest.mark.once
def test_every_term_and_the_fact_itself_have_a_link(admin: Client, animals: list[Triple]) -> None:
    shown = page(admin, q='"dogma"')
    [fact] = [fact for fact in animals if fact.subject.text == "dogma"]
    for term in (fact.subject, fact.predicate, fact.object):
        assert f'<a href="/admin/triples/term/{term.pk}/change/">{term.text}</a>' in shown
    assert f'<a href="/admin/triples/triple/{fact.pk}/change/?' in shown
    assert 'Open<span class="visually-hidden"> dogma is_a belief</span>' in shown


class TestALongList:
    @pytest.fixture(autouse=True)
    def short_reach(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (fact_lists, lists):
            monkeypatch.setattr(module, "REACH", 3)
        monkeypatch.setattr(fact_lists, "FILTER_REACH", 3)
        monkeypatch.setattr(TripleAdmin, "list_per_page", 2)

    def test_all_are_counted_but_not_all_are_listed(self, admin: Client, animals: list[Triple]) -> None:
        assert listed(admin) + listed(admin, p=2) == ["Dog", "cat", "dogma"]
        assert "5 triples; the newest 3 are listed" in page(admin)
        assert admin.get(FACTS, {"p": 3}).status_code == 302

    def test_a_search_does_not_count_them_all(self, admin: Client, animals: list[Triple]) -> None:
        assert "More than 3 triples; the heaviest 3 are listed" in page(admin, q="p:is_a")

    def test_filters_without_an_index_say_how_far_they_look(self, admin: Client, animals: list[Triple]) -> None:
        assert listed(admin, metadata="no") == ["Dog", "cat"]
        assert "these filters look at the newest 3 facts." in page(admin, metadata="no")
        assert "these filters look at the heaviest 1 facts of each term at each place." in page(
            admin, metadata="no", q='"dog"'
        )

    @pytest.mark.once
    def test_there_is_no_offer_to_show_or_to_select_all(self, admin: Client, animals: list[Triple]) -> None:
        shown = page(admin, all="")
        assert "Select all 3" not in shown
        assert "Show all" not in shown
        assert listed(admin, all="") == ["Dog", "cat"]


def queries(admin: Client, **parameters: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert listed(admin, **parameters)
    return len(captured)


@pytest.mark.parametrize(
    ("parameters", "number"),
    [
        # The session, the user, the predicates in use, the ids, the rows.
        ({}, 5),
        ({"weight": "1"}, 5),
        # And the terms.
        ({"q": "subject"}, 6),
        # And how many facts there are, which says whether the filter saw them all.
        ({"source": "api"}, 6),
    ],
)
def test_the_number_of_rows_does_not_change_the_number_of_queries(
    admin: Client, parameters: dict[str, str], number: int
) -> None:
    store(("subject", "predicate", "object"))
    assert queries(admin, **parameters) == number
    store(*((f"subject {count}", f"predicate {count % 7}", f"object {count}", 1.0, '{"a":1}') for count in range(60)))
    assert queries(admin, **parameters) == number


@pytest.mark.once
def test_texts_are_shown_as_text(admin: Client, database: None) -> None:
    store(("<script>alert(1)</script>", "is_a", "<b>bold</b>", 1.0, '{"<i>":"&"}', Source.API))
    shown = page(admin, q="<script>")
    assert "<script>alert" not in shown
    assert "<b>bold" not in shown
    assert "<i>" not in shown
    assert "&lt;script&gt;alert(1)" in shown
