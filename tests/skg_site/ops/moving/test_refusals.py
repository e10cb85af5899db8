"""What copy_to does not do, with a sentence that says why; nothing was changed then."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from tests.skg_site.ops.backups.databases import as_json, refused
from tests.skg_site.ops.moving.conftest import NewTarget
from tests.support.postgresql import database_url
from tests.triples.commands.runs import Inside
from triples.store.backend import backend

pytestmark = pytest.mark.usefixtures("database")

PASSWORD = "a-pass%20word"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://u@h/d", "must be a URL such as"),
        (f"mysql://u:{PASSWORD}@h/d", "must be a URL such as"),
        ("sqlite://", "must be a URL such as"),
        ("skg.db", "must be a URL such as"),
    ],
)
def test_a_target_that_is_no_url(url: str, said: str) -> None:
    run = Inside().run("copy_to", url, "--yes")
    assert run.returncode == 2
    assert said in run.stderr.decode()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"postgresql://u:{PASSWORD}%zz@localhost/x", "none that PostgreSQL's library understands"),
        (f"postgresql://u:{PASSWORD}@localhost:1/x", "cannot be reached"),
        (f"postgresql://u:{PASSWORD}@/x?host=/nowhere", "cannot be reached"),
    ],
)
def test_a_target_that_cannot_be_reached_is_told_without_its_password(url: str, said: str) -> None:
    code, sentence = refused(Inside(), "copy_to", url, "--yes")
    assert code == 1
    assert said in sentence
    assert "pass" not in sentence


def test_a_url_may_come_from_standard_input() -> None:
    run = Inside().run("copy_to", "-", "--yes", given=f"mysql://u:{PASSWORD}@h/d\n".encode())
    assert run.returncode == 2
    assert "must be a URL such as" in run.stderr.decode()
    assert PASSWORD not in run.stderr.decode()


def test_nobody_is_there_to_be_asked(tmp_path: Path) -> None:
    assert "--yes" in refused(Inside(), "copy_to", f"sqlite:///{tmp_path}/new.db")[1]
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_there(tmp_path: Path) -> None:
    file = tmp_path / "there.db"
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE notes (text)")
    assert "tables of something else" in refused(Inside(), "copy_to", f"sqlite:///{file}", "--yes")[1]
    file.write_bytes(b"")
    assert "is there already" in refused(Inside(), "copy_to", f"sqlite:///{file}", "--yes")[1]
    file.write_bytes(b"no database" * 100)
    assert "not a database" in refused(Inside(), "copy_to", f"sqlite:///{file}", "--yes")[1]


def _something_else(driver: "psycopg.Connection[tuple[object, ...]]") -> None:
    driver.execute("CREATE TABLE notes (text text)")


def _a_graph(driver: "psycopg.Connection[tuple[object, ...]]") -> None:
    for name, column in (("django_migrations", "x"), ("triples_rule", "x")):
        driver.execute(sql.SQL("CREATE TABLE {} ({} int)").format(*map(sql.Identifier, (name, column))))
    driver.execute("INSERT INTO triples_rule VALUES (1), (2)")


@pytest.mark.parametrize(("fill", "said"), [(_something_else, "tables of something else"), (_a_graph, "holds 2 rules")])
def test_a_target_that_is_not_empty(
    empty_database: NewTarget, fill: Callable[["psycopg.Connection[tuple[object, ...]]"], None], said: str
) -> None:
    url = empty_database()
    with psycopg.connect(url, autocommit=True) as driver:
        fill(driver)
    for option in ("--yes", "--restart", "--dry-run"):
        code, sentence = refused(Inside(), "copy_to", url, "--yes", option)
        assert (code, said in sentence) == (1, True), sentence


def test_a_database_that_cannot_hold_every_text(postgresql: str) -> None:
    with psycopg.connect(postgresql, autocommit=True) as driver:
        driver.execute("DROP DATABASE IF EXISTS latin")
        driver.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    code, sentence = refused(Inside(), "copy_to", database_url(postgresql, "latin"), "--yes")
    assert code == 1
    assert "encoded in LATIN1" in sentence


def test_taking_back_what_has_not_moved(empty_database: NewTarget) -> None:
    code, sentence = refused(Inside(), "copy_to", empty_database(), "--take-back", "--yes")
    assert (code, sentence) == (1, "The graph has not moved: writes are stored here.")


@pytest.mark.both
@pytest.mark.parametrize("options", [(), ("--restart",), ("--take-back",)])
def test_a_copy_while_another_one_runs(tmp_path: Path, options: tuple[str, ...]) -> None:
    """It would go on after the other has ended, and delete on the target what is new by then."""
    with backend().locks.open_copy_lease() as lease:
        assert lease.take()
        code, sentence = refused(Inside(), "copy_to", f"sqlite:///{tmp_path}/new.db", "--yes", *options)
    assert (code, "Another copy_to of this database is under way" in sentence) == (75, True)
    assert not list(tmp_path.iterdir())


def test_tables_that_nobody_copies_are_told(tmp_path: Path) -> None:
    made = {"notes": "CREATE TABLE notes (text)", "_litestream_seq": "CREATE TABLE _litestream_seq (id INTEGER)"}
    try:
        for name, statement in made.items():
            _execute(statement)
            _execute(f"INSERT INTO {name} VALUES (1)")
        plan = as_json(Inside(), "copy_to", f"sqlite:///{tmp_path}/new.db", "--dry-run")
    finally:
        for name in made:
            _execute(f"DROP TABLE IF EXISTS {name}")
    # What Litestream keeps for itself has nothing to tell elsewhere.
    assert plan["left_out"] == {"notes": 1}
    assert not list(tmp_path.iterdir())


def _execute(statement: str) -> None:
    # A command closes the connection of its process.
    with connection.cursor() as cursor:
        cursor.execute(statement)
