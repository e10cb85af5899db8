"""An import that was interrupted is continued by the same command line, and misses and doubles nothing."""

import gzip
import io
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError

from skg_site.cli.interrupts import Interrupted
from tests.support.database import empty_tables, in_orm
from tests.triples.commands.runs import Run, Shell, counts, imported
from tests.triples.store.graphs import counted, stored_rows, tallied
from triples.exchange import destinations, importing
from triples.store.bulk import Loaded, Loader
from triples.store.group_commit import write_now
from triples.store.operations import Fact, Remove

pytestmark = pytest.mark.both

CHUNK = 1_000
FACTS = 4 * CHUNK


def lines(start: int = 0, end: int = FACTS) -> str:
    return "".join(f"s{number}\tp\to\n" for number in range(start, end))


def kept_checkpoints() -> list[Path]:
    return list((settings.ENV.state_dir / "imports").glob("*.json"))


@pytest.fixture
def interrupted(database: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """A function that imports and is interrupted, or meets the error that is given, after so many chunks."""
    load = Loader.load

    def run(*files: Path, chunks: int = 1, error: BaseException | None = None, **options: object) -> Run:
        left = [chunks]

        def load_or_stop(self: Loader, facts: list[Fact]) -> Loaded:
            left[0] -= 1
            if left[0] < 0:
                raise error or Interrupted(signal.SIGINT)
            return load(self, facts)

        with monkeypatch.context() as patch:
            patch.setattr(Loader, "load", load_or_stop)
            patch.setattr(Loader, "chunk_size", CHUNK)
            stopped = imported(*files, **options)
        assert stopped.error is not None
        return stopped

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "facts.tsv"
    path.write_text(lines())
    return path


def test_what_is_committed_is_not_read_again(
    interrupted: Callable[..., Run], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = interrupted(file, chunks=2)
    assert stopped.error is not None
    assert stopped.error.returncode == 130
    assert "the same command line goes on from here" in str(stopped.error)
    assert stopped.counts == counts(2 * CHUNK, 2 * CHUNK)
    continued = imported(file)
    assert f"Going on after line {2 * CHUNK:,} of {file}" in capsys.readouterr().err
    assert (continued.error, continued.counts) == (None, counts(FACTS, FACTS))
    assert continued.summary["earlier_runs"] == stopped.counts
    assert counted() == tallied() == (FACTS, FACTS)
    assert kept_checkpoints() == []
    assert imported(file).counts == counts(FACTS, 0, duplicates=FACTS)


@pytest.mark.once
def test_refused_lines_are_told_once(
    interrupted: Callable[..., Run], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, errors = tmp_path / "facts.tsv", tmp_path / "errors.txt"
    file.write_text(f"bad\n{lines()}bad\n")
    interrupted(file, errors=errors)
    capsys.readouterr()
    assert imported(file, errors=errors).counts == counts(FACTS + 2, FACTS, refused=2)
    assert f"{file}:{FACTS + 2}: " in capsys.readouterr().err
    assert [line.split(":")[1] for line in errors.read_text().splitlines()] == ["1", str(FACTS + 2)]


@pytest.mark.once
def test_compressed_files_and_headers_are_continued(interrupted: Callable[..., Run], tmp_path: Path) -> None:
    rows = "".join(f"o,s{number},p\r\n" for number in range(FACTS))
    file = tmp_path / "facts.csv.gz"
    file.write_bytes(gzip.compress(f"object,subject,predicate\r\n{rows}".encode()))
    interrupted(file)
    assert imported(file).counts == counts(FACTS, FACTS)
    assert ("s0", "p", "o") in stored_rows()


@pytest.mark.once
def test_the_files_before_are_not_read_again(interrupted: Callable[..., Run], tmp_path: Path) -> None:
    first, second = tmp_path / "1.tsv", tmp_path / "2.tsv"
    first.write_text(lines(0, CHUNK))
    second.write_text(lines(CHUNK))
    interrupted(first, second, chunks=2)
    continued = imported(first, second)
    assert continued.counts == counts(FACTS, FACTS)
    assert continued.summary["earlier_runs"]["read"] == 2 * CHUNK


@pytest.mark.once
def test_between_two_files_it_goes_on_at_the_next(
    interrupted: Callable[..., Run], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "1.tsv", tmp_path / "2.tsv"
    first.write_text(lines(0, 10))
    second.write_text(lines(10, 20))
    interrupted(first, second)
    assert imported(first, second).counts == counts(20, 20)
    assert f"Going on at the beginning of {second}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "error", [OperationalError("disk I/O error"), OSError(28, "No space left on device"), Interrupted(signal.SIGTERM)]
)
def test_after_a_failure_it_goes_on_too(interrupted: Callable[..., Run], file: Path, error: BaseException) -> None:
    stopped = interrupted(file, error=error)
    assert stopped.summary["complete"] is False
    assert stopped.summary["error"] == str(stopped.error)
    assert imported(file).summary["earlier_runs"]["read"] == CHUNK


@pytest.mark.once
def test_the_summary_says_what_earlier_runs_did(interrupted: Callable[..., Run], file: Path) -> None:
    interrupted(file)
    printed = io.StringIO()
    call_command("import_triples", str(file), stdout=printed)
    assert f" {CHUNK:,} of them were read by earlier runs. " in printed.getvalue()


def test_a_database_that_cannot_be_asked_is_a_sentence(
    interrupted: Callable[..., Run], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(file)

    def fail(_: object) -> None:
        raise OperationalError("no such table: triples_triple")

    monkeypatch.setattr(destinations, "is_stored", fail)
    error = imported(file).error
    assert error is not None
    assert str(error) == "The database did not do it: no such table: triples_triple. Has it been migrated?"


def earlier(run: Run) -> int:
    read: int = run.summary["earlier_runs"]["read"]
    return read


@pytest.mark.once
def test_restart_begins_anew(interrupted: Callable[..., Run], file: Path) -> None:
    interrupted(file)
    run = imported(file, restart=True)
    assert (earlier(run), run.counts) == (0, counts(FACTS, FACTS - CHUNK, duplicates=CHUNK))


@pytest.mark.once
def test_a_file_that_has_changed_is_read_anew(interrupted: Callable[..., Run], file: Path) -> None:
    interrupted(file)
    file.write_text(lines() + "more\tp\to\n")
    assert earlier(imported(file)) == 0


@pytest.mark.once
def test_with_other_options_it_is_another_import(interrupted: Callable[..., Run], file: Path) -> None:
    interrupted(file)
    assert earlier(imported(file, weight=0.5)) == 0


def test_an_emptied_database_gets_everything(interrupted: Callable[..., Run], file: Path) -> None:
    interrupted(file)
    in_orm(empty_tables)
    assert (imported(file).counts, counted()[0]) == (counts(FACTS, FACTS), FACTS)


def test_a_database_that_lost_the_newest_fact_is_not_believed_to_have_the_others(
    interrupted: Callable[..., Run], file: Path
) -> None:
    interrupted(file)
    newest = max(stored_rows().values(), key=lambda row: row.id)
    write_now([Remove(newest.id, newest.created_ms)])
    assert imported(file).counts == counts(FACTS, FACTS - CHUNK + 1, duplicates=CHUNK - 1)


@pytest.mark.once
def test_a_dry_run_neither_continues_nor_forgets(interrupted: Callable[..., Run], file: Path) -> None:
    interrupted(file)
    assert imported(file, dry_run=True).counts == counts(FACTS, FACTS - CHUNK, duplicates=CHUNK)
    assert earlier(imported(file)) == CHUNK


def test_where_nothing_could_be_stored_nothing_is_left_out(
    interrupted: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "FIRST_RECORDS", 1_000_000)
    file = tmp_path / "facts.tsv"
    file.write_text("bad\n" * 25_000 + lines())
    interrupted(file, chunks=0)
    assert imported(file).counts == counts(25_000 + FACTS, FACTS, refused=25_000)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_the_command_is_continued_after_any_end(shell: Shell, tmp_path: Path, number: int) -> None:
    facts = 40_000
    file = tmp_path / "facts.tsv"
    file.write_text(lines(0, facts))
    # The first facts of a graph are committed together; these are not the first.
    shell.run("import_triples", "-", "--format", "tsv", given=b"first\tp\to\n")
    checkpoints = Path(shell.variables["SKG_DB_PATH"]).with_suffix(".state") / "imports"
    with shell.start("import_triples", str(file), "--json") as process:
        while process.poll() is None and not any(checkpoints.glob("*.json")):
            time.sleep(0.002)
        os.kill(process.pid, number)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == (-number if number == signal.SIGKILL else 130), stderr
    continued = shell.run("import_triples", str(file), "--json")
    assert b"Going on after line" in continued.stderr
    summary = orjson.loads(continued.stdout)
    assert 0 < summary["earlier_runs"]["read"] < facts
    if number == signal.SIGINT:
        assert summary["earlier_runs"]["read"] == orjson.loads(stdout)["read"]
    # A chunk that was committed and not noted any more is there when it is read again.
    assert summary["read"] == summary["inserted"] + summary["duplicates"] == facts
    exported = shell.run("export_triples", "-", "--format", "tsv")
    assert sorted(exported.stdout.decode().splitlines()) == sorted(["first\tp\to", *lines(0, facts).splitlines()])
