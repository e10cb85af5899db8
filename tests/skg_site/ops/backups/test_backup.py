"""`manage.py backup`, and what `manage.py restore` makes of it."""

import fcntl
import hashlib
import os
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import psycopg
import pytest
from django.conf import settings
from psycopg import sql

from skg_site.env import BASE_DIR
from skg_site.ops.backups.names import BackupName, newest_first
from skg_site.ops.backups.taking import default_storage
from tests.skg_site.ops.backups.databases import Databases, as_json, done, exported, is_sqlite, refused, state_folder
from tests.support.postgresql import database_url
from tests.triples.commands.runs import Shell
from triples.store.postgresql.backups import scratch_number
from triples.store.postgresql.locks import SCRATCH_KEY

pytestmark = pytest.mark.both


def test_a_backup_restores_into_an_empty_database(graph: Shell, databases: Databases, tmp_path: Path) -> None:
    taken = as_json(graph, "backup", "--to", str(tmp_path))
    assert (taken["facts"], taken["keys"], taken["rules"]) == (3, 1, 1)
    other = databases.fresh()
    told = as_json(other, "restore", taken["file"])
    assert told["facts"] == 3
    assert exported(other) == exported(graph)
    assert "one" in done(other, "apikey", "list")
    assert done(other, "recurse").startswith("3 inferred facts: 3 added")


def test_it_has_its_checksum_beside_it_and_is_noted_for_the_metrics(graph: Shell, tmp_path: Path) -> None:
    taken = as_json(graph, "backup", "--to", str(tmp_path))
    file = Path(taken["file"])
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert file.with_name(f"{file.name}.sha256").read_text() == f"{digest}  {file.name}\n"
    assert {each.name for each in tmp_path.iterdir()} == {file.name, f"{file.name}.sha256"}
    assert file.stat().st_mode & 0o777 == 0o600
    noted = orjson.loads((state_folder(graph) / "backup.json").read_bytes())
    assert noted == {name: taken[name] for name in ("finished_at", "bytes", "file", "sha256")}
    assert noted["sha256"] == digest
    assert noted["bytes"] == file.stat().st_size


@pytest.mark.once
def test_without_a_place_it_goes_to_the_setting_and_else_to_the_state(graph: Shell, tmp_path: Path) -> None:
    assert Path(as_json(graph, "backup")["file"]).parent == state_folder(graph) / "backups"
    graph.variables["SKG_BACKUP_DIR"] = str(tmp_path / "made")
    assert f"{tmp_path}/made/" in done(graph, "backup")


@pytest.mark.once
def test_a_setting_without_a_root_begins_in_the_folder_of_the_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for setting, place in (("saved", str(BASE_DIR / "saved")), ("/saved", "/saved"), ("s3://saved/a", "s3://saved/a")):
        monkeypatch.setattr(settings, "ENV", settings.ENV.model_copy(update={"backup_dir": setting}))
        assert default_storage() == place


@pytest.mark.once
def test_the_newest_are_kept_and_nothing_else_is_touched(graph: Shell, tmp_path: Path) -> None:
    first = Path(as_json(graph, "backup", "--to", str(tmp_path))["file"])
    name = BackupName.parse(first.name)
    assert name is not None
    others = [f"other-{name.moment}{name.form}", f"{name.database}-old{name.form}", "notes.txt"]
    for other in others:
        (tmp_path / other).touch()
    left_over = tmp_path / f".unfinished-{name.database}-20200101T000000.000Z{name.form}"
    left_over.touch()
    second = Path(as_json(graph, "backup", "--to", str(tmp_path))["file"])
    third = as_json(graph, "backup", "--to", str(tmp_path), "--keep", "2")
    assert third["removed"] == [first.name]
    kept = {second.name, Path(third["file"]).name}
    assert {each.name for each in tmp_path.iterdir()} == {*others, *kept, *(f"{each}.sha256" for each in kept)}
    assert "Removed: " in done(graph, "backup", "--to", str(tmp_path), "--keep", "1")


@pytest.mark.once
def test_a_clock_that_was_wrong_costs_no_backup(graph: Shell, tmp_path: Path) -> None:
    made = Path(as_json(graph, "backup", "--to", str(tmp_path))["file"])
    name = BackupName.parse(made.name)
    assert name is not None
    future = str(name._replace(moment="29990101T000000.000Z"))
    made.rename(tmp_path / future)
    (tmp_path / f"{made.name}.sha256").rename(tmp_path / f"{future}.sha256")
    code, sentence = refused(graph, "restore", str(tmp_path), "--force", "--yes")
    assert (code, sentence.partition(" has a name of the future")[0]) == (1, str(tmp_path / future))
    second = as_json(graph, "backup", "--to", str(tmp_path), "--keep", "2")
    assert (second["removed"], second["dated_later"]) == ([], [future])
    told = done(graph, "backup", "--to", str(tmp_path), "--keep", "2")
    assert f"WARNING: By their names, these are newer than this backup: {future}." in told
    last = as_json(graph, "backup", "--to", str(tmp_path), "--keep", "1")
    assert (future in last["removed"], last["dated_later"]) == (True, [])
    assert Path(last["file"]).exists()


def test_the_scratch_database_of_a_killed_backup_is_dropped_by_the_next(graph: Shell, tmp_path: Path) -> None:
    if is_sqlite(graph):
        pytest.skip("its scratch place is a file")
    url = graph.variables["SKG_DATABASE_URL"]
    name = urlsplit(url).path.removeprefix("/")
    killed, used, other = f"{name}_restored_0123abcd", f"{name}_restored_f123abcd", f"{name}_restored_by_hand"
    with psycopg.connect(database_url(url, "postgres"), autocommit=True) as server:
        for each in (killed, used, other):
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(each)))
        server.execute("SELECT pg_advisory_lock(%s, %s)", [SCRATCH_KEY, scratch_number(used)])
        done(graph, "backup", "--to", str(tmp_path))
        found = {row[0] for row in server.execute("SELECT datname FROM pg_database")}
        assert found & {killed, used, other} == {used, other}
        for each in (used, other):
            server.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(each)))


@pytest.mark.once
def test_two_do_not_run_at_once(graph: Shell, tmp_path: Path) -> None:
    state_folder(graph).mkdir(exist_ok=True)
    descriptor = os.open(state_folder(graph) / "backup.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    for command in ("backup", "restore"):
        assert refused(graph, command) == (75, "Another backup or restore is under way.")
    os.close(descriptor)


@pytest.mark.once
@pytest.mark.parametrize("keep", ["0", "-1", "all"])
def test_no_backup_at_all_cannot_be_kept(graph: Shell, keep: str) -> None:
    run = graph.run("backup", "--keep", keep)
    assert run.returncode == 2


@pytest.mark.once
def test_a_folder_that_cannot_be_made_is_a_sentence(graph: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, sentence = refused(graph, "backup", "--to", str(tmp_path / "file"))
    assert (code, sentence) == (1, f"{tmp_path}/file: File exists.")


def test_a_database_without_tables_is_a_sentence(graph: Shell, tmp_path: Path) -> None:
    if not is_sqlite(graph):
        pytest.skip("the database of the test is migrated")
    graph.variables["SKG_DB_PATH"] = str(tmp_path / "empty.db")
    code, sentence = refused(graph, "backup", "--to", str(tmp_path))
    assert code == 1
    assert sentence.endswith("Has it been migrated?")
    assert list(tmp_path.glob("*unfinished*")) == []


@pytest.mark.once
def test_backups_are_told_by_their_names() -> None:
    assert BackupName.parse("skg-20261123T031500.123Z.sqlite.zst") == ("skg", "20261123T031500.123Z", ".sqlite.zst")
    assert BackupName.parse("a-b.c-20261123T031500.123Z.pgdump") == ("a-b.c", "20261123T031500.123Z", ".pgdump")
    assert BackupName.parse("skg-20261123T031500.123Z.sqlite.zst.sha256") is None
    made = str(BackupName.new("a graph/of mine", ".pgdump"))
    assert made.startswith("a_graph_of_mine-")
    assert newest_first(["b-20250101T000000.000Z.pgdump", "x", made]) == [
        BackupName.parse(made),
        BackupName.parse("b-20250101T000000.000Z.pgdump"),
    ]
