"""`migrate_from_flask` into this service's own graph."""

import io
import signal
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from skg_site.cli.interrupts import Interrupted
from tests.support.database import empty_tables, in_orm
from tests.triples.commands.runs import counts
from tests.triples.exchange.from_flask.old import ADDED, TABLE, add, files, migrated
from tests.triples.store.graphs import counted, stored_rows, tallied
from triples.exchange import flask_database
from triples.exchange.lines import InputError
from triples.store.bulk import Loaded, Loader
from triples.store.operations import Fact

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

REFUSED = [
    ((None, "p", "o", 1.0, "{}"), "subject is NULL"),
    (("a", "p", "o", 7.5, "{}"), "weight must be from 0 to 1, not 7.5"),
    (("b", "p", "o", "heavy", "{}"), "weight must be a number such as 0.5, not 'heavy'"),
    (("d", "p", "o", 1.0, "not json"), "metadata is not JSON: expected ident at column 2"),
    (("e", "p", "o", 1.0, "[1]"), "metadata must be a JSON object"),
    (("f\x00", "p", "o", 1.0, "{}"), "subject must not contain the control character U+0000"),
    (("g", "p" * 501, "o", 1.0, "{}"), "predicate must have at most 500 characters, not 501"),
    ((b"\xff", "p", "o", 1.0, "{}"), "subject is not UTF-8 at byte 1"),
    (("", "p", "o", 1.0, "{}"), "subject must not be empty"),
]


def test_every_fact_comes_over_as_it_was_and_nothing_of_the_old_is_changed(old: Path) -> None:
    add(old, ("null weight", "p", "o", None, None), ("zero", "p", "é", 0, "null"), (1, "p", "o", 1, '{"n": [1.0]}'))
    before = files(old.parent)
    run = migrated(old)
    assert (run.error, run.counts) == (None, counts(13, 13))
    rows = {key: (row.weight, row.metadata) for key, row in stored_rows().items()}
    assert rows[("s3", "p", "o")] == (0.3, None)
    assert rows[("null weight", "p", "o")] == (1.0, None)
    assert rows[("zero", "p", "é")] == (0.0, None)
    assert rows[("1", "p", "o")] == (1.0, '{"n":[1.0]}')
    assert tallied() == counted()
    assert files(old.parent) == before


@pytest.mark.once
def test_what_is_no_fact_is_told_with_its_row_and_reason(old: Path, tmp_path: Path) -> None:
    add(old, *(row for row, _ in REFUSED))
    errors = tmp_path / "errors.txt"
    assert migrated(old, "--errors", str(errors)).counts == counts(10 + len(REFUSED), 10, refused=len(REFUSED))
    assert errors.read_text().splitlines() == [
        f"row:{number}: {reason}" for number, (_, reason) in enumerate(REFUSED, 11)
    ]


@pytest.mark.once
def test_rows_come_over_whatever_their_numbers_are(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection, connection:
        insert = "INSERT INTO triples (id, subject, predicate, object) VALUES (?, ?, 'p', 'o')"
        connection.executemany(insert, [(-(1 << 63), "least"), (-1, "negative"), (0, "none"), ((1 << 63) - 1, "most")])
    assert migrated(old).counts == counts(14, 14)
    assert {"least", "negative", "none", "most"} <= {subject for subject, _, _ in stored_rows()}


@pytest.mark.once
@pytest.mark.parametrize(
    ("table", "moved"),
    [
        ("CREATE TABLE triples (rowid TEXT, subject, predicate, object)", True),
        ("CREATE TABLE Triples (rowid, _rowid_, Subject, PREDICATE, object)", True),
        ("CREATE TABLE triples (rowid, _rowid_, oid, subject, predicate, object)", False),
        ("CREATE TABLE triples (subject, predicate, object, PRIMARY KEY (subject)) WITHOUT rowid", False),
        ("CREATE VIEW triples AS SELECT subject, predicate, object FROM others", False),
    ],
)
def test_tables_of_another_kind_come_over_or_are_refused(tmp_path: Path, table: str, moved: bool) -> None:
    file = tmp_path / "other.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE others (subject, predicate, object)")
        connection.execute(table)
        name = "others" if "VIEW" in table else "triples"
        connection.execute(f"INSERT INTO {name} (subject, predicate, object) VALUES ('a', 'p', 'o')")
    if moved:
        assert migrated(file).counts == counts(1, 1)
        return
    with pytest.raises(CommandError, match=r"the rows of triples have no numbers.*CREATE TABLE new\.triples"):
        call_command("migrate_from_flask", str(file))
    assert stored_rows() == {}


@pytest.mark.once
def test_where_every_row_is_refused_it_has_failed(old: Path) -> None:
    run = migrated(old, "--scale-weights=10:20")
    assert run.error is not None
    assert (run.error.returncode, str(run.error)) == (1, "Every row was refused.")


@pytest.mark.once
def test_weights_can_be_scaled_and_have_another_default(old: Path) -> None:
    add(old, ("heavy", "p", "o", 5, "{}"), ("none", "p", "o", None, "{}"))
    assert migrated(old, "--scale-weights=0:10", "--weight", "0.25").error is None
    weights = {subject: row.weight for (subject, _, _), row in stored_rows().items()}
    assert (weights["heavy"], weights["none"]) == (0.5, 0.25)


@pytest.mark.once
def test_facts_can_be_marked(old: Path) -> None:
    add(old, ("own", "p", "o", 1, '{"created_at": "long ago"}'))
    migrated(old, "--mark")
    rows = stored_rows()
    assert orjson.loads(rows[("s1", "p", "o")].metadata or "") == {"migrated": True, "created_at": ADDED}
    assert orjson.loads(rows[("own", "p", "o")].metadata or "") == {"migrated": True, "created_at": "long ago"}


@pytest.mark.once
def test_the_table_needs_no_more_than_the_guide_reads(tmp_path: Path) -> None:
    path = tmp_path / "100% old?.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE triples(subject, predicate, object)")
        connection.execute("INSERT INTO triples VALUES ('a', 'b', 2.5)")
    assert migrated(path, "--mark").counts == counts(1, 1)
    assert orjson.loads(stored_rows()[("a", "b", "2.5")].metadata or "") == {"migrated": True}


def test_a_second_migration_brings_what_was_added_since(old: Path) -> None:
    migrated(old)
    add(old, ("new", "p", "o", 1, "{}"), (" s1 ", "p", "o", 1, "{}"))
    assert migrated(old).counts == counts(12, 1, duplicates=11)


def test_what_is_there_can_be_replaced(old: Path) -> None:
    migrated(old, "--weight", "1")
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute("UPDATE triples SET weight = 1 WHERE subject = 's1'")
    assert migrated(old, "--on-duplicate", "replace").counts == counts(10, 0, updated=1, duplicates=9)


def test_a_dry_run_stores_nothing(old: Path) -> None:
    assert migrated(old, "--dry-run").counts == counts(10, 10)
    assert counted() == (0, 0)


@pytest.mark.once
def test_people_get_a_sentence(old: Path) -> None:
    printed = io.StringIO()
    call_command("migrate_from_flask", str(old), stdout=printed)
    assert printed.getvalue().startswith("10 facts read: 10 inserted, 0 duplicates, 0 refused (")


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flask_database, "PAGE_ROWS", 3)
    monkeypatch.setattr(Loader, "chunk_size", 2)


@pytest.fixture
def stopped(old: Path, small_pages: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An old database of which a migration was stopped after four rows."""
    load = Loader.load
    left = [2]

    def load_or_stop(self: Loader, facts: Sequence[Fact]) -> Loaded:
        left[0] -= 1
        if left[0] < 0:
            raise Interrupted(signal.SIGINT)
        return load(self, facts)

    with monkeypatch.context() as patch:
        patch.setattr(Loader, "load", load_or_stop)
        run = migrated(old)
    assert run.error is not None
    assert (run.error.returncode, run.counts) == (130, counts(4, 4))
    return old


def test_the_same_command_line_goes_on(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = migrated(stopped)
    assert "Going on after row 4; --restart begins anew." in capsys.readouterr().err
    assert (run.counts, run.summary["earlier_runs"]) == (counts(10, 10), counts(4, 4))
    assert migrated(stopped).counts == counts(10, 0, duplicates=10)


@pytest.mark.once
def test_it_can_begin_anew(stopped: Path) -> None:
    assert migrated(stopped, "--restart").counts == counts(10, 6, duplicates=4)


def test_an_emptied_graph_gets_everything(stopped: Path) -> None:
    in_orm(empty_tables)
    assert migrated(stopped).counts == counts(10, 10)


def number_anew(old: Path) -> None:
    """Remove the first row, and give the others its number and those after it, as a dump that is loaded does."""
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.executescript(
            f"ALTER TABLE triples RENAME TO before; {TABLE};"
            "INSERT INTO triples SELECT * FROM before ORDER BY rowid LIMIT -1 OFFSET 1; DROP TABLE before;"
        )


@pytest.mark.once
def test_rows_that_have_other_numbers_now_are_read_anew(stopped: Path) -> None:
    number_anew(stopped)
    assert migrated(stopped).counts == counts(9, 6, duplicates=3)


@pytest.mark.once
def test_numbers_that_change_while_it_reads_end_it(
    old: Path, small_pages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = Loader.load

    def load_and_vacuum(self: Loader, facts: Sequence[Fact]) -> Loaded:
        number_anew(old)
        return load(self, facts)

    with monkeypatch.context() as patch:
        patch.setattr(Loader, "load", load_and_vacuum)
        run = migrated(old)
    assert "its rows have other numbers" in str(run.error)
    assert migrated(old).error is None
    with closing(sqlite3.connect(old)) as connection:
        kept = {row[0] for row in connection.execute("SELECT subject FROM triples")}
    assert kept <= {subject for subject, _, _ in stored_rows()}


def test_a_database_that_fails_is_a_sentence(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("disk I/O error")

    monkeypatch.setattr(Loader, "load", fail)
    run = migrated(old)
    assert str(run.error) == "The database did not do it: disk I/O error. manage.py system_check looks for the cause."
    assert run.summary["error"] == str(run.error)


@pytest.mark.once
@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_the_old_service_goes_on_meanwhile(old: Path, small_pages: None, mode: str) -> None:
    with closing(sqlite3.connect(old, isolation_level=None, timeout=0)) as connection:
        connection.execute(f"PRAGMA journal_mode={mode}")
        connection.execute("INSERT INTO triples VALUES ('x', 'in the log', 'p', 'o', 1, '{}', '')")
        with flask_database.opened(old) as database:
            pages = database.pages(flask_database.Place())
            seen = list(next(pages))
            # Nothing is locked between two pages.
            connection.execute("INSERT INTO triples VALUES ('y', 'last', 'p', 'o', 1, '{}', '')")
            seen += [row for page in pages for row in page]
    assert [row.subject for row in seen[-2:]] == [b"in the log", b"last"]
    assert len(seen) == 12


@pytest.mark.once
def test_a_database_with_a_log_that_nobody_uses_gets_no_files_beside_it(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    before = files(old.parent)
    assert migrated(old).counts == counts(10, 10)
    assert files(old.parent) == before == {old.name: before[old.name]}


@pytest.mark.once
def test_a_database_that_comes_into_use_is_not_trusted_as_it_was(old: Path, small_pages: None) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    with flask_database.opened(old) as database:
        pages = database.pages(flask_database.Place())
        next(pages)
        add(old, ("late", "p", "o", 1, "{}"))
        with pytest.raises(InputError, match="came into use while it was read"):
            next(pages)


@pytest.mark.once
def test_what_a_crash_left_beside_it_is_read_too(old: Path, tmp_path: Path) -> None:
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("INSERT INTO triples VALUES ('x', 'in the log', 'p', 'o', 1, '{}', '')")
        connection.commit()
        for name in ("legacy.db", "legacy.db-wal"):
            (crashed / name).write_bytes((tmp_path / name).read_bytes())
    before = files(crashed)
    assert migrated(crashed / "legacy.db").counts == counts(11, 11)
    assert before.items() <= files(crashed).items()


@pytest.mark.once
def test_a_transaction_that_a_crash_left_half_done_is_a_sentence(old: Path) -> None:
    hot = old.with_name("hot.db")
    with closing(sqlite3.connect(old, isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_size=1")
        connection.execute("PRAGMA cache_spill=1")
        connection.execute("BEGIN IMMEDIATE")
        rows = [(f"x{number}", "p" * 50, "o" * 400, str(number)) for number in range(500)]
        connection.executemany("INSERT INTO triples VALUES (?, ?, ?, ?, 1, '{}', '')", rows)
        hot.write_bytes(old.read_bytes())
        hot.with_name("hot.db-journal").write_bytes(old.with_name("legacy.db-journal").read_bytes())
        connection.execute("ROLLBACK")
    run = migrated(hot)
    assert "cannot be read" in str(run.error)
    assert "start the old service once" in str(run.error)


@pytest.mark.once
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file or directory"),
        (b"no database at all, but long enough to have a beginning", "file is not a database"),
        (b"", "it has no table triples with a column subject"),
    ],
)
def test_what_is_no_old_database_is_a_sentence(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "other.db"
    if content is not None:
        path.write_bytes(content)
    run = migrated(path)
    assert message in str(run.error)
    assert run.error is not None
    assert run.error.returncode == 1


@pytest.mark.once
def test_a_report_that_cannot_be_written_is_a_sentence(old: Path, tmp_path: Path) -> None:
    run = migrated(old, "--errors", str(tmp_path))
    assert "Is a directory" in str(run.error)


@pytest.mark.once
@pytest.mark.parametrize(
    "arguments",
    [
        ["--to", "ftp://example.com"],
        ["--to", "http://localhost:port"],
        ["--to", "http://key@localhost"],
        ["--batch-size", "0"],
        ["--patience", "soon"],
        ["--scale-weights", "1:1"],
        ["--weight", "2"],
        ["--back", "f.ndjson", "--to", "http://localhost"],
        ["--to", "http://localhost", "--on-duplicate", "replace"],
    ],
)
def test_what_makes_no_sense_is_said(old: Path, arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("migrate_from_flask", str(old), *arguments)
