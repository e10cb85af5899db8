"""Inferred facts in the admin: found by pattern, and shown with what they rest on."""

from html import unescape
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.support.facts import store
from tests.triples.admin.test_facts import messages
from tests.triples.runs.graphs import Silence
from triples import ids
from triples.models import Rule, Term, Triple
from triples.rules.documents import read_document
from triples.runs.options import RunOptions
from triples.runs.recording import Recorder, perform
from triples.services.rules import rules_add
from triples.services.runs import run_queue

pytestmark = pytest.mark.both

INFERRED = "/admin/triples/inferredtriple/"


def derive() -> None:
    run = run_queue(options=RunOptions(), requested_by="tests")
    perform(run, Recorder(run, Silence()))


@pytest.fixture
def ancestors(database: None) -> None:
    """a to d in a line, each the parent of the next, with what follows from it."""
    store(("a", "parent", "b", 0.5), ("b", "parent", "c"), ("c", "parent", "d"))
    rules_add(drafts=read_document({"sub_property": ["parent", "ancestor"], "name": "parents"}))
    rules_add(drafts=read_document({"transitive": "ancestor", "name": "ancestors", "weight": 0.5}))
    derive()


def proof_url(*texts: str) -> str:
    terms = dict(Term.objects.values_list("text", "id"))
    subject, predicate, object_ = (terms[text] for text in texts)
    return f"{INFERRED}{ids.pack_inferred(subject, predicate, object_)}/"


def listed(response: Any) -> list[tuple[str, str, str, float]]:
    return [(row.subject, row.predicate, row.object, row.weight) for row, _ in response.context["facts"]]


def test_before_the_first_run_there_is_nothing(admin: Client) -> None:
    assert "Nothing has been derived yet." in admin.get(INFERRED).content.decode()


@pytest.mark.usefixtures("ancestors")
class TestList:
    def test_the_heaviest_come_first(self, admin: Client) -> None:
        response = admin.get(INFERRED)
        assert listed(response) == [
            ("b", "ancestor", "c", 1.0),
            ("c", "ancestor", "d", 1.0),
            ("a", "ancestor", "b", 0.5),
            ("b", "ancestor", "d", 0.5),
            ("a", "ancestor", "c", 0.25),
            ("a", "ancestor", "d", 0.125),
        ]
        assert "The last run left 6 inferred facts." in response.content.decode()

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("subject=a", 3),
            ("predicate=ancestor&object=d", 3),
            ("subject= b &min_weight=0.75", 1),
            ("predicate=parent", 0),
            ("subject=nothing", 0),
        ],
    )
    def test_facts_are_found_by_pattern(self, admin: Client, query: str, count: int) -> None:
        assert len(listed(admin.get(f"{INFERRED}?{query}"))) == count

    def test_pages_follow_each_other(self, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = listed(admin.get(INFERRED))
        monkeypatch.setattr("triples.admin.inferred.PAGE", 2)
        found: list[Any] = []
        following = "predicate=ancestor"
        while following:
            response = admin.get(f"{INFERRED}?{following}")
            found += listed(response)
            following = response.context["following"]
            assert not following or parse_qs(following)["predicate"] == ["ancestor"]
        assert found == whole

    @pytest.mark.parametrize("query", ["min_weight=2", "subject=%07", "predicate=" + "x" * 101])
    def test_nonsense_is_said_at_the_field(self, admin: Client, query: str) -> None:
        response = admin.get(f"{INFERRED}?{query}")
        assert response.context["form"].errors.keys() == {query.partition("=")[0]}
        assert listed(response) == []

    def test_a_page_that_nobody_gave_is_refused(self, admin: Client) -> None:
        assert admin.get(f"{INFERRED}?after=xyz").status_code == 400


@pytest.mark.usefixtures("ancestors")
class TestProof:
    def test_a_proof_is_a_tree_with_weights_rules_and_asserted_leaves(self, admin: Client) -> None:
        content = unescape(admin.get(proof_url("a", "ancestor", "c")).content.decode())
        parent = Triple.objects.get(subject__text="a", predicate__text="parent")
        rule = Rule.objects.get(name="ancestors")
        assert content.count('<li id="fact-') == 3
        assert content.count("proof-asserted") == 2
        assert "?x ancestor ?z  <-  ?x ancestor ?y, ?y ancestor ?z  (0.5)" in content
        assert f'<a href="/admin/triples/triple/{parent.pk}/change/">a <em>parent</em> b</a>' in content
        assert f'<a href="/admin/triples/rule/{rule.pk}/change/">ancestors</a>' in content
        assert f'<a href="{proof_url("a", "ancestor", "b")}">' in content
        assert [node in content for node in (">0.25<", ">0.5<", ">1.0<")] == [True] * 3

    def test_the_list_leads_to_the_proof(self, admin: Client) -> None:
        assert f'<a href="{proof_url("a", "ancestor", "d")}">a</a>' in admin.get(INFERRED).content.decode()

    def test_a_deep_tree_is_cut_and_goes_on_elsewhere(self, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("triples.admin.inferred.DEPTH", 1)
        content = admin.get(proof_url("a", "ancestor", "d")).content.decode()
        assert content.count("the tree is cut here") == 2

    def test_a_rule_that_is_gone_is_named_without_a_link(self, admin: Client) -> None:
        Rule.objects.all().delete()
        content = admin.get(proof_url("a", "ancestor", "c")).content.decode()
        assert "by ancestors</span>" in content

    def test_what_is_not_derived_has_no_proof(self, admin: Client) -> None:
        for url in (proof_url("a", "parent", "d"), f"{INFERRED}00000000-0000-0000-0000-000000000000/"):
            response = admin.get(url, follow=True)
            assert response.redirect_chain == [(INFERRED, 302)]
            assert messages(response) == ["This fact is not derived, or not any more."]

    def test_what_rests_on_a_deleted_fact_is_not_shown(self, admin: Client) -> None:
        parent = Triple.objects.get(subject__text="a", predicate__text="parent")
        admin.post(f"/admin/triples/triple/{parent.pk}/delete/", {"post": "yes"})
        assert listed(admin.get(f"{INFERRED}?subject=a")) == []
        assert admin.get(proof_url("a", "ancestor", "c")).status_code == 302


def test_only_those_who_may_see_them(ancestors: None) -> None:
    User.objects.create_user("reader", is_staff=True)
    reader = Client()
    reader.force_login(User.objects.get(username="reader"))
    assert reader.get(INFERRED).status_code == 403
    assert reader.get(proof_url("a", "ancestor", "c")).status_code == 403
    assert Client().get(INFERRED).status_code == 302
