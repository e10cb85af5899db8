"""`manage.py delete_triples`"""

import signal
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest

from skg_site.cli.interrupts import Interrupted
from tests.support.database import in_orm
from tests.triples.commands.runs import Inside, Shell, with_graph
from tests.triples.store.graphs import counted, stored_rows, tallied
from triples.services import deletions
from triples.store.group_commit import write_now
from triples.store.operations import Outcome, RemoveMany

pytestmark = pytest.mark.both

FACTS = "a\tin\tb\t0.9\nb\tin\tc\t0.5\nc\tin\td\t0.1\na\tnear\tc\t0.1\n"


@pytest.fixture
def graph(database: None, tmp_path: Path) -> Inside:
    return with_graph(tmp_path, FACTS)


def left() -> set[str]:
    return {" ".join(key) for key in in_orm(stored_rows)}


def test_a_dry_run_says_what_would_go(graph: Inside) -> None:
    dry = graph.run("delete_triples", "--predicate", "in", "--max-weight", "0.5", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert dry.stdout == b"2 facts would go, and 0 inferred facts would lose their proof. Nothing was changed.\n"
    as_json = graph.run("delete_triples", "--subject", "a", "--dry-run", "--json")
    assert orjson.loads(as_json.stdout) == {"dry_run": True, "facts": 2, "complete": True, "inferred": 0}
    assert len(left()) == 4


def test_a_dry_run_says_how_many_inferred_facts_lose_their_proof(graph: Inside) -> None:
    rules = b'[{"transitive": "in"}]'
    assert graph.run("rules", "load", "-", given=rules).returncode == 0
    assert graph.run("recurse").returncode == 0
    dry = graph.run("delete_triples", "--subject", "b", "--dry-run")
    assert dry.stdout == b"1 facts would go, and 3 inferred facts would lose their proof. Nothing was changed.\n"


def test_with_yes_it_deletes_without_asking(graph: Inside) -> None:
    done = graph.run("delete_triples", "--max-weight", "0.1", "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"2 facts deleted (")
    assert left() == {"a in b", "b in c"}
    assert in_orm(tallied) == in_orm(counted)
    again = graph.run("delete_triples", "--max-weight", "0.1", "--yes", "--json")
    assert orjson.loads(again.stdout)["facts"] == 0


@pytest.mark.once
def test_everything_goes_only_when_that_is_said(graph: Inside) -> None:
    refused = graph.run("delete_triples", "--yes")
    assert (refused.returncode, len(left())) == (2, 4)
    assert b"--all" in refused.stderr
    assert graph.run("delete_triples", "--yes", "--all").returncode == 0
    assert left() == set()


def test_bounds_of_time(graph: Inside) -> None:
    assert graph.run("delete_triples", "--added-after", "2999-01-01T00:00:00Z", "--yes").returncode == 0
    assert len(left()) == 4
    assert graph.run("delete_triples", "--added-before", "2999-01-01T00:00:00Z", "--yes").returncode == 0
    assert left() == set()


@pytest.mark.once
def test_where_nobody_can_be_asked_nothing_goes(graph: Inside) -> None:
    refused = graph.run("delete_triples", "--subject", "a")
    assert refused.returncode == 1
    assert b"--yes deletes the facts without asking" in refused.stderr
    assert len(left()) == 4


@pytest.mark.once
@pytest.mark.parametrize(("answer", "facts"), [("y", 2), ("n", 4), ("", 4)])
def test_it_asks_before_it_deletes(graph: Inside, monkeypatch: pytest.MonkeyPatch, answer: str, facts: int) -> None:
    asked: list[str] = []

    def confirm(question: str, *, refusal: str, yes_means: str) -> None:
        from django.core.management import CommandError

        asked.append(question)
        if answer != "y":
            raise CommandError(refusal)

    monkeypatch.setattr("triples.management.commands.delete_triples.confirm", confirm)
    done = graph.run("delete_triples", "--subject", "a")
    assert asked == ["2 facts would go, and 0 inferred facts would lose their proof. Delete them?"]
    assert done.returncode == (0 if answer == "y" else 1)
    assert len(left()) == facts


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--max-weight", "2"], b"must be a number from 0 to 1"),
        (["--added-after", "yesterday"], b"must be a time such as 2024-01-15T10:30:00Z"),
        (["--subject", " "], b"must not be empty"),
    ],
)
def test_a_command_line_that_makes_no_sense(graph: Inside, arguments: list[str], sentence: bytes) -> None:
    refused = graph.run("delete_triples", "--yes", *arguments)
    assert refused.returncode == 2
    assert sentence in refused.stderr
    assert len(left()) == 4


@pytest.mark.once
@pytest.mark.parametrize(
    ("failure", "code", "sentence"),
    [
        (OSError(28, "No space left on device", "skg.db-wal"), 1, b"skg.db-wal: No space left on device."),
        (Interrupted(signal.SIGTERM), 143, b"Interrupted."),
    ],
)
def test_a_deletion_that_ends_half_way_says_how_far_it_came(
    graph: Inside, monkeypatch: pytest.MonkeyPatch, failure: BaseException, code: int, sentence: bytes
) -> None:
    def write_once(operations: Sequence[RemoveMany]) -> Sequence[Outcome]:
        if len(left()) < 4:
            raise failure
        return write_now(operations)

    monkeypatch.setattr(deletions, "BATCH", 1)
    monkeypatch.setattr(deletions, "write_now", write_once)
    failed = graph.run("delete_triples", "--predicate", "in", "--yes")
    said = b"CommandError: %s 1 facts were deleted by then, and stay deleted.\n" % sentence
    assert (failed.returncode, failed.stderr) == (code, said)
    assert len(left()) == 3


KILLED = """
import os
from django.db import transaction
from triples.query.deleting import Deletion
from triples.services import deletions
from triples.store.group_commit import write_now

deletions.BATCH = 3
batches = []

def killed_in_the_third(operations):
    batches.append(operations)
    if len(batches) < 3:
        return write_now(operations)
    with transaction.atomic():
        write_now(operations)
        os.kill(os.getpid(), 9)

deletions.write_now = killed_in_the_third
deletions.deletion_perform_now(deletion=Deletion((None, "p", None)), report=lambda _: None)
"""


@pytest.mark.process
def test_what_is_killed_leaves_whole_batches_and_can_be_done_again(shell: Shell, tmp_path: Path) -> None:
    facts = tmp_path / "facts.tsv"
    facts.write_text("".join(f"s{number}\tp\to\n" for number in range(20)))
    assert shell.run("import_triples", str(facts)).returncode == 0
    assert shell.run("shell", "-v0", "-c", KILLED).returncode == -9
    dry = shell.run("delete_triples", "--object", "o", "--dry-run", "--json")
    assert orjson.loads(dry.stdout)["facts"] == 14
    # Which the tallies know.
    dry = shell.run("delete_triples", "--predicate", "p", "--dry-run", "--json")
    assert orjson.loads(dry.stdout)["facts"] == 14
    assert shell.run("delete_triples", "--predicate", "p", "--yes").stdout.startswith(b"14 facts deleted (")
