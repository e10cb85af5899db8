"""The overview: numbers with the pages behind them, what needs attention, and nothing that the user may not view."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from apikeys.services import key_issue
from skg_site.host.backup_record import BackupRecord, write_backup_record
from skg_site.observe.metrics import BUCKETS
from skg_site.observe.requests_by_minute import Counts, write
from tests.skg_site.overview.conftest import Seen
from tests.triples.runs.graphs import Graph
from triples.models import Change, Gone, RecursionRun, Rule, RunStatus
from triples.rules.documents import read_document
from triples.services.rules import rules_add, rules_enable

pytestmark = pytest.mark.both

RUNS = "/admin/triples/recursionrun/"
RUN_NOW = f'<a href="{RUNS}run/">Run now</a>'


@pytest.fixture
def state_dir() -> Iterator[Path]:
    folder: Path = settings.ENV.state_dir
    (folder / "activity").unlink(missing_ok=True)
    yield folder
    for name in ("backup.json", "activity"):
        (folder / name).unlink(missing_ok=True)


def backed_up(folder: Path, ago: timedelta) -> None:
    write_backup_record(folder, BackupRecord(finished_at=timezone.now() - ago, bytes=5 << 20, file="/backups/1"))


def issue(name: str, expires_in: timedelta | None = None) -> None:
    expires_at = None if expires_in is None else timezone.now() + expires_in
    key_issue(name=name, scopes=frozenset({"read"}), actor="tests", expires_at=expires_at)


@pytest.fixture
def well(database: None, state_dir: Path) -> Graph:
    """A graph that a run has derived from, with a key and a backup."""
    issue("site")
    backed_up(state_dir, timedelta(hours=3))
    rules_add(drafts=read_document({"transitive": "p", "name": "transitive"}))
    graph = Graph()
    graph.add(("a", "p", "b"), ("b", "p", "c"))
    graph.run()
    return graph


@pytest.fixture(autouse=True)
def _large_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the disk of the tests is."""
    monkeypatch.setattr("shutil.disk_usage", lambda _: shutil._ntuple_diskusage(100 << 30, 50 << 30, 50 << 30))


def attention(page: str) -> str:
    """The part of the page on what needs attention."""
    return page.split('class="overview-attention"')[1].split("</section>", maxsplit=1)[0]


class TestNumbers:
    def test_each_has_a_page_behind_it(self, well: Graph, seen: Seen) -> None:
        page = seen()
        for text in (
            '<a href="/admin/triples/triple/">2</a></span> <span class="overview-note">2 subjects, 1 predicate<',
            '<a href="/admin/triples/inferredtriple/">1</a></span> <span class="overview-note">derived just now<',
            '<a href="/admin/triples/rule/">1</a></span> <span class="overview-note">enabled<',
            f'<a href="{RUNS}{RecursionRun.objects.get().pk}/change/">succeeded</a>',
            '<a href="/admin/apikeys/apikey/">1</a></span> <span class="overview-note">0 used within a day<',
            '<span class="overview-value">3 h ago</span>',
            'href="/admin/triples/triple/ask/"',
        ):
            assert text in page

    @pytest.mark.once
    def test_the_graph_comes_before_keys_and_users(self, well: Graph, seen: Seen) -> None:
        page = seen()
        order = ["Triples", "Inferred facts", "Terms", "Rules", "Recursion runs", "API keys", "Key events", "Users"]
        places = [page.index(f">{name}</a>") for name in order]
        assert places == sorted(places)

    def test_a_service_without_anything_says_what_to_do_first(self, database: None, seen: Seen) -> None:
        page = seen()
        assert '<a href="/admin/apikeys/apikey/add/">Issue a key</a>' in attention(page)
        assert '<a href="/admin/triples/triple/add/">Add the first one</a>' in page
        assert '<a href="/admin/triples/rule/">To the rules</a>' in page
        assert "None" not in page.replace("None available", "")


class TestPictures:
    def test_they_show_facts_runs_and_the_requests_of_the_last_day(
        self, well: Graph, seen: Seen, state_dir: Path
    ) -> None:
        minute = int(timezone.now().timestamp() // 60)
        for place, number in enumerate((10, 1510, 2510)):
            durations = (number, *[0] * len(BUCKETS))
            write(minute - 2 + place, Counts(number, number // 10, number // 100, durations))
        page = seen()
        for heading in ("Facts over time", "Requests", "Time to answer, in milliseconds", "Runs, in seconds"):
            assert f'aria-label="{heading}; the table below has the numbers."' in page
        assert "1,500 answered, 150 refused (4xx), 15 failed (5xx)" in page
        assert "0.5 ms half within, 0.99 ms 99 % within" in page
        assert "now: 2 facts" in page

    @pytest.mark.once
    def test_before_there_are_numbers_it_says_so(self, well: Graph, seen: Seen) -> None:
        assert seen().count("requests are counted from now on") == 2


class TestAttention:
    @pytest.mark.once
    def test_if_there_is_nothing_all_is_well(self, well: Graph, seen: Seen) -> None:
        assert '<p class="all-well">All is well.</p>' in attention(seen())

    @pytest.mark.once
    @pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.DIED, RunStatus.TIMED_OUT])
    def test_a_run_that_ended_badly(self, well: Graph, seen: Seen, status: str) -> None:
        last = RecursionRun.objects.get()
        RecursionRun.objects.update(status=status, error="OSError: no room")
        told = attention(seen())
        assert '<li class="urgent"><strong>Urgent:</strong> Run' in told
        assert "OSError: no room" in told
        assert f'<a href="{RUNS}{last.pk}/change/">Look at the run</a>' in told

    def test_facts_that_came_or_went_since_the_last_run(self, well: Graph, seen: Seen) -> None:
        well.add(("c", "p", "d"), ("d", "p", "e"))
        well.reweigh(("a", "p", "b"), 0.5)
        assert f"Facts since the last run: 2 added and 1 changed. {RUN_NOW}" in attention(seen())
        well.run()
        assert "All is well." in attention(seen())

    def test_facts_that_are_not_shown_any_more(self, well: Graph, seen: Seen) -> None:
        well.remove("a", "p", "b")
        Change.objects.update(gone=Gone.UNFOLLOWED)
        assert "No inferred facts are shown" in attention(seen())

    def test_rules_that_are_new_changed_or_disabled(self, well: Graph, seen: Seen) -> None:
        for predicate in ("near", "beside"):
            rules_add(drafts=read_document({"symmetric": predicate}))
        assert f"Rules that have changed since the last run: 2. {RUN_NOW}" in attention(seen())
        well.run()
        assert "All is well." in attention(seen())
        rules_enable(names=["transitive"], enabled=False)
        Rule.objects.filter(name="symmetric-near").update(updated_at=timezone.now() + timedelta(seconds=1))
        assert "Rules that have changed since the last run: 2." in attention(seen())

    def test_rules_that_a_run_of_some_left_out_are_not_new(self, well: Graph, seen: Seen) -> None:
        rules_add(drafts=read_document({"symmetric": "near"}))
        well.run(rules=("transitive",), force=True)
        assert "All is well." in attention(seen())

    @pytest.mark.once
    def test_rules_that_were_never_run(self, database: None, seen: Seen) -> None:
        rules_add(drafts=read_document({"symmetric": "near"}))
        Graph().add(("a", "near", "b"))
        assert f"There are rules that have never been run. {RUN_NOW}" in attention(seen())

    @pytest.mark.once
    def test_nothing_is_asked_for_that_goes_on_already(self, well: Graph, seen: Seen) -> None:
        well.add(("c", "p", "d"))
        RecursionRun.objects.create(status=RunStatus.RUNNING, created_at=timezone.now(), requested_by="tests")  # type: ignore[misc]
        assert "All is well." in attention(seen())

    @pytest.mark.once
    def test_keys_that_end_soon(self, well: Graph, seen: Seen) -> None:
        for day in range(1, 6):
            issue(f"key {day}", timedelta(days=day, minutes=1))
        issue("later", timedelta(days=30))
        told = attention(seen())
        assert told.count(">Rotate or extend it</a>") == 3
        assert "The key key 1 (" in told
        assert "expires in 1 d" in told
        assert "2 more keys will expire within a week." in told
        assert "later" not in told

    @pytest.mark.once
    @pytest.mark.parametrize(("hours", "told"), [(25, None), (27, "The last backup was made 1 d ago.")])
    def test_a_backup_that_is_old(self, well: Graph, seen: Seen, state_dir: Path, hours: int, told: str | None) -> None:
        backed_up(state_dir, timedelta(hours=hours))
        assert (told or "All is well.") in attention(seen())

    @pytest.mark.once
    @pytest.mark.parametrize("content", [None, "{"])
    def test_a_backup_that_is_missing(self, well: Graph, seen: Seen, state_dir: Path, content: str | None) -> None:
        (state_dir / "backup.json").unlink()
        if content:
            (state_dir / "backup.json").write_text(content)
        assert "There is no backup from this host. Run <code>manage.py backup</code>." in attention(seen())

    @pytest.mark.once
    def test_tables_that_are_older_than_the_code(
        self, well: Graph, seen: Seen, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("skg_site.overview.attention.schema_fault", lambda: "A migration is missing.")
        told = attention(seen())
        assert "Urgent:</strong> A migration is missing. Run <code>manage.py migrate</code>." in told

    @pytest.mark.once
    def test_a_disk_that_is_nearly_full(self, well: Graph, seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("shutil.disk_usage", lambda _: shutil._ntuple_diskusage(100 << 30, 90 << 30, 10 << 30))
        assert "Only 10% of the disk is free (10.0 GiB)." in attention(seen())


@pytest.mark.once
class TestPermissions:
    @pytest.mark.parametrize(
        ("permission", "names"),
        [
            ("view_triple", {"Facts", "Database"}),
            ("view_inferredtriple", {"Inferred facts"}),
            ("view_rule", {"Rules"}),
            ("view_recursionrun", {"Last run"}),
            ("view_apikey", {"Working keys"}),
            ("view_user", set()),
        ],
    )
    def test_a_user_sees_the_numbers_of_what_they_may_view(
        self, well: Graph, seen: Seen, permission: str, names: set[str]
    ) -> None:
        page = seen(permission)
        shown = page.split('<span class="overview-name">')[1:]
        assert {part.split("<")[0] for part in shown} == names
        assert ('aria-label="Facts over time' in page) == (permission == "view_triple")
        assert ('aria-label="Runs, in seconds' in page) == (permission == "view_recursionrun")
        assert "Time to answer" not in page

    def test_a_user_is_told_of_what_they_may_view_alone(self, well: Graph, seen: Seen, state_dir: Path) -> None:
        (state_dir / "backup.json").unlink()
        issue("soon", timedelta(days=1))
        well.add(("c", "p", "d"))
        assert "All is well." in attention(seen("view_triple"))
        assert "Facts since" in attention(seen("view_recursionrun"))
        assert "Run now" not in attention(seen("view_recursionrun"))
        assert "Run now" in attention(seen("view_recursionrun", "add_recursionrun"))
        told: dict[str, Any] = {name: "soon" in attention(seen(name)) for name in ("view_apikey", "view_rule")}
        assert told == {"view_apikey": True, "view_rule": False}
