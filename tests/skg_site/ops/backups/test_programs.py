"""Which of PostgreSQL's programs is taken, and what is said when none is new enough."""

from pathlib import Path

import pytest

from tests.skg_site.ops.backups.databases import done, is_sqlite, refused
from tests.triples.commands.runs import Shell

pytestmark = pytest.mark.both


@pytest.fixture
def old_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Programs of another century, in front of the server's own."""
    folder = tmp_path / "old"
    folder.mkdir()
    for name in ("pg_dump", "pg_restore"):
        (folder / name).write_text(f'#!/bin/sh\necho "{name} (PostgreSQL) 9.6.24"\n')
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def test_programs_older_than_the_server_are_not_used(graph: Shell, old_programs: Path, tmp_path: Path) -> None:
    if is_sqlite(graph):
        done(graph, "backup", "--to", str(tmp_path))
        return
    code, sentence = refused(graph, "backup", "--to", str(tmp_path))
    assert code == 69
    assert f"{old_programs}/pg_dump is of version 9" in sentence
    assert "Install the package postgresql-client-18." in sentence


def test_a_role_that_may_not_make_databases_is_told_what_it_lacks(graph: Shell, tmp_path: Path) -> None:
    if is_sqlite(graph):
        pytest.skip("SQLite has no roles")
    sql = "DROP ROLE IF EXISTS weak; CREATE ROLE weak LOGIN; GRANT pg_read_all_data TO weak"
    done(graph, "shell", "-v0", "-c", f"from django.db import connection as c; c.cursor().execute('{sql}')")
    url = graph.variables["SKG_DATABASE_URL"]
    scheme, _, rest = url.partition("://")
    graph.variables["SKG_DATABASE_URL"] = f"{scheme}://weak@{rest.partition('@')[2]}"
    code, sentence = refused(graph, "backup", "--to", str(tmp_path))
    assert (code, 'ALTER ROLE "weak" CREATEDB allows it.' in sentence) == (1, True), sentence
    assert list(tmp_path.iterdir()) == []
