"""Evaluations on a server that do not go on to their end: stopped, failed, killed. Nothing of them stays behind."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from tests.support.service import free_port
from tests.support.spark import SparkCluster, sail_process
from tests.triples.recursion.deriving import derive, materialise
from tests.triples.recursion.programming import X, Y, Z, program, transitive
from tests.triples.recursion.spark.conftest import OWNER
from tests.triples.recursion.tables import FACTS, fact_table
from triples.recursion.duckdb.workspace import Resources
from triples.recursion.engine import EngineFailed, Stopped
from triples.recursion.outcome import Round
from triples.recursion.programs import Key
from triples.recursion.spark.engine import SparkEngine
from triples.recursion.spark.exchange import Exchange

MakeEngine = Callable[[], SparkEngine]

CHAIN = fact_table({Key(number, 1, number + 1): 0.9 for number in range(1, 10)})


def on(remote: str, folder: Path) -> SparkEngine:
    return SparkEngine(remote, Exchange(str(folder), OWNER), Resources(threads=1))


def test_an_engine_interrupted_before_it_begins_does_not_begin(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine()
    engine.interrupt()

    with pytest.raises(Stopped):
        derive(engine, CHAIN, transitive(1))
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_engine_stops_between_rounds(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine()

    with pytest.raises(Stopped):
        derive(engine, CHAIN, transitive(1), on_round=lambda _: engine.interrupt())
    assert list(tmp_path.iterdir()) == []


def test_another_thread_stops_a_statement_that_would_take_hours(make_engine: MakeEngine, tmp_path: Path) -> None:
    """Every fact joins every other, twice over."""
    facts = fact_table({Key(number, 1, number): 1.0 for number in range(1, 6000)})
    endless = program((1.0, (X, 2, X), [(X, 1, X), (Y, 1, Y), (Z, 1, Z)]))
    engine = make_engine()
    timer = threading.Timer(1.0, engine.interrupt)
    timer.start()

    with pytest.raises(Stopped):
        derive(engine, facts, endless)

    timer.join()
    assert list(tmp_path.iterdir()) == []


def test_an_error_in_the_callers_own_code_ends_the_evaluation(make_engine: MakeEngine, tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    def after(_: Round) -> None:
        raise Enough

    with pytest.raises(Enough):
        derive(make_engine(), CHAIN, transitive(1), on_round=after)
    assert list(tmp_path.iterdir()) == []


def test_facts_that_cannot_be_read_to_their_end_are_not_derived_from(make_engine: MakeEngine, tmp_path: Path) -> None:
    class Cancelled(Exception):
        pass

    def batches() -> Iterator[pa.RecordBatch]:
        yield from CHAIN.to_batches()
        raise Cancelled

    with make_engine() as engine, pytest.raises(Cancelled):
        engine.load(pa.RecordBatchReader.from_batches(FACTS, batches()), transitive(1))
    assert list(tmp_path.iterdir()) == []


def test_where_no_server_is_the_sentence_says_so_at_once(tmp_path: Path) -> None:
    address = f"sc://127.0.0.1:{free_port()}"
    began = time.monotonic()

    with pytest.raises(EngineFailed, match=f"No Spark Connect server answers at {address}: .*refused"):
        derive(on(address, tmp_path), CHAIN, transitive(1))
    assert time.monotonic() - began < 5
    assert list(tmp_path.iterdir()) == []


def test_what_a_server_says_when_it_fails_is_told_briefly(make_engine: MakeEngine, tmp_path: Path) -> None:

    def spoil(_: Round) -> None:
        for file in tmp_path.rglob("*.parquet"):
            file.write_bytes(b"no longer what it was, nor anything else that a server could read")

    with pytest.raises(EngineFailed) as told:
        derive(make_engine(), CHAIN, transitive(1), on_round=spoil)
    assert str(told.value).startswith("The Spark server at sc://127.0.0.1:")
    assert len(str(told.value)) < 700


def test_facts_that_somebody_removes_are_missed(make_engine: MakeEngine, tmp_path: Path) -> None:
    def remove(_: Round) -> None:
        for file in tmp_path.rglob("*.parquet"):
            file.unlink()

    with pytest.raises(EngineFailed):
        derive(make_engine(), CHAIN, transitive(1), on_round=remove)


@pytest.mark.filterwarnings("ignore:.*RETRIES_EXCEEDED")
@pytest.mark.process
def test_a_server_that_is_killed_in_the_middle_is_told(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triples.recursion.spark.session._MOST_RETRIES", 2)
    with (
        sail_process(tmp_path_factory.mktemp("sail")) as (address, process),
        pytest.raises(EngineFailed, match=f"The Spark server at {address} has failed: "),
    ):
        derive(on(address, tmp_path), CHAIN, transitive(1), on_round=lambda _: process.kill())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
@pytest.mark.process
def test_a_worker_that_is_killed_in_the_middle_costs_a_round(spark_cluster: SparkCluster, tmp_path: Path) -> None:
    """Nearly everything follows from everything, so that the rounds take long enough."""
    facts = fact_table({Key(number, 1, number * 7 % 900 + 1): (1.0, 0.9)[number % 2] for number in range(1, 900)})

    def kill(made: Round) -> None:
        if made.number == 3:
            threading.Timer(0.5, spark_cluster.kill_worker).start()

    found = derive(on(spark_cluster.address, tmp_path), facts, transitive(1, 0.99), on_round=kill)

    embedded = materialise(facts, transitive(1, 0.99))
    assert spark_cluster.killed == 1
    assert found.rounds == embedded.rounds
    assert found.derived.equals(embedded.derived)
    assert list(tmp_path.iterdir()) == []
    spark_cluster.replace_worker()
