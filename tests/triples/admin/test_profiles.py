"""The page of a term: its facts in both directions, with their numbers, a picture, and links to go on by."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.support.facts import store
from tests.triples.admin.test_inferred import ancestors, derive, proof_url
from triples.admin import profile_graph
from triples.models import Source, Term, Triple

pytestmark = pytest.mark.both
__all__ = ["ancestors"]

TERMS = "/admin/triples/term/"


def opened(client: Client, text: str) -> str:
    response = client.get(f"{TERMS}{Term.objects.get(text=text).pk}/change/")
    assert response.status_code == 200
    return unescape(response.content.decode())


def rows_of(page: str, section: str) -> list[list[str]]:
    """The cells of a section's table, as texts."""
    table = page.partition(f'aria-labelledby="{section}" tabindex')[2].partition("</table>")[0]
    rows = re.findall(r"<tr.*?</tr>", table, re.DOTALL)
    return [[_seen(cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)] for row in rows]


def _seen(cell: str) -> str:
    shown = re.sub(r"<span class=\"visually-hidden\">.*?</span>|<[^>]*>", "", cell)
    return " ".join(shown.split())


@pytest.mark.usefixtures("ancestors")
class TestFacts:
    def test_both_directions_by_predicate_heaviest_first(self, admin: Client) -> None:
        page = opened(admin, "b")
        assert rows_of(page, "profile-out")[1:] == [
            ["ancestor 2"],
            ["c", "1.0", "inferred", "parents", "", "Proof"],
            ["d", "0.5", "inferred", "ancestors", "", "Proof"],
            ["parent 1"],
            ["c", "1.0", "asserted", "api", "", "Open"],
        ]
        assert rows_of(page, "profile-in")[1:] == [
            ["ancestor 1"],
            ["a", "0.5", "inferred", "parents", "", "Proof"],
            ["parent 1"],
            ["a", "0.5", "asserted", "api", "", "Open"],
        ]

    @pytest.mark.once
    def test_each_fact_and_each_term_has_a_link(self, admin: Client) -> None:
        page = opened(admin, "b")
        ids = dict(Term.objects.values_list("text", "id"))
        fact = Triple.objects.get(subject__text="b", predicate__text="parent")
        assert f'<a href="{proof_url("b", "ancestor", "d")}">Proof' in page
        assert f'<a href="/admin/triples/triple/{fact.pk}/change/">Open' in page
        assert all(f'<a href="{TERMS}{ids[text]}/change/">{text}</a>' in page for text in ("a", "c", "d", "parent"))

    @pytest.mark.once
    def test_a_predicate_shows_its_facts(self, admin: Client) -> None:
        assert rows_of(opened(admin, "parent"), "profile-between")[1:] == [
            ["b", "c", "1.0", "asserted", "api", "", "Open"],
            ["c", "d", "1.0", "asserted", "api", "", "Open"],
            ["a", "b", "0.5", "asserted", "api", "", "Open"],
        ]

    @pytest.mark.once
    def test_the_picture_has_a_linked_node_for_each_neighbour(self, admin: Client) -> None:
        page = opened(admin, "b")
        picture = page.partition("<svg viewBox")[2].partition("</svg>")[0]
        assert re.findall(r"<title>(.*?)</title>", picture) == [
            "b parent c: weight 1.0, asserted",
            "a parent b: weight 0.5, asserted",
            "b ancestor d: weight 0.5, inferred",
        ]
        assert picture.count("profile-edge-inferred") == 1
        assert "style=" not in picture

    @pytest.mark.once
    def test_a_fact_about_it_can_be_added(self, admin: Client) -> None:
        assert 'href="/admin/triples/triple/add/?subject=b"' in opened(admin, "b")

    def test_who_may_not_see_inferred_facts_sees_none(self, admin: Client) -> None:
        reader = User.objects.create_user("reader", is_staff=True)
        reader.user_permissions.set(Permission.objects.filter(codename__in=["view_term", "view_triple"]))
        client = Client()
        client.force_login(reader)
        page = opened(client, "b")
        assert "Proof" not in page
        assert "kinds=" not in page
        assert "Add a fact" not in page
        reader.user_permissions.set(Permission.objects.filter(codename="view_term"))
        assert "not at facts" in opened(client, "b")


def test_what_is_not_shown_is_counted_and_linked(admin: Client, database: None) -> None:
    store(*((f"x{number}", "in", "hub", number / 40) for number in range(30)))
    page = opened(admin, "hub")
    assert "in 5 of 30, show all" in " ".join(rows_of(page, "profile-in")[1])
    assert "18 other facts below" in page
    listed = admin.get("/admin/triples/inferredtriple/?predicate=in&object=hub&kinds=both")
    assert len(listed.context["found"].lines) == 30


@pytest.mark.once
def test_metadata_and_the_way_it_came_in_are_shown(admin: Client, animals: list[Triple]) -> None:
    assert rows_of(opened(admin, "dogma"), "profile-out")[2] == [
        "belief",
        "1.0",
        "asserted",
        "api",
        '{"source":"book"}',
        "Open",
    ]
    assert rows_of(opened(admin, "cat"), "profile-out")[2][3] == Source.IMPORT.label


@pytest.mark.once
def test_texts_are_shown_as_text(admin: Client, database: None) -> None:
    store(("<b>bold</b>", "is_a", "evil\u202etxt"), ("שלום", "is_a", "<b>bold</b>"))
    response = admin.get(f"{TERMS}{Term.objects.get(text='<b>bold</b>').pk}/change/")
    page = response.content.decode()
    assert "<b>bold" not in page
    assert "\u202e" not in page
    assert "<bdi>שלום</bdi>" in page


@pytest.mark.once
def test_derived_weights_are_rounded(admin: Client, database: None) -> None:
    from triples.rules.documents import read_document
    from triples.services.rules import rules_add

    store(("a", "in", "b", 0.9), ("b", "in", "c", 0.9), ("c", "in", "d", 0.9), ("a", "in", "x", 0.9 * 0.9 * 0.9))
    rules_add(drafts=read_document({"transitive": "in", "name": "in"}))
    derive()
    weights = {row[0]: row[1] for row in rows_of(opened(admin, "a"), "profile-out")[2:]}
    assert weights == {"b": "0.9", "c": "0.81", "d": "0.729", "x": "0.7290000000000001"}


@pytest.mark.once
@pytest.mark.parametrize(
    ("text", "shown"),
    [("x" * 16, "x" * 16), ("x" * 17, "x" * 15 + "…"), ("维" * 8, "维" * 8), ("维" * 9, "维" * 7 + "…")],
)
def test_labels_are_cut_to_their_room(text: str, shown: str) -> None:
    assert profile_graph.shortened(text) == shown
