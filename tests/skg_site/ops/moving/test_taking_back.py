"""Taking a graph back that has moved, and moving it back by another copy."""

import pytest

from tests.skg_site.ops.backups.databases import as_json, done, exported, refused
from tests.skg_site.ops.moving.conftest import NewTarget
from tests.skg_site.ops.moving.settings import settings_for
from tests.support.environment import setting_text
from tests.triples.commands.runs import Shell

NEW = "d\tin\te\n"


def _on(shell: Shell, url: str) -> Shell:
    changed = {f"SKG_{name.upper()}": setting_text(value) for name, value in settings_for(url).items()}
    return Shell(shell.variables | changed)


def _add(shell: Shell) -> int:
    return shell.run("import_triples", "-", "--format", "tsv", given=NEW.encode()).returncode


def _inferred(shell: Shell) -> list[str]:
    return sorted(done(shell, "export_triples", "-", "--format", "tsv", "--inferred", "only").splitlines())


def test_a_backup_of_the_place_that_a_graph_has_moved_from_says_so(graph: Shell, new_target: NewTarget) -> None:
    url = new_target()
    as_json(graph, "copy_to", url, "--yes")
    assert "WARNING: The graph has moved to another database" in done(graph, "backup")
    as_json(graph, "copy_to", url, "--take-back", "--yes")
    assert as_json(graph, "backup")["moved"] is False


@pytest.mark.both
def test_a_graph_is_taken_back_unless_its_new_place_was_written_to(graph: Shell, new_target: NewTarget) -> None:
    url = new_target()
    there = _on(graph, url)
    before = exported(graph)
    plan = as_json(graph, "copy_to", url, "--dry-run")
    assert plan["rows"]["triples_triple"] == len(before)
    moved = as_json(graph, "copy_to", url, "--yes")
    assert moved["verified"]["triples_triple"]["rows"] == len(before)
    run = graph.run("import_triples", "-", "--format", "tsv", given=NEW.encode())
    assert run.returncode == 1
    assert b"has moved to another database" in run.stderr

    assert as_json(graph, "copy_to", url, "--take-back", "--yes")["lost"] == []
    assert _add(there) == 1
    assert _add(graph) == 0
    again = "Name a new file" if url.startswith("sqlite") else "--restart"
    assert again in refused(graph, "copy_to", url, "--yes")[1]

    url = new_target() if url.startswith("sqlite") else url
    there = _on(graph, url)
    as_json(graph, "copy_to", url, "--yes", "--restart")
    assert exported(there) == exported(graph)
    assert _add(there) == 0
    assert done(there, "recurse", "--force")
    code, sentence = refused(graph, "copy_to", url, "--take-back", "--yes")
    assert code == 1
    assert "triples_recursionrun: 1 added" in sentence
    assert as_json(graph, "copy_to", url, "--take-back", "--lose-changes", "--yes")["lost"]


# With --database postgresql, test_under_load moves in the other direction.
@pytest.mark.long
def test_a_graph_moves_there_and_back(graph: Shell, new_target: NewTarget, empty_database: NewTarget) -> None:
    first = new_target()
    there = _on(graph, first)
    as_json(graph, "copy_to", first, "--yes")
    assert exported(there) == exported(graph)
    assert len(_inferred(there)) == 3
    assert _inferred(there) == _inferred(graph)
    assert _add(there) == 0
    assert done(there, "recurse")

    # The file, or the database, of before is there still, so it goes into a new one.
    on_sqlite = first.startswith("sqlite")
    second = empty_database() if on_sqlite else f"sqlite:///{graph.variables['SKG_DB_PATH']}-back.db"
    back = as_json(there, "copy_to", second, "--yes")
    assert back["inferred_facts"] > 3
    home = _on(graph, second)
    assert exported(home) == exported(there)
    assert _add(there) == 1
    assert _inferred(home) == _inferred(there)
