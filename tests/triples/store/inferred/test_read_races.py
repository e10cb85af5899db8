"""Reads while facts are deleted and runs come and go: all at once, and in several processes by turns."""

import json
import os
import random
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import connection

from tests.support.database import in_orm
from tests.support.processes import PythonProcess
from tests.triples.recursion.oracle import evaluate
from tests.triples.store.graphs import committed, fact, store, stored_rows
from tests.triples.store.inferred.derived import TRANSITIVE, program, run, term_ids
from tests.triples.store.inferred.hiding import DONE, Oracle
from tests.triples.store.inferred.reads import EVERYTHING, reading
from triples.query.fact_rows import InferredRow
from triples.recursion.programs import Key, Program
from triples.store.inferred import dependents
from triples.store.operations import AddOne, Change, Remove, Row

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

EDGES = [("abcdef"[step], "p", "bcdefa"[step]) for step in range(6)]
READS = 60


def test_no_read_shows_what_does_not_follow_from_what_it_shows() -> None:
    rules, ids = in_orm(_prepare)
    done = threading.Event()
    with ThreadPoolExecutor(4) as pool:
        others = [pool.submit(_until, done, work) for work in (_change_edges, _Runs(rules))]
        readers = [pool.submit(_look_and_compare, rules, ids) for _ in range(2)]
        try:
            for reader in readers:
                reader.result()
        finally:
            done.set()
        for other in others:
            other.result()


PROCESSES = 2
TURNS = 60


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still for a moment hides no more for that."""
    monkeypatch.setattr(dependents, "MOST_SECONDS", 60)


@pytest.mark.process
def test_all_connections_of_all_processes_show_the_same() -> None:
    rules, _ = in_orm(_prepare)
    readers = [
        PythonProcess(
            ["-m", "tests.triples.store.inferred.reading_process"],
            env=os.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(PROCESSES)
    ]
    try:
        in_orm(_compare_by_turns, rules, random.Random(7), readers)
    finally:
        for process in readers:
            process.communicate(timeout=60)


def _compare_by_turns(rules: Program, dice: random.Random, processes: list[PythonProcess]) -> None:
    """Some of the connections look after each change, and all of them now and then."""
    oracle = Oracle(rules)
    oracle.run(small=False)
    changes = [(done, edge) for done in DONE for edge in EDGES]
    with reading() as first, reading() as second:
        looks: list[Callable[[], set[Key]]] = [first.inferred, second.inferred]
        looks += [partial(_shown_by, process) for process in processes]
        for turn in range(TURNS):
            if turn % 12 == 11:
                meanwhile = dice.choices(changes, k=dice.randrange(3))
                oracle.run(small=dice.random() < 0.5, meanwhile=meanwhile)
            else:
                oracle.do([dice.choice(changes)])
            expected = oracle.shown
            for look in looks if turn % 4 == 3 else dice.sample(looks, 1):
                assert look() == expected


def _shown_by(process: PythonProcess) -> set[Key]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"\n")
    process.stdin.flush()
    return {Key(*key) for key in json.loads(process.stdout.readline())}


def _prepare() -> tuple[Program, dict[str, int]]:
    store(*(fact(*edge) for edge in EDGES))
    rules = program(TRANSITIVE)
    run(rules)
    return rules, term_ids()


def _until(done: threading.Event, work: Callable[[], None]) -> None:
    try:
        while not done.is_set():
            work()
    finally:
        connection.close()


def _change_edges() -> None:
    """Delete a fact, or give it weight 0, or add it again."""
    edge = random.choice(EDGES)
    row = stored_rows().get(edge)
    if row is None or row.weight == 0:
        committed([AddOne(fact(*edge), replace=True)])
    elif random.random() < 0.7:
        committed([Remove(row.id, row.created_ms)])
    else:
        committed([Change(row.id, row.created_ms, weight=0.0)])


class _Runs:
    def __init__(self, rules: Program) -> None:
        self._rules = rules
        self._small = False

    def __call__(self) -> None:
        self._small = not self._small
        run(self._rules, small=self._small)


def _look_and_compare(rules: Program, ids: dict[str, int]) -> None:
    """Look so often at least, and until something inferred was shown."""
    reads = shown = 0
    try:
        with reading() as reader:
            while reads < READS or not shown:
                reads += 1
                rows = reader.heaviest(EVERYTHING).rows
                asserted = {
                    Key(ids[row.subject], ids[row.predicate], ids[row.object]): row.weight
                    for row in rows
                    if isinstance(row, Row)
                }
                inferred = {row.key for row in rows if isinstance(row, InferredRow)}
                assert inferred <= evaluate(asserted, rules).keys()
                shown += len(inferred)
    finally:
        connection.close()
