"""Reads while facts are deleted and runs come and go, all at once."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from tests.support.database import in_orm
from tests.triples.recursion.oracle import evaluate
from tests.triples.store.graphs import committed, fact, store, stored_rows
from tests.triples.store.inferred.derived import TRANSITIVE, program, run, term_ids
from tests.triples.store.inferred.reads import EVERYTHING, reading
from triples.recursion.programs import Key, Program
from triples.store.inferred.facts import InferredRow
from triples.store.operations import AddOne, Remove, Row

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
    edge = random.choice(EDGES)
    row = stored_rows().get(edge)
    committed([AddOne(fact(*edge)) if row is None else Remove(row.id, row.created_ms)])


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
