"""`manage.py imports`: what an import brought is known and can be taken back, whatever others do meanwhile."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from tests.support.database import empty_tables
from tests.triples.commands.runs import Inside, imported
from tests.triples.store.graphs import counted, fact, load_first, store, stored_rows, tallied
from triples.exchange.destinations import OwnGraph
from triples.exchange.recording import Recording, Superseded
from triples.import_runs import ImportedRange, ImportRun, ImportStatus
from triples.services import imports as services
from triples.services.imports import import_begin, import_continue, import_undo_begin, import_undo_now
from triples.store.bulk import Loader
from triples.store.group_commit import write_now
from triples.store.operations import RemoveMany

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]


def recorded(**options: Any) -> tuple[ImportRun, OwnGraph]:
    """A new import, and the graph that it stores facts in."""
    run = import_begin(source="test", format_name="tsv", requested_by="tests", options={})
    graph = OwnGraph(replace=options.get("replace", False), dry_run=False)
    Recording(run, graph)
    return run, graph


def undone(run_id: int) -> ImportRun:
    return import_undo_now(run_id=run_id, report=lambda _: None)


def texts() -> set[str]:
    return {key[0] for key in stored_rows()}


def remove(*subjects: str) -> None:
    write_now([RemoveMany([row.id for row in stored_rows().values() if row.subject in subjects])])


names = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=6)
steps = st.lists(st.tuples(st.sampled_from(["first", "second", "add", "remove"]), names), max_size=12)


@given(steps)
def test_an_undo_takes_what_the_import_brought_and_nothing_else(steps: list[tuple[str, list[str]]]) -> None:
    runs = {name: recorded() for name in ("first", "second")}
    # Who brought each fact that is there.
    brought: dict[str, str] = {}
    for who, subjects in steps:
        if who == "remove":
            remove(*subjects)
            brought = {subject: by for subject, by in brought.items() if subject not in subjects}
            continue
        if who == "add":
            store(*map(fact, subjects))
        else:
            runs[who][1].store([fact(subject) for subject in subjects])
        brought = {subject: brought.get(subject, who) for subject in {*brought, *subjects}}
    try:
        assert texts() == brought.keys()
        for run, _ in runs.values():
            run.refresh_from_db()
        assert undone(runs["first"][0].id).undone == list(brought.values()).count("first")
        assert texts() == {subject for subject, by in brought.items() if by != "first"}
        undone(runs["second"][0].id)
        assert texts() == {subject for subject, by in brought.items() if by == "add"}
        assert tallied() == counted()
        assert not ImportedRange.objects.exists()
    finally:
        empty_tables()


def test_an_undisturbed_import_has_one_range(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Loader, "chunk_size", 100)
    file = tmp_path / "facts.tsv"
    file.write_text("".join(f"s{number}\tp\to\n" for number in range(1_000)))
    run = imported(file)
    [part] = ImportedRange.objects.filter(run_id=run.summary["import"])
    assert part.last - part.first + 1 == run.counts["inserted"] == 1_000
    row = ImportRun.objects.get()
    assert (row.status, row.read, row.inserted, row.duplicates) == (ImportStatus.FINISHED, 1_000, 1_000, 0)
    assert (row.source, row.format) == (str(file), "tsv")


def test_the_initial_load_is_undone_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_first(monkeypatch, 10)
    file = tmp_path / "facts.tsv"
    file.write_text("".join(f"s{number % 50}\tp\to\n" for number in range(100)))
    run = imported(file)
    assert len(stored_rows()) == run.counts["inserted"] == 50
    store(fact("other"))
    assert undone(run.summary["import"]).undone == 50
    assert texts() == {"other"}
    assert tallied() == counted()


def test_an_import_that_is_continued_stays_one_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Loader, "chunk_size", 100)
    file = tmp_path / "facts.tsv"
    file.write_text("bad\n" + "".join(f"s{number}\tp\to\n" for number in range(1_000)))
    load, loads = Loader.load, iter(range(9))

    def break_off(self: Loader, facts: Any) -> Any:
        if next(loads) == 3:
            raise OSError(28, "No space left on device")
        return load(self, facts)

    with monkeypatch.context() as patch:
        patch.setattr(Loader, "load", break_off)
        broken = imported(file)
    row = ImportRun.objects.get()
    assert (row.status, row.error) == (ImportStatus.BROKEN, broken.summary["error"])
    assert 0 < row.inserted < 1_000
    assert imported(file).summary["import"] == row.id
    row.refresh_from_db()
    assert (row.status, row.error, row.inserted, row.read, row.refused) == ("finished", "", 1_000, 1_001, 1)
    assert len(row.first_refused) == 1
    undone(row.id)
    assert stored_rows() == {}
    # What was undone is not continued, but imported anew.
    assert imported(file).summary["import"] > row.id
    assert len(stored_rows()) == 1_000


def test_ranges_and_facts_are_of_one_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    run, graph = recorded()
    graph.store([fact("a")])
    monkeypatch.setattr(ImportedRange.objects, "bulk_create", lambda _: 1 / 0)
    store(fact("between"))
    with pytest.raises(ZeroDivisionError):
        graph.store([fact("b")])
    assert texts() == {"a", "between"}
    run.refresh_from_db()
    assert run.inserted == 1


def test_an_import_that_is_taken_over_or_undone_stores_no_more() -> None:
    run, graph = recorded()
    graph.store([fact("a")])
    import_continue(run_id=run.id)
    with pytest.raises(Superseded):
        graph.store([fact("b")])
    other, graph = recorded()
    import_undo_begin(run_id=other.id)
    with pytest.raises(Superseded):
        graph.store([fact("b")])
    assert texts() == {"a"}
    assert tallied() == counted()


def test_an_undo_that_was_interrupted_is_continued(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "BATCH", 10)
    run, graph = recorded()
    graph.store([fact(f"s{number}") for number in range(100)])

    def interrupt(done: int) -> None:
        if done >= 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_undo_now(run_id=run.id, report=interrupt)
    run.refresh_from_db()
    assert (run.status, run.undone, len(stored_rows())) == (ImportStatus.UNDOING, 30, 70)
    ended = undone(run.id)
    assert (ended.status, ended.undone, stored_rows()) == (ImportStatus.UNDONE, 100, {})
    assert undone(run.id).undone == 100


def test_what_was_only_changed_stays_and_is_told(tmp_path: Path) -> None:
    store(fact("a", weight=0.5))
    file = tmp_path / "facts.tsv"
    file.write_text("a\tp\to\t0.25\nb\tp\to\n")
    run = imported(file, on_duplicate="replace")
    told = Inside().run("imports", "undo", str(run.summary["import"]), "--yes")
    assert told.returncode == 0, told.stderr
    assert b"1 of the inserted facts were deleted by the undo." in told.stdout
    assert b"1 facts keep the weight and metadata that the import gave them." in told.stdout
    assert {row.subject: row.weight for row in stored_rows().values()} == {"a": 0.25}


def test_inferred_facts_that_rested_on_it_are_hidden(tmp_path: Path) -> None:
    here = Inside()
    store(fact("a", "in", "b"))
    run, graph = recorded()
    graph.store([fact("b", "in", "c")])
    assert here.run("rules", "load", "-", given=b'[{"transitive": "in"}]').returncode == 0
    assert here.run("recurse").returncode == 0
    left = tmp_path / "inferred.tsv"
    exported = ("export_triples", str(left), "--inferred", "only")
    assert here.run(*exported).returncode == 0
    assert left.read_text().count("\n") == 1
    undone(run.id)
    assert here.run(*exported).returncode == 0
    assert left.read_text() == ""


def test_the_oldest_rows_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "KEPT_IMPORTS", 2)
    kept = [recorded()[0].id for _ in range(4)]
    assert list(ImportRun.objects.values_list("id", flat=True)) == [kept[3], kept[2]]


@pytest.fixture
def two(tmp_path: Path) -> tuple[int, int]:
    file = tmp_path / "facts.tsv"
    file.write_text("a\tp\to\nbad\n")
    other = tmp_path / "other.csv"
    other.write_text("a,p,o\nb,p,o\n")
    return imported(file).summary["import"], imported(other).summary["import"]


@pytest.mark.once
def test_imports_are_listed_and_shown(two: tuple[int, int]) -> None:
    here = Inside()
    listed = here.run("imports", "list").stdout.decode().splitlines()
    assert [line.split()[0] for line in listed] == ["ID", str(two[1]), str(two[0])]
    found = orjson.loads(here.run("imports", "list", "--json", "--limit", "1").stdout)
    assert [(each["number"], each["inserted"], each["duplicates"]) for each in found] == [(two[1], 1, 1)]
    shown = here.run("imports", "show", str(two[0])).stdout.decode()
    assert "1 inserted, 0 updated, 0 duplicates, 1 refused." in shown
    assert "facts.tsv:2: has 1 column" in shown
    as_json = orjson.loads(here.run("imports", "show", str(two[0]), "--json").stdout)
    assert (as_json["status"], as_json["resume"], len(as_json["first_refused"])) == ("finished", None, 1)


@pytest.mark.once
def test_an_undo_asks_first_and_refuses_what_is_no_import(two: tuple[int, int]) -> None:
    here = Inside()
    asked = here.run("imports", "undo", str(two[0]))
    assert (asked.returncode, b"--yes deletes the facts" in asked.stderr) == (1, True)
    assert len(stored_rows()) == 2
    missing = here.run("imports", "undo", "999999999", "--yes")
    assert (missing.returncode, missing.stderr) == (1, b"CommandError: There is no import 999999999.\n")
    assert here.run("imports", "show", "x").returncode == 2
    done = orjson.loads(here.run("imports", "undo", str(two[0]), "--yes", "--json").stdout)
    assert (done["status"], done["undone"]) == ("undone", 1)
    assert texts() == {"b"}


@pytest.mark.once
def test_a_dry_run_leaves_no_row(tmp_path: Path) -> None:
    file = tmp_path / "facts.tsv"
    file.write_text("a\tp\to\n")
    run = imported(file, dry_run=True)
    assert (run.summary["import"], ImportRun.objects.count()) == (None, 0)


def test_what_stops_at_its_beginning_is_broken(tmp_path: Path) -> None:
    file = tmp_path / "facts.csv"
    file.write_text("von,nach,art\na,b,c\na,c,d\na,d,e\n" * 9)
    with pytest.raises(CommandError):
        call_command("import_triples", str(file), "--columns", "subject=nobody")
    assert ImportRun.objects.get().status == ImportStatus.BROKEN
    assert connection.in_atomic_block is False
