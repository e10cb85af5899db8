"""Runs in the admin: shown with what they came to, never changed, and started by those who may."""

from html import unescape
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from tests.triples.admin.test_facts import messages
from triples.models import RecursionRun, RunStatus
from triples.rules.documents import read_document
from triples.runs.options import RunOptions
from triples.services.rules import rules_add, rules_enable
from triples.services.runs import RunActive, run_queue, run_start

pytestmark = pytest.mark.both

RUNS = "/admin/triples/recursionrun/"
ROUNDS = [
    {"new": 1200, "improved": 0, "total": 1200, "seconds": 0.25},
    {"new": 300, "improved": 20, "total": 1500, "seconds": 0.1},
]


def a_run(**columns: Any) -> RecursionRun:
    now = timezone.now()
    ended = {
        "status": RunStatus.SUCCEEDED,
        "active": None,
        "mode": "full",
        "rounds": ROUNDS,
        "facts": 1500,
        "added": 1490,
        "changed": 3,
        "removed": 7,
        "seconds": {"reading": 0.5, "inference": 1.25},
        "options": RunOptions(max_depth=4, entity_types=("person", "place")).content,
        "requested_by": "key 4Xk0vT2a",
        "created_at": now,
        "started_at": now,
        "finished_at": now,
    }
    return RecursionRun.objects.create(**ended | columns)


@pytest.mark.once
class TestShowing:
    def test_the_list_shows_what_each_came_to(self, admin: Client) -> None:
        a_run()
        a_run(status=RunStatus.FAILED, error="OperationalError: gone", rounds=[], seconds={}, facts=None)
        content = admin.get(RUNS).content.decode()
        assert "2 recursion runs" in content
        assert '<td class="field-new">1,490</td>' in content
        assert "run-failed" in content
        assert admin.get(f"{RUNS}?status__exact=failed").context["cl"].count_text == "1 recursion run"

    def test_a_run_is_shown_with_a_plot_of_its_rounds(self, admin: Client) -> None:
        run = a_run()
        content = unescape(admin.get(f"{RUNS}{run.pk}/change/").content.decode())
        assert "1,500 inferred facts: 1,490 added, 3 changed, 7 removed (full, 0.0 s)." in content
        assert "<title>2: 300 new facts, 20 facts with a heavier proof</title>" in content
        assert content.count('class="plot-bar plot-first"') == 2
        assert "<dt>max depth</dt><dd>4</dd>" in content
        assert "<dt>entity types</dt><dd>person, place</dd>" in content
        assert "<dt>inference</dt><dd>1.25 s</dd>" in content

    def test_a_run_that_failed_says_why(self, admin: Client) -> None:
        run = a_run(status=RunStatus.FAILED, error="Problem: <b>gone</b>", rounds=[], seconds={})
        content = admin.get(f"{RUNS}{run.pk}/change/").content.decode()
        assert "Problem: &lt;b&gt;gone&lt;/b&gt;" in content
        assert '<figure class="plot">' not in content

    def test_a_run_that_goes_on_is_shown(self, admin: Client) -> None:
        run = a_run(status=RunStatus.RUNNING, active=True, facts=None, finished_at=None, seconds={})
        content = admin.get(f"{RUNS}{run.pk}/change/").content.decode()
        assert "The run goes on: 2 rounds, 1,500 inferred facts so far." in content

    def test_nobody_changes_a_run(self, admin: Client) -> None:
        run = a_run()
        assert admin.post(f"{RUNS}{run.pk}/change/", {"status": "failed"}).status_code == 403
        assert admin.post(f"{RUNS}{run.pk}/delete/", {"post": "yes"}).status_code == 403
        assert admin.get(f"{RUNS}add/").status_code == 403


@pytest.mark.once
class TestFollowing:
    """The pages by themselves; tests/browser has their script."""

    def test_the_pages_follow_a_run_that_is_active_and_no_other(self, admin: Client) -> None:
        run = a_run()
        for page in (RUNS, f"{RUNS}{run.pk}/change/"):
            assert 'data-live="off"' in admin.get(page).content.decode()
        run = a_run(status=RunStatus.RUNNING, active=True, finished_at=None)
        for page in (RUNS, f"{RUNS}{run.pk}/change/"):
            content = admin.get(page).content.decode()
            assert 'data-live="on"' in content
            assert f'href="{RUNS}{run.pk}/cancel/">Cancel the run</a>' in content

    def test_where_there_was_no_run_it_is_said_what_to_do(self, admin: Client) -> None:
        content = admin.get(RUNS).content.decode()
        assert "No run yet." in content
        assert f'<a href="{RUNS}run/">run them</a>' in content

    def test_there_is_nothing_to_search_for(self, admin: Client) -> None:
        a_run()
        content = admin.get(RUNS).content.decode()
        assert 'id="searchbar"' not in content
        assert "None" not in content


class TestCancelling:
    def test_a_run_is_cancelled_after_a_question(self, admin: Client) -> None:
        run = run_queue(options=RunOptions(), requested_by="tests")
        asked = admin.get(f"{RUNS}{run.pk}/cancel/").content.decode()
        assert "The run waits for its process to start." in asked
        assert RecursionRun.objects.get().status == RunStatus.QUEUED
        response = admin.post(f"{RUNS}{run.pk}/cancel/", follow=True)
        assert response.redirect_chain == [(f"{RUNS}{run.pk}/change/", 302)]
        assert messages(response) == [
            "The run was cancelled by user somebody; the inferred facts are those of the run before."
        ]
        assert RecursionRun.objects.get().status == RunStatus.CANCELLED
        assert LogEntry.objects.get().object_id == str(run.pk)
        assert "run-cancelled" in admin.get(RUNS).content.decode()

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_one_that_has_ended_is_left_alone(self, admin: Client, method: str) -> None:
        run = a_run()
        response = getattr(admin, method)(f"{RUNS}{run.pk}/cancel/", follow=True)
        assert messages(response) == [f"Run {run.pk} has ended already."]
        assert RecursionRun.objects.get().status == RunStatus.SUCCEEDED
        assert LogEntry.objects.count() == 0

    @pytest.mark.once
    def test_there_must_be_such_a_run(self, admin: Client) -> None:
        assert admin.post(f"{RUNS}77/cancel/").status_code == 404

    @pytest.mark.once
    def test_only_those_who_may_start_a_run_may_cancel_one(self, database: None) -> None:
        run = run_queue(options=RunOptions(), requested_by="tests")
        user = User.objects.create_user("reader", is_staff=True)
        user.user_permissions.add(Permission.objects.get(codename="view_recursionrun"))
        reader = Client()
        reader.force_login(user)
        assert "Cancel the run" not in reader.get(f"{RUNS}{run.pk}/change/").content.decode()
        assert reader.get(f"{RUNS}{run.pk}/cancel/").status_code == 403
        assert reader.post(f"{RUNS}{run.pk}/cancel/").status_code == 403
        assert RecursionRun.objects.get().active


class TestStarting:
    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[RunOptions, str]]:
        """What was asked of the service, of which each is a run that is over at once."""
        requests: list[tuple[RunOptions, str]] = []

        def request(options: RunOptions, requested_by: str) -> RecursionRun:
            requests.append((options, requested_by))
            return a_run(options=options.content, requested_by=requested_by)

        monkeypatch.setattr("triples.admin.runs.run_start", request)
        return requests

    def test_a_run_is_started_with_what_was_asked(self, admin: Client, asked: list[tuple[RunOptions, str]]) -> None:
        rules_add(drafts=read_document({"symmetric": "near"}))
        assert ">Run now</a>" in admin.get(RUNS).content.decode()
        assert "symmetric-near" in admin.get(f"{RUNS}run/").content.decode()
        chosen = {
            "max_depth": "3",
            "min_weight": "0.25",
            "entity_types": " person \r\n\r\nplace\r\nperson",
            "rules": ["symmetric-near"],
            "force": "on",
        }
        response = admin.post(f"{RUNS}run/", chosen, follow=True)
        run = RecursionRun.objects.get()
        assert asked == [(RunOptions(3, 0.25, ("person", "place"), ("symmetric-near",), True), "user somebody")]
        assert response.redirect_chain == [(f"{RUNS}{run.pk}/change/", 302)]
        assert messages(response)[0].startswith(f"Run {run.pk} is on its way.")
        assert LogEntry.objects.get().object_id == str(run.pk)

    @pytest.mark.once
    def test_nothing_in_particular_is_the_whole(self, admin: Client, asked: list[tuple[RunOptions, str]]) -> None:
        admin.post(f"{RUNS}run/", {"min_weight": "0"})
        assert asked == [(RunOptions(), "user somebody")]

    @pytest.mark.once
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("max_depth", "0"),
            ("max_depth", "1001"),
            ("min_weight", "2"),
            ("min_weight", ""),
            ("entity_types", "a\x07b"),
            ("rules", "nothing"),
        ],
    )
    def test_nonsense_starts_nothing(
        self, admin: Client, asked: list[tuple[RunOptions, str]], field: str, value: str
    ) -> None:
        response = admin.post(f"{RUNS}run/", {"min_weight": "0"} | {field: value})
        assert response.status_code == 200
        assert response.context["form"].errors.keys() == {field}
        assert asked == []

    def test_one_that_is_active_is_shown_instead(self, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        run = a_run(status=RunStatus.RUNNING, active=True, finished_at=None)

        def refuse(**_: Any) -> None:
            raise RunActive(run)

        monkeypatch.setattr("triples.admin.runs.run_start", refuse)
        assert f"Run {run.pk}</a> is active." in admin.get(f"{RUNS}run/").content.decode()
        response = admin.post(f"{RUNS}run/", {"min_weight": "0"}, follow=True)
        assert response.redirect_chain == [(f"{RUNS}{run.pk}/change/", 302)]
        assert messages(response) == [f"Run {run.pk} is active already; no other was started."]
        assert LogEntry.objects.count() == 0

    @pytest.mark.once
    def test_a_rule_that_was_disabled_meanwhile_starts_nothing(
        self, admin: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rules_add(drafts=read_document({"symmetric": "near"}))

        def start(**options: Any) -> RecursionRun:
            rules_enable(names=["symmetric-near"], enabled=False)
            return run_start(**options)

        monkeypatch.setattr("triples.admin.runs.run_start", start)
        response = admin.post(f"{RUNS}run/", {"min_weight": "0", "rules": ["symmetric-near"]}, follow=True)
        assert response.redirect_chain == [(f"{RUNS}run/", 302)]
        assert messages(response) == ["There is no enabled rule named symmetric-near."]
        assert RecursionRun.objects.count() == 0

    @pytest.mark.once
    def test_only_those_who_may_start_a_run(self, database: None, asked: list[tuple[RunOptions, str]]) -> None:
        user = User.objects.create_user("reader", is_staff=True)
        user.user_permissions.add(Permission.objects.get(codename="view_recursionrun"))
        reader = Client()
        reader.force_login(user)
        assert ">Run now</a>" not in reader.get(RUNS).content.decode()
        assert reader.get(f"{RUNS}run/").status_code == 403
        assert reader.post(f"{RUNS}run/", {"min_weight": "0"}).status_code == 403
        assert asked == []
