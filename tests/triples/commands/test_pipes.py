"""The two commands between other programs, and on a terminal."""

import gzip
import os
import pty
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from tests.triples.commands.runs import Shell

pytestmark = pytest.mark.both

CONTENT = b'a\tp\to\nb\tp\t\xc3\xa9\t0.5\nc\tp\to\t1.0\t{"n":1.0}\n'


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_a_pipe_in_and_a_pipe_out_give_the_same(shell: Shell, compress: type[bytes]) -> None:
    done = shell.run("import_triples", "-", "--format", "tsv", given=compress(CONTENT))
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"3 facts read: 3 inserted, 0 duplicates, 0 refused (")
    exported = shell.run("export_triples", "-", "--format", "tsv")
    assert (exported.returncode, exported.stdout) == (0, CONTENT)
    assert exported.stderr.startswith(b"3 facts exported (")


@pytest.mark.once
def test_a_named_pipe_is_read_once_and_to_its_end(shell: Shell, tmp_path: Path) -> None:
    fifo = tmp_path / "facts.tsv"
    os.mkfifo(fifo)
    with shell.start("import_triples", str(fifo)) as process:
        fifo.write_bytes(CONTENT)
        stdout, stderr = process.communicate(timeout=60)
    assert stdout.startswith(b"3 facts read: 3 inserted"), stderr


@pytest.mark.once
def test_a_refused_line_of_a_pipe_is_reported_with_its_number(shell: Shell) -> None:
    done = shell.run("import_triples", "-", "--format", "tsv", given=CONTENT + b"bad\n")
    assert (done.returncode, done.stderr) == (0, b"stdin:4: has 1 column instead of 3 to 5\n")
    stopped = shell.run("import_triples", "-", "--format", "tsv", "--strict", given=b"bad\n")
    assert stopped.returncode == 1
    assert stopped.stderr.splitlines()[0] == b"stdin:1: has 1 column instead of 3 to 5"


@pytest.mark.once
@pytest.mark.parametrize("arguments", [["-"], ["x.tsv", "--weight", "2"], []])
def test_a_command_line_that_makes_no_sense_exits_with_2(shell: Shell, arguments: list[str]) -> None:
    assert shell.run("import_triples", *arguments).returncode == 2


def test_without_tables_the_reason_is_a_sentence(shell: Shell, tmp_path: Path) -> None:
    shell.variables["SKG_DB_PATH"] = str(tmp_path / "unmigrated.db")
    shell.variables["SKG_DATABASE_URL"] = ""
    for command in ("import_triples", "export_triples"):
        done = shell.run(command, "-", "--format", "tsv", given=CONTENT)
        assert done.returncode == 1
        assert b"Has it been migrated?" in done.stderr
        assert b"Traceback" not in done.stderr


def test_a_reader_that_goes_away_ends_the_export(shell: Shell) -> None:
    shell.run("import_triples", "-", "--format", "tsv", given=b"".join(b"s%d\tp\to\n" % n for n in range(5_000)))
    with shell.start("export_triples", "-", "--format", "ndjson") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b'{"subject":"s0","predicate":"p","object":"o","weight":1.0}\n'
        process.stdout.close()
        assert process.stderr is not None
        stderr = process.stderr.read()
    assert (process.returncode, stderr) == (128 + signal.SIGPIPE, b"")


COMMANDS = [
    ("apikey", "list"),
    ("bootstrap",),
    ("export_triples", "-", "--format", "csv"),
    ("imports", "list", "--json"),
    ("paths", "a", "o", "--json"),
    ("query", "?s ?p ?o"),
    ("rules", "list", "--help"),
    ("system_check",),
]


@pytest.mark.once
def test_a_command_that_nobody_reads_ends_without_a_word(shell: Shell) -> None:
    """As before `| head -1`, with the exit code that other programs have there."""
    shell.run("import_triples", "-", "--format", "tsv", given=CONTENT)
    shell.run("bootstrap")
    for arguments in COMMANDS:
        reader, writer = os.pipe()
        os.close(reader)
        with shell.start(*arguments, stdout=writer, set_up=True) as process:
            os.close(writer)
            _, stderr = process.communicate(timeout=60)
        assert (arguments, process.returncode, stderr) == (arguments, 128 + signal.SIGPIPE, b"")


@pytest.mark.once
def test_an_export_into_a_named_pipe_tells_that_its_reader_went_away(shell: Shell, tmp_path: Path) -> None:
    shell.run("import_triples", "-", "--format", "tsv", given=b"".join(b"s%d\tp\to\n" % n for n in range(5_000)))
    fifo = tmp_path / "facts.tsv"
    os.mkfifo(fifo)
    with shell.start("export_triples", str(fifo), set_up=True) as process:
        with fifo.open("rb") as content:
            content.read(1)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"went away" in stderr


@pytest.mark.once
def test_on_a_terminal_a_bar_shows_how_far_it_is(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "facts.tsv"
    # Long enough on any machine for the bar, which is not shown for what is done at once.
    file.write_bytes(b"bad\n" + b"".join(b"s%d\tp\to\n" % number for number in range(100_000)))
    terminal, stderr = pty.openpty()
    with shell.start("import_triples", str(file), stderr=stderr) as process:
        os.close(stderr)
        shown = _read_to_the_end(terminal)
        assert process.wait(60) == 0
    assert f"{file}:1: has 1 column" in shown.replace("\r\n", "")
    assert "%" in shown
    assert " facts, " in shown
    assert "/s, left: " in shown


def _read_to_the_end(terminal: int) -> str:
    parts = []
    # Linux makes an error of it that the other side has closed the terminal.
    with suppress(OSError):
        while part := os.read(terminal, 65_536):
            parts.append(part)
    os.close(terminal)
    return b"".join(parts).decode()
