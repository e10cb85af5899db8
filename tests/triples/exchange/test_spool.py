"""Files in the spool: they are there as long as a process has them open, and no longer."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import ChangeSettings
from triples.detached_commands import start_detached
from triples.exchange.spool import remove_orphans, spool_file


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, change_settings: ChangeSettings) -> Path:
    change_settings(state_dir=tmp_path)
    return tmp_path / "spool"


def test_a_file_is_there_until_it_is_closed(folder: Path) -> None:
    kept, temporary = spool_file(delete=False), spool_file()
    remove_orphans()
    assert {Path(kept.name), Path(temporary.name)} == set(folder.iterdir())
    temporary.close()
    assert [Path(kept.name)] == list(folder.iterdir())
    kept.close()
    # Nobody has it open: it is of a process that was killed, whatever number that had.
    remove_orphans()
    assert list(folder.iterdir()) == []


@pytest.mark.process
def test_a_file_that_another_process_was_given_is_there_until_that_ends(folder: Path) -> None:
    with spool_file(delete=False) as file, subprocess.Popen(["cat"], stdin=-1, pass_fds=[file.fileno()]) as other:
        file.close()
        remove_orphans()
        assert len(list(folder.iterdir())) == 1
        assert other.stdin is not None
        other.stdin.close()
        other.wait()
    remove_orphans()
    assert list(folder.iterdir()) == []


def test_what_is_left_to_itself_has_its_limits_and_its_watcher(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The shell's script, with a program in place of Python: it is told to die, and that it did is recorded."""
    program, told = tmp_path / "python", tmp_path / "told"
    program.write_text(f'#!/bin/sh\necho "$@ $(ulimit -d)" >> {told}\nif [ "$2" = run ]; then kill -ABRT $$; fi\n')
    program.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(program))
    start_detached(["run", "a'b"], memory=300, died=["died", "7"])
    while not told.exists() or told.read_text().count("\n") < 2:
        pass
    first, last = told.read_text().splitlines()
    assert first == f"manage.py run a'b {300 << 10}"
    assert last.startswith("manage.py died 7 134 ")
