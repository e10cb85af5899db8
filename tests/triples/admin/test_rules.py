"""Rules written in the admin as patterns, with errors at their fields, a preview, and enabling and disabling."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client

from tests.support.facts import store
from tests.triples.admin.test_facts import errors, messages
from triples.models import RecursionRun, Rule
from triples.rules.documents import read_document
from triples.runs.options import RunOptions
from triples.runs.previews import TooMuch
from triples.services.rules import rule_change, rules_add
from triples.services.runs import run_queue

pytestmark = pytest.mark.both

RULES = "/admin/triples/rule/"
NEW = {
    "name": "grandparent",
    "head": "?x grandparent_of ?z",
    "body": "?x parent_of ?y\r\n\r\n  ?y parent_of ?z\r\n",
    "distinct": "?x ?z",
    "weight": "0.9",
    "description": "",
    "enabled": "on",
}
DOCUMENT: dict[str, Any] = {
    "name": "grandparent",
    "weight": 0.9,
    "head": ["?x", "grandparent_of", "?z"],
    "body": [["?x", "parent_of", "?y"], ["?y", "parent_of", "?z"]],
    "distinct": [["?x", "?z"]],
}


@pytest.fixture
def rule(database: None) -> Rule:
    return rules_add(drafts=read_document(DOCUMENT))[0]


def change_url(rule: Rule) -> str:
    return f"{RULES}{rule.pk}/change/"


def shown_form(admin: Client, rule: Rule) -> dict[str, str]:
    """What a browser would send back unchanged."""
    form = admin.get(change_url(rule)).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    sent = {name: form.fields[name].prepare_value(value) for name, value in shown.items() if name != "enabled"}
    return sent | ({"enabled": "on"} if shown["enabled"] else {})


class TestAdding:
    def test_a_rule_is_stored_as_its_patterns(self, admin: Client) -> None:
        response = admin.post(f"{RULES}add/", NEW, follow=True)
        assert messages(response) == ["The rule “grandparent” was added successfully."]
        rule = Rule.objects.get()
        assert (rule.document, rule.enabled) == (DOCUMENT, True)
        assert list(LogEntry.objects.values_list("action_flag", "object_repr")) == [(ADDITION, "grandparent")]

    @pytest.mark.once
    def test_terms_with_spaces_and_question_marks_stand_in_quotes(self, admin: Client) -> None:
        admin.post(f"{RULES}add/", NEW | {"body": '?x "lives in" ?z\n?z p "?why"', "distinct": ""})
        assert Rule.objects.get().body == [["?x", "lives in", "?z"], ["?z", "p", {"term": "?why"}]]

    @pytest.mark.once
    @pytest.mark.parametrize(
        ("field", "value", "error"),
        [
            ("name", "", "This field is required."),
            ("name", "a\tb", "Must not contain the control character U+0009."),
            ("head", "?x grandparent_of", "Must have three places: subject, predicate and object; here are 2."),
            ("head", "?x grandparent_of ?w", "Object: the variable ?w must stand in the body too."),
            ("head", '?x "p ?z', "A quotation must end with a double quote before white space or the end of the line."),
            ("body", "", "This field is required."),
            ("body", "?x p ?z\n?x ?z", "Line 2: must have three places: subject, predicate and object; here are 2."),
            ("body", "?x p ?z\n?x p ?y-z", None),
            ("body", "?x p ?z\n" * 9, "Must have 1 to 8 patterns, not 9."),
            ("body", '?x p ?z\n\n?x "p', None),
            ("distinct", "?x ?w", "Line 1: the variable ?w must stand in the body."),
            ("distinct", "?x ?x", "Line 1: ?x never differs from itself."),
            ("weight", "0", "Must be above 0 and at most 1."),
            ("weight", "nan", "Enter a number."),
            ("description", "x" * 2001, "Must have at most 2,000 characters, not 2,001."),
        ],
    )
    def test_what_is_wrong_is_said_at_the_field(self, admin: Client, field: str, value: str, error: str | None) -> None:
        found = errors(admin.post(f"{RULES}add/", NEW | {field: value}))
        assert found.keys() == {field}
        assert error is None or found[field] == [error]
        assert not Rule.objects.exists()

    def test_a_name_is_taken_once(self, admin: Client, rule: Rule) -> None:
        assert errors(admin.post(f"{RULES}add/", NEW)) == {"name": ["There is a rule with this name already."]}

    @pytest.mark.once
    def test_there_are_only_so_many(self, admin: Client, rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("triples.services.rules.MAX_RULES", 1)
        response = admin.post(f"{RULES}add/", NEW | {"name": "other"}, follow=True)
        assert messages(response) == ["There may be at most 1 rules; nothing was stored."]
        assert LogEntry.objects.count() == 0


class TestChanging:
    @pytest.mark.once
    def test_the_form_shows_a_pattern_on_each_line(self, admin: Client, rule: Rule) -> None:
        shown = shown_form(admin, rule)
        assert "name" not in shown
        assert shown["head"] == "?x grandparent_of ?z"
        assert shown["body"] == "?x parent_of ?y\n?y parent_of ?z"
        assert shown["distinct"] == "?x ?z"

    def test_what_is_changed_is_stored_and_the_name_stays(self, admin: Client, rule: Rule) -> None:
        sent = shown_form(admin, rule) | {"weight": "0.5", "body": "?x parent_of ?z", "name": "other"}
        del sent["enabled"]
        response = admin.post(change_url(rule), sent, follow=True)
        assert messages(response) == ["The rule “grandparent” was changed successfully."]
        changed = Rule.objects.get()
        assert changed.document == DOCUMENT | {"weight": 0.5, "body": [["?x", "parent_of", "?z"]]}
        assert not changed.enabled
        entry = LogEntry.objects.get()
        assert (entry.action_flag, entry.get_change_message()) == (CHANGE, "Changed If, weight and enabled.")

    @pytest.mark.once
    def test_what_is_sent_back_unchanged_changes_nothing(self, admin: Client, rule: Rule) -> None:
        sent = shown_form(admin, rule)
        admin.post(change_url(rule), sent | {"body": sent["body"].replace("\n", "\r\n")})
        assert Rule.objects.get().updated_at == rule.updated_at
        assert LogEntry.objects.get().get_change_message() == "No fields changed."

    def test_a_rule_that_somebody_else_has_changed_is_not_overwritten(self, admin: Client, rule: Rule) -> None:
        sent = shown_form(admin, rule) | {"weight": "0.5"}
        rule_change(name=rule.name, members={"weight": 0.7})
        assert "has been changed since you opened it" in errors(admin.post(change_url(rule), sent))["__all__"][0]
        assert Rule.objects.get().weight == 0.7

    @pytest.mark.once
    def test_a_rule_is_deleted_once_confirmed(self, admin: Client, rule: Rule) -> None:
        url = f"{RULES}{rule.pk}/delete/"
        assert "Are you sure" in admin.get(url).content.decode()
        admin.post(url, {"post": "yes"})
        assert not Rule.objects.exists()
        assert LogEntry.objects.get().action_flag == DELETION


class TestPreviews:
    @pytest.mark.process
    def test_a_preview_counts_what_the_rule_would_derive_and_saves_nothing(self, admin: Client) -> None:
        store(("Ann", "parent_of", "Bob", 0.5), ("Bob", "parent_of", "Cid"), ("Bob", "parent_of", "Dot"))
        response = admin.post(f"{RULES}add/", NEW | {"_preview": "1"})
        content = unescape(response.content.decode())
        assert "Now this would derive <strong>2 facts</strong> by itself" in content
        assert '<td>Ann <span class="quiet">grandparent_of</span> Cid</td>' in content
        assert "Please correct" not in content
        assert 'value="grandparent"' in content
        assert not Rule.objects.exists()

    @pytest.mark.once
    @pytest.mark.process
    def test_a_stored_rule_is_previewed_as_it_stands_in_the_form(self, admin: Client, rule: Rule) -> None:
        store(("Ann", "likes", "Bob"))
        sent = shown_form(admin, rule) | {"body": "?x likes ?z", "_preview": "1"}
        assert "derive <strong>1 fact</strong> by itself" in admin.post(change_url(rule), sent).content.decode()
        assert Rule.objects.get().document == DOCUMENT

    @pytest.mark.once
    def test_a_faulty_rule_has_no_preview(self, admin: Client) -> None:
        response = admin.post(f"{RULES}add/", NEW | {"weight": "7", "_preview": "1"})
        assert errors(response).keys() == {"weight"}
        assert "would derive <strong>" not in response.content.decode()

    @pytest.mark.once
    @pytest.mark.process
    def test_a_preview_that_is_asked_for_alone_is_no_page_and_needs_no_name(self, admin: Client) -> None:
        store(("Ann", "parent_of", "Bob"), ("Bob", "parent_of", "Cid"))
        content = admin.post(f"{RULES}add/", NEW | {"name": "", "_preview": "alone"}).content.decode()
        assert "derive <strong>1 fact</strong> by itself" in content
        assert "<form" not in content
        assert not Rule.objects.exists()

    @pytest.mark.once
    def test_what_is_wrong_with_it_is_said_with_the_names_of_the_fields(self, admin: Client) -> None:
        content = admin.post(f"{RULES}add/", NEW | {"body": "?x p", "_preview": "alone"}).content.decode()
        assert (
            "<strong>If</strong>: Line 1: must have three places: subject, predicate and object; here are 2." in content
        )

    @pytest.mark.once
    def test_a_predicate_without_facts_is_said(self, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        def slow(*_: Any, **__: Any) -> None:
            raise TooMuch

        monkeypatch.setattr("triples.admin.rule_previews.preview", slow)
        store(("Ann", "parents_of", "Bob"))
        content = admin.post(f"{RULES}add/", NEW | {"_preview": "alone"}).content.decode()
        assert "There is no predicate parent_of yet; did you mean parents_of?" in content
        assert "derive <strong>0 facts</strong>" in content

    @pytest.mark.once
    def test_a_preview_that_takes_too_long_says_so(self, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        def slow(*_: Any, **__: Any) -> None:
            raise TooMuch

        monkeypatch.setattr("triples.admin.rule_previews.preview", slow)
        store(("Ann", "parent_of", "Bob"))
        content = admin.post(f"{RULES}add/", NEW | {"_preview": "1"}).content.decode()
        assert "could not be worked out within 5 seconds" in content


@pytest.mark.once
class TestExample:
    def test_an_empty_form_offers_an_example_that_is_a_rule(self, admin: Client) -> None:
        page = admin.get(f"{RULES}add/").content.decode()
        found = re.search(r'<a href="([^"]+)">Insert an example', page)
        assert found is not None
        form = admin.get(f"{RULES}add/{unescape(found[1])}").context["adminform"].form
        filled = {name: form[name].value() or "" for name in form.fields}
        admin.post(f"{RULES}add/", filled)
        assert Rule.objects.get().document["body"] == DOCUMENT["body"]


class TestRunning:
    @pytest.fixture
    def seen(self, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
        """For each run that was asked for, whether the rule was stored and the transaction over."""
        found: list[bool] = []

        def start(options: RunOptions, requested_by: str) -> RecursionRun:
            assert (options, requested_by) == (RunOptions(), "user somebody")
            found.append(Rule.objects.exists() and not connection.in_atomic_block)
            return run_queue(options=options, requested_by=requested_by)

        monkeypatch.setattr("triples.admin.rules.run_start", start)
        return found

    def test_a_rule_is_saved_and_run(self, admin: Client, seen: list[bool]) -> None:
        assert 'name="_run"' in admin.get(f"{RULES}add/").content.decode()
        response = admin.post(f"{RULES}add/", NEW | {"_run": "1"}, follow=True)
        run = RecursionRun.objects.get()
        assert seen == [True]
        assert response.redirect_chain == [(f"/admin/triples/recursionrun/{run.pk}/change/", 302)]
        assert messages(response)[-1] == f"Run {run.pk} is on its way."

    def test_while_another_run_is_active_the_rule_waits(self, admin: Client, seen: list[bool]) -> None:
        run = run_queue(options=RunOptions(), requested_by="tests")
        response = admin.post(f"{RULES}add/", NEW | {"_run": "1"}, follow=True)
        assert f"Run {run.pk} is active already." in messages(response)[-1]
        assert Rule.objects.exists()

    @pytest.mark.once
    def test_a_faulty_rule_is_not_run(self, admin: Client, seen: list[bool]) -> None:
        assert errors(admin.post(f"{RULES}add/", NEW | {"weight": "7", "_run": "1"})).keys() == {"weight"}
        assert seen == []


class TestList:
    @pytest.mark.once
    def test_the_list_shows_each_rule_on_a_line(self, admin: Client, rule: Rule) -> None:
        rules_add(drafts=read_document({"symmetric": "near", "enabled": False}))
        content = unescape(admin.get(RULES).content.decode())
        assert "?x grandparent_of ?z  <-  ?x parent_of ?y, ?y parent_of ?z  (0.9, ?x != ?z)" in content
        assert "2 rules" in content
        found = admin.get(f"{RULES}?q=near").context["cl"]
        assert [each.name for each in found.result_list] == ["symmetric-near"]
        assert admin.get(f"{RULES}?enabled__exact=1").context["cl"].count_text == "1 rule"

    def test_a_rule_is_found_by_its_name_however_that_is_typed(self, admin: Client) -> None:
        rules_add(drafts=read_document(DOCUMENT | {"name": "pe\u0300re"}))
        for typed in ("p\u00e8re", "pe\u0300re", " pe\u0300r"):
            assert [each.name for each in admin.get(RULES, {"q": typed}).context["cl"].result_list] == ["p\u00e8re"]

    @pytest.mark.once
    def test_rules_are_disabled_and_enabled(self, admin: Client, rule: Rule) -> None:
        ticked = {"_selected_action": [str(rule.pk)]}
        response = admin.post(RULES, {"action": "disable", **ticked}, follow=True)
        assert messages(response) == ["Disabled 1 rule. This holds from the next run on."]
        assert not Rule.objects.get().enabled
        admin.post(RULES, {"action": "enable", **ticked})
        assert Rule.objects.get().enabled
        told = [entry.get_change_message() for entry in LogEntry.objects.order_by("id")]
        assert told == ["Disabled.", "Enabled."]
        again = messages(admin.post(RULES, {"action": "enable", **ticked}, follow=True))
        assert again[-1] == "Enabled 0 rules. This holds from the next run on."


@pytest.mark.once
class TestPermissions:
    def client(self, *permissions: str) -> Client:
        user = User.objects.create_user("reader", is_staff=True)
        user.user_permissions.add(*Permission.objects.filter(codename__in=permissions))
        client = Client()
        client.force_login(user)
        return client

    def test_a_reader_sees_rules_and_changes_none(self, rule: Rule) -> None:
        reader = self.client("view_rule")
        content = unescape(reader.get(change_url(rule)).content.decode())
        assert "?x grandparent_of ?z  <-" in content
        assert 'name="_preview"' not in content
        assert reader.post(change_url(rule), {"weight": "1"}).status_code == 403
        assert reader.post(change_url(rule), {"weight": "1", "_preview": "1"}).status_code == 403
        assert reader.get(f"{RULES}add/").status_code == 403
        assert 'name="_run"' not in content
        reader.post(RULES, {"action": "disable", "_selected_action": [str(rule.pk)]})
        assert Rule.objects.get().enabled

    def test_who_may_start_no_run_saves_only(self, rule: Rule) -> None:
        writer = self.client("view_rule", "change_rule")
        page = writer.get(change_url(rule)).content.decode()
        assert 'name="_preview"' in page
        assert 'name="_run"' not in page
        sent = shown_form(writer, rule) | {"weight": "0.5", "_run": "1"}
        assert writer.post(change_url(rule), sent).headers["Location"] == RULES
        assert (Rule.objects.get().weight, RecursionRun.objects.count()) == (0.5, 0)

    @pytest.mark.parametrize("may_see", ["view_triple", "view_inferredtriple"])
    def test_what_a_rule_derives_is_shown_to_those_who_may_see_facts(self, rule: Rule, may_see: str) -> None:
        store(("Ada", "parent_of", "Bob"))
        writer = self.client("view_rule", "add_rule", may_see)
        sent = NEW | {
            "name": "other",
            "body": "Ada parent_off ?x",
            "head": "?x q Ada",
            "distinct": "",
            "_preview": "alone",
        }
        content = writer.post(f"{RULES}add/", sent).content.decode()
        assert "parent_of" not in content.replace("parent_off", "")
        assert "would derive is shown to those" in content
        faulty = writer.post(f"{RULES}add/", sent | {"weight": "7"}).content.decode()
        assert "This is not a rule yet" in faulty

    def test_nobody_sees_rules_without_the_permission(self, rule: Rule) -> None:
        assert self.client("view_triple").get(RULES).status_code == 403
