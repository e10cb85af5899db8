"""`manage.py restore`: what it refuses, what it keeps, and what it leaves of the database before."""

import hashlib
import os
import pty
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.skg_site.ops.backups.databases import (
    Databases,
    as_json,
    done,
    exported,
    is_sqlite,
    next_second,
    refused,
    state_folder,
)
from tests.support.environment import process_environment
from tests.support.postgresql import database_url
from tests.support.processes import PythonProcess
from tests.triples.commands.runs import Shell
from tests.triples.store.long_texts import HOSTILE

pytestmark = pytest.mark.both


def backup_of(shell: Shell, folder: Path) -> Path:
    return Path(as_json(shell, "backup", "--to", str(folder))["file"])


def sign(file: Path) -> None:
    """As somebody would who does not know that it is damaged."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    file.with_name(f"{file.name}.sha256").write_text(f"{digest}  {file.name}\n")


def add(shell: Shell, fact: str) -> None:
    done(shell, "import_triples", "--format", "tsv", "-", given=fact)


def test_a_database_that_is_not_empty_is_overwritten_only_when_told(graph: Shell, tmp_path: Path) -> None:
    file = backup_of(graph, tmp_path)
    add(graph, "later\tin\ta")
    code, sentence = refused(graph, "restore", str(file))
    assert (code, sentence) == (1, "The database is not empty: 4 facts, 1 keys, 1 rules. --force overwrites it.")
    code, sentence = refused(graph, "restore", str(file), "--force")
    assert (code, sentence) == (1, "Nobody is there to be asked; --yes overwrites without asking.")
    assert len(exported(graph)) == 4
    told = done(graph, "restore", str(tmp_path), "--force", "--yes")
    assert "3 facts" in told
    assert "is kept as " in told
    assert len(exported(graph)) == 3


@pytest.mark.once
@pytest.mark.parametrize(("answer", "facts"), [("n", 4), ("yes", 3)])
def test_who_is_there_is_asked(graph: Shell, tmp_path: Path, answer: str, facts: int) -> None:
    file = backup_of(graph, tmp_path)
    add(graph, "later\tin\ta")
    ours, theirs = pty.openpty()
    process = PythonProcess(
        ["manage.py", "restore", str(file), "--force"],
        env=process_environment(graph.variables),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    os.write(ours, f"{answer}\n".encode())
    stdout, stderr = process.communicate(timeout=100)
    os.close(ours)
    os.close(theirs)
    assert stdout.startswith(b"Overwrite the database, which holds 4 facts, 1 keys, 1 rules? [y/N] ")
    assert (process.returncode, b"Nothing was restored." in stderr) == ((0, False) if answer == "yes" else (1, True))
    assert len(exported(graph)) == facts


def test_the_database_before_is_kept_unless_it_is_to_be_discarded(graph: Shell, tmp_path: Path) -> None:
    file = backup_of(graph, tmp_path)
    add(graph, "later\tin\ta")
    kept_as = as_json(graph, "restore", str(file), "--force", "--yes")["kept_as"]
    if is_sqlite(graph):
        with closing(sqlite3.connect(kept_as)) as kept:
            assert kept.execute("SELECT count(*) FROM triples_triple").fetchone() == (4,)
    else:
        with psycopg.connect(database_url(graph.variables["SKG_DATABASE_URL"], kept_as)) as kept_one:
            assert kept_one.execute("SELECT count(*) FROM triples_triple").fetchone() == (4,)
    next_second()
    assert as_json(graph, "restore", str(file), "--force", "--yes", "--discard")["kept_as"] is None
    if is_sqlite(graph):
        database = Path(graph.variables["SKG_DB_PATH"])
        assert len(list(database.parent.glob("skg.db.before-*"))) == 1
        assert list(database.parent.glob("*unpacked*")) == []


def test_inferred_facts_of_a_newer_database_are_not_shown_over_an_older_one(graph: Shell, tmp_path: Path) -> None:
    file = backup_of(graph, tmp_path)
    add(graph, "d\tin\te")
    assert done(graph, "recurse").startswith("6 inferred facts")
    done(graph, "restore", str(file), "--force", "--yes")
    assert done(graph, "recurse").startswith("3 inferred facts: 3 added")


def test_what_a_killed_restore_has_left_goes_with_the_next(graph: Shell, tmp_path: Path) -> None:
    file = backup_of(graph, tmp_path)
    code = "import os; from skg_site.ops.backups import restoring; "
    code += "restoring.keep_ends = lambda *_: os.kill(os.getpid(), 9); "
    code += f"restoring.restore({str(file)!r}, print, lambda *_: None, discard=False, keep_revocations=True)"
    assert graph.run("shell", "-v0", "-c", code).returncode == -9
    folders = [state_folder(graph) / "backups", state_folder(graph).parent]

    def left() -> int:
        return sum(len(list(folder.glob(name))) for folder in folders for name in ("restore-*", "*unpacked*"))

    assert left() == (2 if is_sqlite(graph) else 1)
    other = backup_of(graph, tmp_path)
    done(graph, "restore", str(other), "--force", "--yes")
    assert left() == 0


def damage(file: Path) -> None:
    content = bytearray(file.read_bytes())
    for place in range(len(content) // 3, len(content) // 2):
        content[place] ^= 0xFF
    file.write_bytes(content)


@pytest.mark.parametrize("signed", [pytest.param(False, marks=pytest.mark.once), True])
def test_a_damaged_backup_is_refused(graph: Shell, tmp_path: Path, signed: bool) -> None:
    file = backup_of(graph, tmp_path)
    add(graph, "later\tin\ta")
    damage(file)
    if signed:
        sign(file)
    code, sentence = refused(graph, "restore", str(file), "--force", "--yes")
    assert code == 65, sentence
    assert len(exported(graph)) == 4
    if is_sqlite(graph):
        assert list(Path(graph.variables["SKG_DB_PATH"]).parent.glob("*unpacked*")) == []


@pytest.mark.once
def test_a_backup_without_a_checksum_is_refused(graph: Shell, tmp_path: Path) -> None:
    file = backup_of(graph, tmp_path)
    file.with_name(f"{file.name}.sha256").unlink()
    code, sentence = refused(graph, "restore", str(file), "--force", "--yes")
    assert code == 66
    assert f"sha256sum {file.name} > {file.name}.sha256" in sentence
    sign(file)
    done(graph, "restore", str(file), "--force", "--yes")


def test_a_backup_that_contradicts_itself_is_refused(graph: Shell, databases: Databases, tmp_path: Path) -> None:
    code = "from triples.models import Tally; Tally.objects.update(triples=99)"
    done(graph, "shell", "-v0", "-c", code)
    exit_code, sentence = refused(graph, "backup", "--to", str(tmp_path))
    assert exit_code == 65
    assert "3 facts of 3 subjects" in sentence
    assert "99" in sentence
    assert list(tmp_path.iterdir()) == []


def test_a_backup_with_facts_without_their_terms_is_refused(graph: Shell, tmp_path: Path) -> None:
    unguarded = "PRAGMA foreign_keys = OFF" if is_sqlite(graph) else "SET session_replication_role = replica"
    statements = f"{unguarded}; DELETE FROM triples_term WHERE text = (SELECT min(text) FROM triples_term)"
    code = f"from django.db import connection; [connection.cursor().execute(each) for each in {statements.split(';')}]"
    done(graph, "shell", "-v0", "-c", code)
    exit_code, sentence = refused(graph, "backup", "--to", str(tmp_path))
    assert exit_code == 65
    assert "not there" in sentence
    assert list(tmp_path.iterdir()) == []


def test_a_backup_of_a_newer_version_is_refused_and_one_of_an_older_is_migrated(
    graph: Shell, databases: Databases, tmp_path: Path
) -> None:
    done(graph, "migrate", "triples", "0002", "-v0")
    older = backup_of(graph, tmp_path / "older")
    done(graph, "migrate", "-v0")
    code = "from django.db.migrations.recorder import MigrationRecorder as R; from django.db import connection\n"
    code += "R(connection).record_applied('triples', '9999_new')"
    done(graph, "shell", "-v0", "-c", code)
    exit_code, sentence = refused(graph, "backup", "--to", str(tmp_path / "newer"))
    assert exit_code == 65
    assert "this one knows no triples.9999_new" in sentence
    other = databases.fresh()
    done(other, "restore", str(older))
    assert done(other, "recurse").startswith("3 inferred facts: 3 added")


@pytest.mark.once
def test_what_cannot_be_found_or_told_apart_is_a_sentence(graph: Shell, tmp_path: Path) -> None:
    assert refused(graph, "restore", str(tmp_path)) == (66, f"There is no backup in {tmp_path}.")
    other = tmp_path / ("other.pgdump" if is_sqlite(graph) else "other.sqlite.zst")
    other.touch()
    assert "is no backup of this kind of database" in refused(graph, "restore", str(other))[1]
    other.rename(dated := other.with_name(f"other-20260101T000000.000Z{''.join(other.suffixes)}"))
    code, sentence = refused(graph, "restore", str(tmp_path))
    assert (code, dated.name in sentence, "manage.py copy_to" in sentence) == (66, True, True)
    file = backup_of(graph, tmp_path)
    shutil.copy(file, tmp_path / f"second-{file.name}")
    assert "backups of several databases" in refused(graph, "restore", str(tmp_path), "--force", "--yes")[1]


def test_a_database_that_is_in_use_is_left_alone(graph: Shell, tmp_path: Path) -> None:
    file = backup_of(graph, tmp_path)
    add(graph, "later\tin\ta")
    code = "from triples.models import Triple; import sys\n"
    code += "print(Triple.objects.count(), flush=True); sys.stdin.read()"
    with graph.start("shell", "-v0", "-c", code) as user:
        assert user.stdout is not None
        assert user.stdin is not None
        assert user.stdout.readline() == b"4\n"
        exit_code, sentence = refused(graph, "restore", str(file), "--force", "--yes")
        user.stdin.close()
    assert exit_code == 75
    assert "Stop the service, then try again." in sentence
    assert len(exported(graph)) == 4


def test_a_database_that_is_beyond_reading_is_replaced_with_all_that_belongs_to_it(
    graph: Shell, tmp_path: Path
) -> None:
    if not is_sqlite(graph):
        pytest.skip("a matter of files")
    file = backup_of(graph, tmp_path)
    database = Path(graph.variables["SKG_DB_PATH"])
    database.write_bytes(b"no database at all" * 1000)
    Path(f"{database}-wal").write_bytes(b"the log of another database")
    code, sentence = refused(graph, "restore", str(file))
    assert (code, "a database that cannot be read" in sentence) == (1, True)
    kept_as = as_json(graph, "restore", str(file), "--force", "--yes")["kept_as"]
    assert Path(kept_as).read_bytes().startswith(b"no database")
    assert len(exported(graph)) == 3


def test_inferred_facts_are_not_shown_over_a_database_that_was_put_there_by_hand(graph: Shell, tmp_path: Path) -> None:
    if not is_sqlite(graph):
        pytest.skip("PostgreSQL keeps both in one database")
    database = Path(graph.variables["SKG_DB_PATH"])
    shutil.copy(database, tmp_path / "copy.db")
    add(graph, "d\tin\te")
    assert done(graph, "recurse").startswith("6 inferred facts")
    read = "from triples.store.backend import backend; state = backend().read_state(); print(state and state.facts)"
    assert done(graph, "shell", "-v0", "-c", read) == "6\n"
    shutil.copy(tmp_path / "copy.db", database)
    assert (state_folder(graph) / "inferred/current").exists()
    assert done(graph, "shell", "-v0", "-c", read) == "None\n"
    assert done(graph, "recurse").startswith("3 inferred facts: 3 added")


def test_the_longest_terms_come_back(graph: Shell, tmp_path: Path) -> None:
    taking = Shell({**graph.variables, "SKG_MAX_TERM_LENGTH": "10000"})
    add(taking, "".join(f"{text}\tin\t{text}\n" for text in HOSTILE.values()))
    before = exported(graph)
    assert len(before) == 3 + len(HOSTILE)
    # The setting of this host is less, which is about new terms alone.
    done(graph, "restore", str(backup_of(graph, tmp_path)), "--force", "--yes")
    assert exported(graph) == before
