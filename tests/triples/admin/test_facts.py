"""Facts added, changed and deleted in the admin: through the store, under the rules of the API."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import Permission, User
from django.http import HttpResponse
from django.test import Client
from prometheus_client import REGISTRY

from tests.support.facts import store
from triples.admin.forms import StoredFactForm
from triples.fields import to_milliseconds
from triples.models import Source, Tally, Term, Triple
from triples.query.fact_lists import held_row
from triples.store.group_commit import write_now
from triples.store.operations import Change, Remove

pytestmark = pytest.mark.both

FACTS = "/admin/triples/triple/"
NEW = {"subject": "Einstein", "predicate": "discovered", "object": "Relativity", "weight": "0.95", "metadata": ""}


def change_url(fact: Triple) -> str:
    return f"{FACTS}{fact.pk}/change/"


def shown_form(admin: Client, fact: Triple) -> dict[str, str]:
    """What a browser would send back unchanged."""
    form = admin.get(change_url(fact)).context["adminform"].form
    return {name: str(form[name].value()) for name in ("weight", "metadata", "version")}


def messages(response: Any) -> list[str]:
    return [unescape(re.sub("<[^>]*>", "", str(message))) for message in response.context["messages"]]


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200, "a form that is refused is shown again"
    found: dict[str, list[str]] = response.context["adminform"].form.errors
    return found


def tally() -> tuple[int, int]:
    rows = Tally.objects.values_list("triples", "subjects")
    return sum(row[0] for row in rows), sum(row[1] for row in rows)


def log_entries() -> list[tuple[int, str]]:
    return list(LogEntry.objects.order_by("id").values_list("action_flag", "object_repr"))


class TestAdding:
    def test_a_fact_is_stored_with_its_source_and_counted(self, admin: Client) -> None:
        before = REGISTRY.get_sample_value("skg_triples_added_total", {"source": "admin"}) or 0
        response = admin.post(f"{FACTS}add/", NEW | {"metadata": '{ "source": "wikipedia" }'}, follow=True)
        assert messages(response) == ["The triple “Einstein discovered Relativity” was added successfully."]
        fact = Triple.objects.get()
        assert (str(fact), fact.weight, fact.source) == ("Einstein discovered Relativity", 0.95, Source.ADMIN)
        assert fact.metadata == {"source": "wikipedia"}
        assert tally() == (1, 1)
        assert log_entries() == [(ADDITION, "Einstein discovered Relativity")]
        assert REGISTRY.get_sample_value("skg_triples_added_total", {"source": "admin"}) == before + 1

    @pytest.mark.once
    def test_terms_are_brought_into_shape_as_everywhere(self, admin: Client) -> None:
        admin.post(f"{FACTS}add/", NEW | {"subject": "  Rene\u0301 ", "object": "dog.n.01"})
        assert set(Term.objects.values_list("text", flat=True)) == {"Ren\u00e9", "discovered", "dog.n.01"}

    def test_a_fact_that_is_there_stays_as_it_is_and_is_shown(self, admin: Client, database: None) -> None:
        [fact] = store(("Einstein", "discovered", "Relativity", 0.25))
        response = admin.post(f"{FACTS}add/", NEW, follow=True)
        assert response.redirect_chain == [(change_url(fact), 302)]
        assert messages(response) == [
            "“Einstein discovered Relativity” was there already, with the weight 0.25. Nothing was changed."
        ]
        assert Triple.objects.get().weight == 0.25
        assert log_entries() == []

    @pytest.mark.once
    @pytest.mark.parametrize(
        ("field", "value", "error"),
        [
            ("subject", "", "This field is required."),
            ("subject", "   ", "This field is required."),
            ("subject", "a\tb", "Must not contain the control character U+0009."),
            ("subject", "x" * 501, "Must have at most 500 characters, not 501."),
            ("predicate", "x" * 501, "Must have at most 500 characters, not 501."),
            ("object", "\x00", "Null characters are not allowed."),
            ("weight", "", "This field is required."),
            ("weight", "1.5", "Ensure this value is less than or equal to 1."),
            ("weight", "-0.1", "Ensure this value is greater than or equal to 0."),
            ("weight", "nan", "Enter a number."),
            ("weight", "much", "Enter a number."),
            ("metadata", "{", "This is not JSON: EOF while parsing an object at line 1 column 1."),
            ("metadata", "[1]", 'Must be a JSON object, such as {"source": "wikipedia"}.'),
            ("metadata", '{"a": 1, "a": 2}', 'Detected duplicate key "a" at line 1 column 14.'),
            ("metadata", '{"a": NaN}', "This is not JSON: expected value at line 1 column 7."),
            (
                "metadata",
                '{"a": {"b": 9007199254740993}}',
                "The number cannot be kept without losing precision at a.b.",
            ),
            ("metadata", '{"a":' * 33 + "1" + "}" * 33, "Nested deeper than 32 levels."),
            ("metadata", json.dumps({"a": "x" * 16_384}), "Must take at most 16,384 bytes as JSON, not 16,392."),
        ],
    )
    def test_what_the_api_refuses_is_refused_at_the_field(
        self, admin: Client, field: str, value: str, error: str
    ) -> None:
        assert errors(admin.post(f"{FACTS}add/", NEW | {field: value})) == {field: [error]}
        assert not Term.objects.exists()

    @pytest.mark.once
    def test_every_fault_is_shown_at_once(self, admin: Client) -> None:
        faulty = {"subject": "", "predicate": "x" * 501, "object": "", "weight": "7", "metadata": "no"}
        assert set(errors(admin.post(f"{FACTS}add/", faulty))) == set(faulty)


class TestChanging:
    @pytest.fixture
    def fact(self, database: None) -> Triple:
        return store(("Einstein", "discovered", "Relativity", 0.25, '{"b":1.0,"a":[2]}'))[0]

    @pytest.mark.once
    def test_the_form_shows_the_fact_and_takes_weight_and_metadata_alone(self, admin: Client, fact: Triple) -> None:
        shown = admin.get(change_url(fact))
        assert list(shown.context["adminform"].form.fields) == ["weight", "metadata", "version"]
        assert shown_form(admin, fact)["metadata"] == '{\n  "b": 1.0,\n  "a": [\n    2\n  ]\n}'
        content = unescape(shown.content.decode())
        assert f'<a href="/admin/triples/term/{fact.subject_id}/change/">Einstein</a>' in content
        assert f'<a href="{FACTS}?q=s%3A%22Einstein%22">all facts with it</a>' in content
        assert re.search("[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", content)

    def test_weight_and_metadata_are_changed(self, admin: Client, fact: Triple) -> None:
        response = admin.post(
            change_url(fact), shown_form(admin, fact) | {"weight": "1", "metadata": '{"c": "d"}'}, follow=True
        )
        assert messages(response) == ["The triple “Einstein discovered Relativity” was changed successfully."]
        changed = Triple.objects.get()
        assert (changed.weight, changed.metadata, changed.source) == (1.0, {"c": "d"}, Source.API)
        assert changed.updated_at is not None
        assert log_entries() == [(CHANGE, "Einstein discovered Relativity")]
        assert LogEntry.objects.get().get_change_message() == "Changed weight and metadata."

    @pytest.mark.once
    def test_metadata_is_emptied(self, admin: Client, fact: Triple) -> None:
        admin.post(change_url(fact), shown_form(admin, fact) | {"metadata": "{}"})
        assert Triple.objects.get().metadata is None

    @pytest.mark.once
    def test_what_is_sent_back_unchanged_changes_nothing(self, admin: Client, fact: Triple) -> None:
        sent = shown_form(admin, fact)
        admin.post(change_url(fact), sent | {"metadata": sent["metadata"].replace("\n", "\r\n")})
        row = held_row(fact.pk)
        assert row is not None
        assert (row.metadata, row.updated_ms) == ('{"b":1.0,"a":[2]}', None)

    @pytest.mark.once
    def test_the_weight_alone_leaves_the_text_of_the_metadata(self, admin: Client, fact: Triple) -> None:
        admin.post(change_url(fact), shown_form(admin, fact) | {"weight": "0.5"})
        row = held_row(fact.pk)
        assert row is not None
        assert (row.weight, row.metadata) == (0.5, '{"b":1.0,"a":[2]}')

    @pytest.mark.once
    def test_the_terms_cannot_be_changed(self, admin: Client, fact: Triple) -> None:
        other = {"subject": "Newton", "object": "Gravity", "source": "4", "weight": "0.5"}
        admin.post(change_url(fact), shown_form(admin, fact) | other)
        assert str(Triple.objects.select_related("subject", "predicate", "object").get()) == str(fact)
        assert Triple.objects.get().source == Source.API

    def test_a_fact_that_somebody_else_has_changed_is_not_overwritten(self, admin: Client, fact: Triple) -> None:
        sent = shown_form(admin, fact) | {"weight": "1"}
        write_now([Change(fact.pk, to_milliseconds(fact.created_at), weight=0.75)])
        refused = admin.post(change_url(fact), sent)
        assert errors(refused) == {
            "__all__": [
                (
                    "The fact has been changed since you opened it: its weight is now 0.75."
                    " Nothing was saved; open it again to change what it is now."
                )
            ]
        }
        assert Triple.objects.get().weight == 0.75
        assert log_entries() == []

    @pytest.mark.once
    @pytest.mark.parametrize("version", [{}, {"version": ""}, {"version": "0" * 18}])
    def test_a_form_without_its_version_is_refused(self, admin: Client, fact: Triple, version: dict[str, str]) -> None:
        assert errors(admin.post(change_url(fact), {"weight": "1", "metadata": "", **version}))
        assert Triple.objects.get().weight == 0.25

    def test_a_fact_that_somebody_else_has_deleted_is_gone(self, admin: Client, fact: Triple) -> None:
        sent = shown_form(admin, fact)
        write_now([Remove(fact.pk, to_milliseconds(fact.created_at))])
        response = admin.post(change_url(fact), sent, follow=True)
        assert messages(response) == [f"triple with ID “{fact.pk}” doesn’t exist. Perhaps it was deleted?"]

    def test_a_fact_that_is_deleted_while_the_form_is_read_is_not_changed(self, fact: Triple) -> None:
        write_now([Remove(fact.pk, to_milliseconds(fact.created_at))])
        form = StoredFactForm({"weight": "1", "metadata": "", "version": "0" * 18}, instance=fact)
        assert form.errors == {"__all__": ["The fact has been deleted since you opened it."]}

    @pytest.mark.once
    def test_what_is_wrong_is_said_at_the_field(self, admin: Client, fact: Triple) -> None:
        faulty = shown_form(admin, fact) | {"weight": "2", "metadata": "[]"}
        assert set(errors(admin.post(change_url(fact), faulty))) == {"weight", "metadata"}

    @pytest.mark.once
    def test_the_history_tells_who_changed_what(self, admin: Client, fact: Triple) -> None:
        admin.post(change_url(fact), shown_form(admin, fact) | {"weight": "0.5"})
        history = admin.get(f"{FACTS}{fact.pk}/history/").content.decode()
        assert "Changed weight." in history
        assert "somebody" in history


class TestDeleting:
    def delete_selected(self, admin: Client, facts: list[Triple], **more: str) -> HttpResponse:
        ticked = [str(fact.pk) for fact in facts]
        return admin.post(FACTS, {"action": "delete_selected", "_selected_action": ticked, **more}, follow=True)  # type: ignore[return-value]  # the test client's response is one

    def test_a_fact_is_deleted_once_confirmed(self, admin: Client, animals: list[Triple]) -> None:
        url = f"{FACTS}{animals[0].pk}/delete/"
        assert "Are you sure" in admin.get(url).content.decode()
        assert tally() == (5, 5)
        admin.post(url, {"post": "yes"})
        assert not Triple.objects.filter(pk=animals[0].pk).exists()
        assert tally() == (4, 4)
        assert log_entries() == [(DELETION, "dog is_a mammal")]

    def test_the_selected_facts_are_deleted_once_confirmed(self, admin: Client, animals: list[Triple]) -> None:
        asked = self.delete_selected(admin, animals[:2])
        assert "Are you sure" in asked.content.decode()
        assert tally() == (5, 5)
        done = self.delete_selected(admin, animals[:2], post="yes")
        assert messages(done) == ["Successfully deleted 2 triples."]
        assert list(Triple.objects.order_by("id")) == animals[2:]
        assert tally() == (3, 3)
        assert sorted(log_entries()) == [(DELETION, "dog is_a mammal"), (DELETION, "dog.n.01 is_a dog")]

    def test_no_more_than_what_is_ticked_is_ever_deleted(self, admin: Client, animals: list[Triple]) -> None:
        self.delete_selected(admin, animals[:1], post="yes", select_across="1")
        assert list(Triple.objects.order_by("id")) == animals[1:]
        self.delete_selected(admin, [], post="yes", select_across="1")
        assert tally() == (4, 4)


@pytest.mark.once
class TestPermissions:
    @pytest.fixture
    def reader(self, database: None) -> Client:
        user = User.objects.create_user("reader", is_staff=True)
        user.user_permissions.add(*Permission.objects.filter(codename__in=["view_triple", "view_term"]))
        client = Client()
        client.force_login(user)
        return client

    def test_a_reader_sees_facts_and_changes_none(self, reader: Client, animals: list[Triple]) -> None:
        dogma = animals[2]
        assert "delete_selected" not in reader.get(FACTS).content.decode()
        shown = reader.get(change_url(dogma))
        assert "book" in shown.content.decode()
        assert 'name="weight"' not in shown.content.decode()
        assert reader.post(change_url(dogma), {"weight": "0"}).status_code == 403
        assert reader.get(f"{FACTS}add/").status_code == 403
        assert reader.post(f"{FACTS}{dogma.pk}/delete/", {"post": "yes"}).status_code == 403

    def test_nobody_is_let_in_without_logging_in(self, animals: list[Triple]) -> None:
        response = Client().get(FACTS)
        assert (response.status_code, response["Location"]) == (302, f"/admin/login/?next={FACTS}")

    def test_a_form_from_elsewhere_is_refused(self, admin: Client) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = admin.cookies
        assert strict.post(f"{FACTS}add/", NEW).status_code == 403
        assert not Term.objects.exists()
