"""A log beside a database that is not its own: found out before SQLite opens either."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from skg_site.host.lone_host import this_host
from tests.support.environment import service_variables
from tests.support.service import manage
from triples.store.sqlite.file_identity import Files, find_files, index_of, log_of
from triples.store.sqlite.wal_check import contradiction

pytestmark = pytest.mark.process

# Ends as a power cut would end it, with a log that nobody has carried over.
WRITE = """
import os, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA page_size = " + sys.argv[2])
database.execute("PRAGMA journal_mode = WAL")
database.execute("PRAGMA wal_autocheckpoint = 0")
database.execute("CREATE TABLE IF NOT EXISTS t (x)")
for number in range(20):
    database.execute("INSERT INTO t VALUES (?)", (number,))
os._exit(0)
"""


def killed(path: Path, page_size: int = 4096) -> Path:
    """A database whose last user was killed."""
    subprocess.run([sys.executable, "-c", WRITE, str(path), str(page_size)], check=True, timeout=60)
    assert Path(log_of(path)).stat().st_size
    return path


def closed(path: Path, journal: str) -> Path:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute(f"PRAGMA journal_mode = {journal}")
    database.execute("CREATE TABLE t (x)")
    database.close()
    return path


def found(path: Path, last: Files | None = None, *, same_boot: bool = True) -> str:
    return contradiction(path, last, same_boot=same_boot) or ""


def test_what_belongs_together_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "skg.db"
    assert found(path) == ""
    assert found(closed(path, "WAL")) == ""
    assert found(killed(path), find_files(path)) == ""
    copied = tmp_path / "copied"
    copied.mkdir()
    for file in tmp_path.glob("skg.db*"):
        (copied / file.name).write_bytes(file.read_bytes())
    assert found(copied / "skg.db", find_files(path)) == ""
    # A log in which nothing was ever committed.
    Path(log_of(path)).write_bytes(bytes(5000))
    Path(index_of(path)).unlink()
    assert found(path) == ""


def without_database(path: Path) -> None:
    path.unlink()


def with_empty_database(path: Path) -> None:
    path.write_bytes(b"")


def with_backup(path: Path) -> None:
    os.replace(closed(path.with_name("other.db"), "DELETE"), path)  # noqa: PTH105  # beside the log that stays


def with_other_pages(path: Path) -> None:
    os.replace(killed(path.with_name("other.db"), 8192), path)  # noqa: PTH105  # beside the log that stays


def with_another_database(path: Path) -> None:
    os.replace(closed(path.with_name("other.db"), "WAL"), path)  # noqa: PTH105  # as above


def with_another_log(path: Path) -> None:
    other = killed(path.with_name("other.db"))
    Path(log_of(other)).replace(log_of(path))


def without_log(path: Path) -> None:
    Path(log_of(path)).unlink()


def with_empty_log(path: Path) -> None:
    Path(log_of(path)).write_bytes(b"")


def with_damaged_log(path: Path) -> None:
    content = bytearray(Path(log_of(path)).read_bytes())
    content[17] ^= 1
    Path(log_of(path)).write_bytes(content)


def with_foreign_log(path: Path) -> None:
    Path(log_of(path)).write_text("no log at all\n" * 100)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without_database, "there is a log of changes but no database"),
        (with_empty_database, "there is a log of changes but no database"),
        (with_backup, "was closed or copied without a log"),
        (with_other_pages, "a database with other pages"),
        (with_another_database, "not the one that the log was written for"),
        (with_another_log, "not the one that was in use"),
        (without_log, "written pages is missing"),
        (with_empty_log, "written pages is missing"),
        (with_damaged_log, "damaged, or no log"),
        (with_foreign_log, "damaged, or no log"),
    ],
)
def test_what_does_not_belong_together_is_found_out(
    tmp_path: Path, change: Callable[[Path], None], reason: str
) -> None:
    path = killed(tmp_path / "skg.db")
    last = find_files(path)
    change(path)
    assert reason in found(path, last)


def test_after_the_machine_was_started_anew_its_index_says_nothing(tmp_path: Path) -> None:
    path = killed(tmp_path / "skg.db")
    with_another_log(path)
    assert found(path, same_boot=False) == ""


def test_the_log_is_moved_aside_and_the_database_opened_when_the_operator_says_so(tmp_path: Path) -> None:
    variables = service_variables(tmp_path)
    assert manage("migrate", "--no-input", variables=variables, set_up=True).returncode == 0
    path = tmp_path / "skg.db"
    killed(path)
    path.unlink()
    refused = manage("migrate", "--no-input", variables=variables, set_up=True)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("The database is not opened: there is a log of changes but no database.")
    log = Path(log_of(path)).read_bytes()

    allowed = manage("migrate", "--no-input", "--set-log-aside", variables=variables, set_up=True)
    assert allowed.returncode == 0, allowed.stderr
    [aside] = tmp_path.glob("skg.db.log-aside-*")
    assert aside.read_bytes() == log
    again = manage("migrate", "--no-input", "--set-log-aside", variables=variables, set_up=True)
    assert "nothing was moved" in again.stderr


def test_a_backup_is_restored_where_a_log_was_left_without_its_database(tmp_path: Path) -> None:
    variables = service_variables(tmp_path)
    for command in (["migrate", "--no-input"], ["backup"]):
        assert manage(*command, variables=variables, set_up=True).returncode == 0
    path = tmp_path / "skg.db"
    killed(path)
    path.unlink()
    done = manage("restore", variables=variables, set_up=True)
    assert done.returncode == 0, done.stderr
    assert manage("migrate", "--no-input", variables=variables, set_up=True).returncode == 0


def test_a_host_without_a_record_has_never_served(tmp_path: Path) -> None:
    from triples.store.sqlite.service_record import read_record

    for content in ("", "half", f"{this_host()} 1:2 3:4", f"{this_host()} 1:2 x:y -", f"{this_host()} 1:2 - - -"):
        file = tmp_path / "record"
        file.write_text(content)
        descriptor = os.open(file, os.O_RDONLY)
        assert read_record(descriptor) is None, content
        os.close(descriptor)
