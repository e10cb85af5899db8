"""`manage.py vacuum`: what it removes, what it leaves, and that a service goes on meanwhile."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.conftest import FreshDatabase, StartService
from tests.skg_site.ops.backups.databases import RULES, as_json, done, is_sqlite, refused
from tests.support.environment import service_variables
from tests.support.service import Service
from tests.triples.commands.runs import CommandLine, Inside, Shell

pytestmark = pytest.mark.both

CLIENTS = 6
ROUNDS = 6
# So few texts that each is removed and needed again all the time.
TEXTS = [f"text {number}" for number in range(12)]


@pytest.fixture
def shell(database: None) -> Inside:
    return Inside()


def python(shell: CommandLine, code: str) -> str:
    return done(shell, "shell", "-v0", "-c", code).strip()


def terms(shell: CommandLine) -> list[str]:
    code = "from triples.models import Term; print(*Term.objects.order_by('text').values_list('text', flat=True))"
    return python(shell, code).split()


def add(shell: CommandLine, facts: str) -> None:
    done(shell, "import_triples", "--format", "tsv", "-", given=facts)


REMOVE = """
from triples.models import Triple
from triples.store.operations import Remove
from triples.store.group_commit import write_now
from triples.fields import to_milliseconds
for row in Triple.objects.filter(subject__text__in={subjects}):
    write_now([Remove(row.id, to_milliseconds(row.created_at), None)])
"""


def remove(shell: CommandLine, *subjects: str) -> None:
    python(shell, REMOVE.format(subjects=subjects))


def test_terms_that_nothing_uses_go_and_the_others_stay(shell: CommandLine) -> None:
    add(shell, "a\tp\tb\nc\tq\td\nd\tp\ta\n")
    remove(shell, "c")
    dry = as_json(shell, "vacuum", "--dry-run")
    assert (dry["terms"], dry["dry_run"]) == (2, True)
    assert done(shell, "vacuum", "--dry-run").startswith("2 terms, 0 key events and 0 runs would be removed")
    assert terms(shell) == ["a", "b", "c", "d", "p", "q"]
    assert done(shell, "vacuum").startswith("2 terms, 0 key events and 0 runs removed; ")
    assert terms(shell) == ["a", "b", "d", "p"]
    add(shell, "c\tq\td\n")
    assert terms(shell) == ["a", "b", "c", "d", "p", "q"]


def test_a_term_of_a_rule_or_of_an_inferred_fact_stays_until_neither_is_there(shell: CommandLine) -> None:
    add(shell, "a\tin\tb\nb\tin\tc\nx\ty\tz\n")
    done(shell, "rules", "load", "-", given=str(RULES).replace("'", '"'))
    done(shell, "recurse")
    remove(shell, "a", "b", "x")
    assert as_json(shell, "vacuum")["terms"] == 0
    done(shell, "recurse")
    # The run before last may still be read; its journal is pruned by the next.
    add(shell, "m\tin\tn\n")
    done(shell, "recurse")
    assert as_json(shell, "vacuum")["terms"] == 6
    assert terms(shell) == ["in", "m", "n"]


OLD = """
from datetime import timedelta
from django.utils import timezone
from apikeys.models import KeyEvent
from triples.models import RecursionRun
KeyEvent.objects.update(at=timezone.now() - timedelta(days=400))
RecursionRun.objects.update(created_at=timezone.now() - timedelta(days=100))
"""


def test_old_key_events_and_runs_go_but_for_the_newest_run(shell: CommandLine) -> None:
    done(shell, "apikey", "create", "one", "--scopes", "read")
    for _ in range(3):
        done(shell, "recurse", "--force")
    python(shell, OLD)
    kept = as_json(shell, "vacuum", "--keep-events", "forever", "--keep-runs", "101d")
    assert (kept["key_events"], kept["runs"]) == (0, 0)
    dry = as_json(shell, "vacuum", "--dry-run")
    assert (dry["key_events"], dry["runs"]) == (1, 2)
    gone = as_json(shell, "vacuum")
    assert (gone["key_events"], gone["runs"]) == (1, 2)
    assert as_json(shell, "vacuum", "--keep-runs", "0s", "--keep-events", "0s")["runs"] == 0
    assert "one" in done(shell, "apikey", "list")


def test_free_space_is_given_back(fresh_database: FreshDatabase, tmp_path: Path) -> None:
    # A process of its own has no connection left that still reads.
    shell = Shell(service_variables(tmp_path, **fresh_database(tmp_path)))
    add(shell, "".join(f"{'subject ' * 20}{number}\tp\to\n" for number in range(3000)))
    python(shell, "from triples.models import *; Triple.objects.all().delete(); Tally.objects.all().delete()")
    told = as_json(shell, "vacuum")
    assert told["terms"] == 3002
    if is_sqlite(shell):
        assert told["bytes_after"] < told["bytes_before"] / 2
        with closing(sqlite3.connect(Path(shell.variables["SKG_DB_PATH"]))) as database:
            assert database.execute("PRAGMA freelist_count").fetchone() == (0,)
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert database.execute("SELECT count(*) FROM sqlite_stat1").fetchone() > (0,)


@pytest.mark.process
def test_while_recursion_runs_it_comes_back_later(shell: CommandLine) -> None:
    code = "from triples.runs.lease import lease; import sys\n"
    code += "with lease():\n    print('held', flush=True); sys.stdin.read()\n"
    with Shell(shell.variables).start("shell", "-v0", "-c", code) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == b"held\n"
        assert refused(shell, "vacuum") == (75, "Recursion runs; try again when it is done.")
        holder.stdin.close()


@pytest.mark.once
@pytest.mark.parametrize("given", ["90", "soon", "-1d"])
def test_a_time_that_is_none_is_refused(shell: CommandLine, given: str) -> None:
    assert shell.run("vacuum", f"--keep-runs={given}").returncode == 2


async def test_writers_that_remember_removed_terms_lose_no_write(service: StartService) -> None:
    """Facts of a few texts are added and deleted all the time, while one vacuum follows the other."""
    one = service(workers=2)
    shell = Shell(one.variables)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        writers = [group.create_task(add_and_delete(one, number)) for number in range(CLIENTS)]
        vacuums = group.create_task(vacuum_until(stop, shell))
        await asyncio.wait(writers)
        stop.set()
    assert vacuums.result() > 0, "terms were removed under the writers' feet"
    with one.client() as client:
        statistics = client.get("/stats").json()
        page = client.get("/triples", params={"limit": "1000"}).json()
    kept = {(row["subject"], row["object"]) for row in page["triples"]}
    assert kept == {fact for writer in writers for fact in writer.result()}
    assert statistics["total_triples"] == len(kept)
    assert statistics["unique_subjects"] == len({subject for subject, _ in kept})


async def add_and_delete(one: Service, number: int) -> set[tuple[str, str]]:
    """Every request is answered as if there were no vacuum; the facts that are left."""
    async with httpx.AsyncClient(base_url=one.url, headers=one.headers, timeout=30) as client:
        for turn in range(ROUNDS):
            answers = []
            for text in TEXTS:
                fact = {"subject": f"{text} of {number}", "predicate": f"is {turn % 3} of {number}", "object": text}
                answers.append(await client.post("/triples/add", json=fact))
            assert [answer.status_code for answer in answers] == [201] * len(TEXTS)
            if turn < ROUNDS - 1:
                for answer in answers:
                    gone = await client.delete(f"/triples/{answer.json()['id']}")
                    assert gone.status_code == 204
    return {(f"{text} of {number}", text) for text in TEXTS}


async def vacuum_until(stop: asyncio.Event, shell: CommandLine) -> int:
    removed = 0
    while not stop.is_set():
        removed += (await asyncio.to_thread(as_json, shell, "vacuum"))["terms"]
    return removed
