"""Terms in the admin: found by how they begin, with the way to their facts, and never changed."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.support.facts import store
from triples.admin import lists, term_lookups, terms
from triples.admin.terms import TermAdmin
from triples.models import Term, Triple

pytestmark = pytest.mark.both

TERMS = "/admin/triples/term/"


def listed(admin: Client, **parameters: Any) -> list[str]:
    response = admin.get(f"{TERMS}?{urlencode(parameters)}")
    assert response.status_code == 200, response
    return [term.text for term in response.context["cl"].result_list]


def test_terms_are_listed_by_their_code_points(admin: Client, animals: list[Triple]) -> None:
    store(("ähnlich", "is_a", "Zebra"), ("éclair", "is_a", "Cake"))
    assert listed(admin) == sorted(Term.objects.values_list("text", flat=True))


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("dog", ["dog", "Dog", "dogma", "dog.n.01"]),
        ("Dog", ["Dog", "dog", "dogma", "dog.n.01"]),
        ('"dog"', ["dog"]),
        ("D", ["dog", "Dog", "dogma", "dog.n.01"]),
        ("n.01", ["dog.n.01"]),
        ("mamal", ["mammal"]),
        ("beleif", ["belief"]),
        ("chased", ["chased_by"]),
        ("s:dog", ["dog", "Dog"]),
        ("%", []),
        ("cat ", ["cat"]),
    ],
)
def test_a_search_finds_terms_by_parts_and_in_spite_of_typos_the_best_first(
    admin: Client, animals: list[Triple], typed: str, found: list[str]
) -> None:
    assert listed(admin, q=typed) == found


@pytest.mark.once
def test_what_cannot_be_a_term_is_explained(admin: Client, animals: list[Triple]) -> None:
    response = admin.get(TERMS, {"q": '""'})
    assert "This cannot be a term: it must not be empty." in response.content.decode()


def test_a_term_leads_to_its_facts_at_each_place_where_it_stands(admin: Client, animals: list[Triple]) -> None:
    page = admin.get(TERMS, {"q": '"dog"'}).content.decode()
    links = {place: f'href="/admin/triples/triple/?q={place[0]}%3A%22dog%22"' for place in ("subject", "object")}
    assert all(link in page for link in links.values())
    assert "q=p%3A" not in page
    assert [
        fact.subject.text for fact in admin.get("/admin/triples/triple/", {"q": 'o:"dog"'}).context["cl"].result_list
    ] == [
        "dog.n.01",
        "cat",
    ]


@pytest.mark.once
def test_a_term_without_facts_says_so(admin: Client, animals: list[Triple]) -> None:
    Triple.objects.all().delete()
    assert "nothing, any more" in admin.get(TERMS, {"q": '"dog"'}).content.decode()
    shown = admin.get(f"{TERMS}{Term.objects.get(text='dog').pk}/change/").content.decode()
    assert "No fact has this term any more." in shown
    assert 'href="/admin/triples/triple/add/?subject=dog"' in shown


@pytest.mark.once
def test_a_term_is_read_only(admin: Client, animals: list[Triple]) -> None:
    dog = Term.objects.get(text="dog")
    shown = admin.get(f"{TERMS}{dog.pk}/change/")
    assert shown.status_code == 200
    assert 'name="text"' not in shown.content.decode()
    assert admin.post(f"{TERMS}{dog.pk}/change/", {"text": "cat"}).status_code == 403
    assert admin.get(f"{TERMS}add/").status_code == 403
    assert admin.post(f"{TERMS}{dog.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin.get(TERMS, {"text__contains": "o"}).status_code == 400


def test_a_long_list_is_not_counted(admin: Client, animals: list[Triple], monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (lists, terms):
        monkeypatch.setattr(module, "REACH", 3)
    monkeypatch.setattr(TermAdmin, "list_per_page", 2)
    assert listed(admin) + listed(admin, p=2) == ["Dog", "belief", "cat"]
    assert "More than 3 terms; the first 3 are listed" in admin.get(TERMS).content.decode()
    assert admin.get(TERMS, {"p": 3}).status_code == 302


def test_the_number_of_rows_does_not_change_the_number_of_queries(admin: Client, database: None) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert listed(admin)
        return len(captured)

    store(("subject", "predicate", "object"))
    # The session, the user, the ids, the rows.
    assert queries() == 4
    store(*((f"subject {count}", "predicate", f"object {count}") for count in range(60)))
    assert queries() == 4


def test_pages_of_a_search_follow_each_other(
    admin: Client, animals: list[Triple], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the best come all that begin with the text, however many they are."""
    store(*((f"dog {number:02}", "is_a", "thing") for number in range(9)))
    whole = listed(admin, q="dog")
    assert len(whole) == 4 + 9
    monkeypatch.setattr(term_lookups, "BEST", 3)
    monkeypatch.setattr(TermAdmin, "list_per_page", 5)
    paged = [text for number in (1, 2, 3) for text in listed(admin, q="dog", p=number)]
    assert paged[:2] == ["dog", "Dog"]
    assert set(paged) == set(whole)
    assert len(paged) == len(whole)


class TestCompletion:
    def test_existing_terms_are_offered_with_the_numbers_of_their_facts(
        self, admin: Client, animals: list[Triple]
    ) -> None:
        offered = admin.get(f"{TERMS}complete/", {"q": "dog", "place": "object"}).json()
        assert offered == {"terms": [{"text": "dog", "shown": "dog", "facts": "2 facts"}]}
        predicates = admin.get(f"{TERMS}complete/", {"q": "chasd", "place": "predicate"}).json()["terms"]
        assert [term["text"] for term in predicates] == ["chased_by"]
        assert len(admin.get(f"{TERMS}complete/", {"q": "dog", "place": "moon"}).json()["terms"]) == 4

    @pytest.mark.once
    def test_what_cannot_be_a_term_is_no_fault(self, admin: Client, animals: list[Triple]) -> None:
        for typed in ("", "  ", "\x07", "x" * 501):
            assert admin.get(f"{TERMS}complete/", {"q": typed}).json() == {"terms": []}

    @pytest.mark.once
    def test_what_nobody_could_see_is_shown_escaped(self, admin: Client, database: None) -> None:
        store(("evil\u202etxt", "is_a", "trick"))
        [term] = admin.get(f"{TERMS}complete/", {"q": "evil"}).json()["terms"]
        assert (term["text"], term["shown"]) == ("evil\u202etxt", "evil\\u202etxt")

    @pytest.mark.once
    def test_only_for_those_who_may_see_terms(self, admin: Client, animals: list[Triple]) -> None:
        User.objects.create_user("reader", is_staff=True)
        reader = Client()
        reader.force_login(User.objects.get(username="reader"))
        assert reader.get(f"{TERMS}complete/", {"q": "dog"}).status_code == 403
        assert Client().get(f"{TERMS}complete/", {"q": "dog"}).status_code == 302
