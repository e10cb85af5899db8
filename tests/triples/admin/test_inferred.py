"""Inferred facts in the admin: found by pattern, and shown with what they rest on."""

from html import unescape
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.support.facts import store
from tests.triples.admin.test_facts import messages
from tests.triples.runs.graphs import Silence
from tests.triples.store.inferred.derived import run_stored
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
    run_stored()


def proof_url(*texts: str) -> str:
    terms = dict(Term.objects.values_list("text", "id"))
    subject, predicate, object_ = (terms[text] for text in texts)
    return f"{INFERRED}{ids.pack_inferred(subject, predicate, object_)}/"


def listed(response: Any) -> list[tuple[Any, ...]]:
    if "found" not in response.context:
        return []
    lines = response.context["found"].lines
    return [(*(term.text for term in line.terms), float(line.weight)) for line in lines]


def test_before_the_first_run_there_is_nothing(admin: Client) -> None:
    page = admin.get(INFERRED).content.decode()
    assert "Nothing has been derived yet." in page
    assert 'href="/admin/triples/rule/">Write a rule' in page


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
        assert "<strong>6</strong> facts match" in response.content.decode()

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
        monkeypatch.setattr("triples.admin.pattern_lists.PAGE", 2)
        found: list[Any] = []
        following = "predicate=ancestor"
        while following:
            response = admin.get(f"{INFERRED}?{following}")
            found += listed(response)
            following = response.context["following"]
            assert not following or parse_qs(following)["predicate"] == ["ancestor"]
        assert found == whole

    @pytest.mark.once
    @pytest.mark.parametrize("query", ["min_weight=2", "subject=%07", "predicate=" + "x" * 501])
    def test_nonsense_is_said_at_the_field(self, admin: Client, query: str) -> None:
        response = admin.get(f"{INFERRED}?{query}")
        assert response.context["form"].errors.keys() == {query.partition("=")[0]}
        assert listed(response) == []

    @pytest.mark.once
    def test_a_page_that_nobody_gave_is_refused(self, admin: Client) -> None:
        assert admin.get(f"{INFERRED}?after=xyz").status_code == 400
        assert admin.get(f"{INFERRED}?after=00").status_code == 400


@pytest.mark.usefixtures("ancestors")
class TestBothKinds:
    def test_they_are_in_one_list_heaviest_first(self, admin: Client) -> None:
        response = admin.get(f"{INFERRED}?kinds=both&subject=a")
        assert listed(response) == [
            ("a", "parent", "b", 0.5),
            ("a", "ancestor", "b", 0.5),
            ("a", "ancestor", "c", 0.25),
            ("a", "ancestor", "d", 0.125),
        ]
        assert [line.inferred for line in response.context["found"].lines] == [False, True, True, True]

    def test_asserted_ones_of_two_terms_have_a_list_as_well(self, admin: Client) -> None:
        assert listed(admin.get(f"{INFERRED}?kinds=asserted&subject=a&object=b")) == [("a", "parent", "b", 0.5)]

    def test_pages_go_from_one_kind_to_the_other(self, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = listed(admin.get(f"{INFERRED}?kinds=both"))
        assert len(whole) == 9
        monkeypatch.setattr("triples.admin.pattern_lists.PAGE", 2)
        found: list[Any] = []
        following = "kinds=both"
        while following:
            response = admin.get(f"{INFERRED}?{following}")
            found += listed(response)
            following = response.context["following"]
        assert found == whole

    @pytest.mark.parametrize(
        ("pattern", "numbers"),
        [("", ["3", "6", "9"]), ("predicate=ancestor", ["0", "6", "6"]), ("subject=b&object=c", ["1", "1", "2"])],
    )
    def test_tabs_lead_from_kind_to_kind_with_their_numbers(
        self, admin: Client, pattern: str, numbers: list[str]
    ) -> None:
        for kinds in ("inferred", "both"):
            tabs = admin.get(f"{INFERRED}?kinds={kinds}&{pattern}").context["tabs"]
            assert [tab.number for tab in tabs] == numbers
            assert [tab.label for tab in tabs if tab.current] == [kinds.capitalize()]
            for tab in tabs:
                assert admin.get(tab.url).status_code == 200

    def test_the_list_of_asserted_facts_has_the_same_tabs(self, admin: Client) -> None:
        response = admin.get("/admin/triples/triple/", {"q": 's:"a"', "predicate": "ancestor"})
        tabs = response.context["cl"].tabs
        assert [tab.number for tab in tabs] == ["0", "3", "3"]
        assert tabs[1].url == f"{INFERRED}?subject=a&predicate=ancestor"
        assert f'href="{INFERRED}?subject=a&amp;predicate=ancestor"' in response.content.decode()

    @pytest.mark.once
    def test_each_term_is_a_link(self, admin: Client) -> None:
        page = admin.get(f"{INFERRED}?kinds=both").content.decode()
        for text, id_ in Term.objects.values_list("text", "id"):
            assert f'<a href="/admin/triples/term/{id_}/change/">{text}</a>' in page

    @pytest.mark.once
    def test_no_match_says_what_to_do(self, admin: Client) -> None:
        assert "No fact matches. Empty a field" in admin.get(f"{INFERRED}?subject=nothing").content.decode()

    @pytest.mark.once
    def test_only_those_who_may_see_both(self, admin: Client) -> None:
        reader = User.objects.create_user("half", is_staff=True)
        reader.user_permissions.set(Permission.objects.filter(codename="view_inferredtriple"))
        client = Client()
        client.force_login(reader)
        assert client.get(INFERRED).context["tabs"] == []
        assert client.get(f"{INFERRED}?kinds=both").status_code == 403
        assert client.get(f"{INFERRED}?kinds=other").status_code == 403


@pytest.mark.usefixtures("ancestors")
class TestProof:
    def test_a_proof_is_a_tree_with_weights_rules_and_asserted_leaves(self, admin: Client) -> None:
        content = unescape(admin.get(proof_url("a", "ancestor", "c")).content.decode())
        parent = Triple.objects.get(subject__text="a", predicate__text="parent")
        rule = Rule.objects.get(name="ancestors")
        assert content.count('<li id="fact-') == 3
        assert content.count("proof-asserted") == 2
        assert "?x ancestor ?z  <-  ?x ancestor ?y, ?y ancestor ?z  (0.5)" in content
        assert f'href="/admin/triples/triple/{parent.pk}/change/">asserted' in content
        terms = dict(Term.objects.values_list("text", "id"))
        assert f'<a href="/admin/triples/term/{terms["parent"]}/change/"><em>parent</em></a>' in content
        assert f'<a href="/admin/triples/term/{terms["b"]}/change/">b</a>' in content
        assert f'<a href="/admin/triples/rule/{rule.pk}/change/">ancestors</a>' in content
        assert f'href="{proof_url("a", "ancestor", "b")}">its own proof' in content
        assert [node in content for node in (">0.25<", ">0.5<", ">1.0<")] == [True] * 3

    @pytest.mark.once
    def test_the_list_leads_to_the_proof(self, admin: Client) -> None:
        assert f'<a href="{proof_url("a", "ancestor", "d")}">Proof' in admin.get(INFERRED).content.decode()

    @pytest.mark.once
    def test_a_deep_tree_is_cut_and_goes_on_elsewhere(self, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("triples.admin.inferred.DEPTH", 1)
        content = admin.get(proof_url("a", "ancestor", "d")).content.decode()
        assert content.count("the tree is cut here") == 2

    @pytest.mark.once
    def test_a_rule_that_is_gone_is_named_without_a_link(self, admin: Client) -> None:
        Rule.objects.all().delete()
        content = admin.get(proof_url("a", "ancestor", "c")).content.decode()
        assert "by ancestors</span>" in content

    @pytest.mark.once
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


@pytest.mark.once
def test_only_those_who_may_see_them(ancestors: None) -> None:
    User.objects.create_user("reader", is_staff=True)
    reader = Client()
    reader.force_login(User.objects.get(username="reader"))
    assert reader.get(INFERRED).status_code == 403
    assert reader.get(proof_url("a", "ancestor", "c")).status_code == 403
    assert Client().get(INFERRED).status_code == 302
