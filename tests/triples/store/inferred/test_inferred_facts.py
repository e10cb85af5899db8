"""What is written is what stands afterwards; readers see all of it or none, and so does who comes after a crash."""

import math
import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Thread
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from tests.support.database import in_orm
from tests.support.processes import run_python
from tests.triples.store.inferred.derivations import a_state, lease_holder, write_anew, write_difference, written
from tests.triples.store.inferred.derived import replace_all
from triples.recursion.programs import Key, Proof
from triples.store.backend import backend
from triples.store.inferred.arrow_batches import DERIVED
from triples.store.inferred.layout import FACTS, index_names
from triples.store.postgresql import table_locks
from triples.store.postgresql.connections import connect
from triples.store.sqlite import inferred_files as files
from triples.store.sqlite.connections import connect_for_reading

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

PROOFS = {
    Key(3, 1, 2): Proof(1.0, 1, 0, ()),
    Key(1, 2, 2): Proof(0.1 + 0.2, 2, 1, (5,)),
    Key(1, 2, 1): Proof(5e-324, 3, 0, (5, 6)),
    Key(2**62, 2**61, 2**60): Proof(1 / 3, 40, 7, (2**62, 1, 2)),
}


def test_what_is_written_anew_is_what_stands() -> None:
    write_anew(PROOFS)
    assert written() == PROOFS
    assert backend().inferred.contents().schema == DERIVED
    assert [row["subject"] for row in backend().inferred.contents().to_pylist()] == [1, 1, 3, 2**62]


def test_writing_anew_leaves_nothing_of_what_stood_before() -> None:
    write_anew(PROOFS)
    write_anew({Key(1, 2, 1): Proof(0.5, 1, 0, (9,))}, a_state(2))
    assert written() == {Key(1, 2, 1): Proof(0.5, 1, 0, (9,))}
    write_anew({}, a_state(3))
    assert written() == {}
    state = backend().read_state()
    assert state is not None
    assert state.generation == 3


def test_a_difference_removes_and_overwrites() -> None:
    write_anew(PROOFS)
    put = {Key(1, 2, 2): Proof(0.25, 1, 1, ()), Key(9, 9, 9): Proof(0.75, 2, 0, (1, 2, 3))}
    write_difference([Key(3, 1, 2), Key(8, 8, 8)], put, a_state(2, facts=4))
    assert written() == {key: proof for key, proof in PROOFS.items() if key != Key(3, 1, 2)} | put
    assert backend().read_state() == a_state(2, facts=4)


def test_an_empty_difference_changes_the_state_alone() -> None:
    write_anew(PROOFS)
    write_difference([], {}, a_state(2, triples_up_to=99))
    assert written() == PROOFS
    assert backend().read_state() == a_state(2, triples_up_to=99)


def test_many_facts_survive_the_way_there_and_back() -> None:
    proofs = {Key(n % 97, n % 5, n): Proof(math.exp(-n / 700), n % 9, n % 3, (n,) * (n % 4)) for n in range(50_000)}
    write_anew(proofs)
    assert written() == proofs


def test_discarded_facts_are_gone_and_so_is_their_state() -> None:
    backend().inferred.discard()
    write_anew(PROOFS)
    backend().inferred.discard()
    assert backend().read_state() is None
    assert written() == {}


def test_every_step_is_told() -> None:
    told: list[tuple[int, int]] = []
    with lease_holder() as holder:
        replace_all(PROOFS, a_state(), holder, lambda done, steps: told.append((done, steps)))
    steps = 1 + len(index_names(a_state().program))
    assert told == [(done, steps) for done in range(steps + 1)]


@contextmanager
def reader() -> Iterator[Any]:
    """A connection in the middle of a transaction that has read the inferred facts."""
    if connection.vendor == "postgresql":
        with connect() as driver:
            driver.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            keys_seen(driver)
            yield driver
            driver.execute("ROLLBACK")
        return
    with closing(connect_for_reading()) as driver:
        assert files.attach(driver) is not None
        driver.execute("BEGIN")
        keys_seen(driver)
        yield driver


def keys_seen(driver: Any) -> set[Key]:
    return {Key(*row) for row in driver.execute(f"SELECT subject_id, predicate_id, object_id FROM {FACTS}").fetchall()}


def test_a_transaction_that_reads_keeps_its_view_while_a_difference_is_written() -> None:
    write_anew(PROOFS)
    with reader() as driver:
        write_difference(list(PROOFS), {Key(9, 9, 9): Proof(0.5, 1, 0, ())}, a_state(2))
        assert keys_seen(driver) == PROOFS.keys()
    assert written().keys() == {Key(9, 9, 9)}


def test_a_transaction_that_reads_keeps_its_view_while_all_is_written_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_locks, "_PAUSE_SECONDS", 0.05)
    write_anew(PROOFS)
    with reader() as driver:
        # On PostgreSQL it waits until nobody reads the old table any more.
        writing = Thread(target=in_orm, args=(write_anew, {Key(9, 9, 9): Proof(0.5, 1, 0, ())}, a_state(2)))
        writing.start()
        time.sleep(0.5)
        assert keys_seen(driver) == PROOFS.keys()
        if connection.vendor == "postgresql":
            assert writing.is_alive()
            # Who comes new is let in between the attempts to lock the table.
            assert written() == PROOFS
    writing.join()
    assert written().keys() == {Key(9, 9, 9)}


def test_readers_that_never_end_fail_the_writing_and_not_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("readers of a file hold nobody up")
    monkeypatch.setattr(table_locks, "_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(table_locks, "_PATIENCE_SECONDS", 0.2)
    write_anew(PROOFS)
    with reader(), pytest.raises(psycopg.errors.LockNotAvailable):
        write_anew({}, a_state(2))
    assert written() == PROOFS
    write_anew({}, a_state(2))
    assert written() == {}


# Dies before the step of this number.
_DIE = """
import os, signal, sys
import django
django.setup()
from tests.triples.store.inferred.derivations import a_state, lease_holder
from tests.triples.store.inferred.derived import replace_all
from triples.recursion.programs import Key, Proof

def progress(done, _steps):
    if done == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)

with lease_holder() as holder:
    replace_all({Key(n, 2, n): Proof(0.5, 1, 0, (n,)) for n in range(5000)}, a_state(2), holder, progress)
"""


@pytest.mark.process
@pytest.mark.parametrize("step", [0, 1, len(index_names(a_state().program))])
def test_a_build_that_is_killed_leaves_what_stood_before(step: int) -> None:
    write_anew(PROOFS)
    killed = run_python(["-c", _DIE, str(step)], env=os.environ)
    assert killed.returncode == -signal.SIGKILL
    assert written() == PROOFS
    state = backend().read_state()
    assert state is not None
    assert state.generation == 1
    write_anew({}, a_state(3))
    assert written() == {}
    if connection.vendor == "sqlite":
        left = sorted(path.name for path in (settings.ENV.state_dir / "inferred").glob("*.db"))
        assert [name.partition("-")[0] for name in left] == ["3"], "what was half built is cleared away"


class TestFile:
    """What SQLite alone has."""

    @pytest.fixture(autouse=True)
    def _on_sqlite(self) -> None:
        if connection.vendor != "sqlite":
            pytest.skip("PostgreSQL has no file")

    def test_nothing_is_attached_before_the_first_run(self) -> None:
        with closing(connect_for_reading()) as driver:
            assert files.attach(driver) is None
            assert [name for _, name, _ in driver.execute("PRAGMA database_list")] == ["main"]

    def test_an_attached_file_is_read_until_it_is_detached(self) -> None:
        write_anew(PROOFS)
        with closing(connect_for_reading()) as driver:
            attached = files.attach(driver)
            assert attached == files.current_file()
            write_anew({}, a_state(2))
            assert attached != files.current_file()
            assert keys_seen(driver) == PROOFS.keys()
            files.detach(driver)
            assert files.attach(driver) == files.current_file()
            assert keys_seen(driver) == set()

    def test_a_file_of_another_layout_counts_as_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write_anew(PROOFS)
        monkeypatch.setattr(files, "VERSION", 99)
        assert backend().read_state() is None
        assert written() == {}

    def test_a_file_that_is_replaced_while_it_is_attached_is_let_go(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write_anew(PROOFS)
        old = files.current_file()
        assert old is not None
        write_anew({Key(9, 9, 9): Proof(0.5, 1, 0, ())}, a_state(2))
        answers = [old, files.current_file(), files.current_file()]
        monkeypatch.setattr(files, "current_file", lambda: answers.pop(0))
        with closing(connect_for_reading()) as driver:
            assert files.attach(driver) != old
            assert keys_seen(driver) == {Key(9, 9, 9)}

    def test_a_file_that_cannot_be_opened_is_a_fault(self) -> None:
        write_anew(PROOFS)
        current = files.current_file()
        assert current is not None
        current.unlink()
        with closing(connect_for_reading()) as driver, pytest.raises(Exception, match="unable to open database"):
            files.attach(driver)
