"""`manage.py recurse --engine spark`: runs whose facts are derived on a server."""

from pathlib import Path

import orjson
import pytest
from pytest_django.fixtures import Settings
from structlog.typing import EventDict

from tests.triples.commands.runs import Inside, with_graph
from triples.models import RecursionRun
from triples.recursion.spark.exchange import Exchange
from triples.runs.engines import _database_name
from triples.runs.options import RunOptions
from triples.services.runs import run_queue
from triples.store.backend import backend

pytestmark = pytest.mark.both

RULES = [
    {"transitive": "in", "weight": 0.5},
    {"name": "near", "weight": 0.9, "head": ["?x", "near", "?y"], "body": [["?x", "in", "?z"], ["?y", "in", "?z"]],
     "distinct": [["?x", "?y"]]},
]  # fmt: skip
FACTS = "a\tin\tb\nb\tin\tc\t0.7\nc\tin\td\ne\tin\td\n"


@pytest.fixture
def graph(database: None, tmp_path: Path) -> Inside:
    """A small graph with rules."""
    return with_graph(tmp_path, FACTS, RULES)


@pytest.fixture
def exchange(tmp_path: Path) -> Path:
    folder = tmp_path / "exchange"
    folder.mkdir()
    return folder


@pytest.fixture
def on_spark(sail: str, exchange: Path) -> list[str]:
    return ["recurse", "--engine", "spark", "--remote", sail, "--exchange", str(exchange), "--json"]


def test_what_is_stored_is_what_duckdb_derives(graph: Inside, on_spark: list[str], exchange: Path) -> None:
    done = graph.run(*on_spark)

    assert done.returncode == 0, done.stderr
    told = orjson.loads(done.stdout)
    assert (told["status"], told["mode"], told["facts"], told["added"]) == ("succeeded", "full", 15, 15)
    assert list(exchange.iterdir()) == []
    stored = backend().inferred.contents()
    again = orjson.loads(graph.run("recurse", "--force", "--json").stdout)
    assert (again["added"], again["changed"], again["removed"]) == (0, 0, 0)
    assert backend().inferred.contents().equals(stored)
    once_more = orjson.loads(graph.run(*on_spark, "--force").stdout)
    assert (once_more["added"], once_more["changed"], once_more["removed"]) == (0, 0, 0)


def test_little_that_has_changed_is_derived_without_the_server(graph: Inside, tmp_path: Path, exchange: Path) -> None:
    assert graph.run("recurse").returncode == 0
    facts = tmp_path / "more.tsv"
    facts.write_text("d\tin\tf\n")
    assert graph.run("import_triples", str(facts)).returncode == 0

    nowhere = ["--engine", "spark", "--remote", "sc://127.0.0.1:1", "--exchange", str(exchange)]
    done = graph.run("recurse", "--json", *nowhere)

    assert done.returncode == 0, done.stderr
    assert orjson.loads(done.stdout)["mode"] == "incremental"


def test_a_partial_run_keeps_what_one_on_duckdb_keeps(graph: Inside, on_spark: list[str]) -> None:
    kept = []
    for command in (on_spark, ["recurse"]):
        for partial in ([], ["--rule", "near"]):
            done = graph.run(*command, "--force", *partial)
            assert done.returncode == 0, done.stderr
        kept.append(backend().inferred.contents())

    assert 0 < kept[0].num_rows < 15
    assert kept[0].equals(kept[1])


def test_a_dry_run_writes_nothing(graph: Inside, on_spark: list[str], exchange: Path) -> None:
    told = orjson.loads(graph.run(*on_spark, "--dry-run", "--max-depth", "1").stdout)

    # Two links after each other three times; a and e are near nobody yet, c and e are near each other.
    assert (told["dry_run"], told["facts"]) == (True, 4)
    assert backend().read_state() is None
    assert list(exchange.iterdir()) == []


def test_a_run_of_the_service_uses_the_engine_that_is_configured(
    graph: Inside, sail: str, exchange: Path, settings: Settings, log: list[EventDict]
) -> None:
    """What `POST /recurse` starts. A run that died has left its folder."""
    change = {"recursion_engine": "spark", "spark_remote": sail, "recursion_exchange": str(exchange)}
    settings.ENV = settings.ENV.model_copy(update=change)
    left = Exchange(str(exchange), _database_name())
    (exchange / f"skg-{left.owner}-1-abc" / "asserted").mkdir(parents=True)
    (exchange / "skg-other-1-abc").mkdir()
    run = run_queue(options=RunOptions(), requested_by="tests")

    assert graph.run("recurse", "--run", str(run.id)).returncode == 0

    assert RecursionRun.objects.get(id=run.id).facts == 15
    assert [folder.name for folder in exchange.iterdir()] == ["skg-other-1-abc"]
    removed = [line["folder"] for line in log if line["event"] == "exchange_folder_removed"]
    assert removed == [f"skg-{left.owner}-1-abc"]


def test_a_run_that_takes_too_long_ends_and_says_so(
    graph: Inside, on_spark: list[str], exchange: Path, settings: Settings
) -> None:
    settings.ENV = settings.ENV.model_copy(update={"recursion_timeout": 0.01})

    done = graph.run(*on_spark)

    assert done.returncode == 1
    assert b"It took longer than SKG_RECURSION_TIMEOUT allows." in done.stdout + done.stderr
    assert list(exchange.iterdir()) == []
    assert backend().read_state() is None


def test_too_many_facts_leave_what_duckdb_leaves(graph: Inside, on_spark: list[str], settings: Settings) -> None:
    settings.ENV = settings.ENV.model_copy(update={"max_inferred": 5})

    told = orjson.loads(graph.run(*on_spark).stdout)

    stored = backend().inferred.contents()
    embedded = orjson.loads(graph.run("recurse", "--force", "--json").stdout)
    assert told["status"] == embedded["status"] == "limited"
    assert told["complete_above"] == embedded["complete_above"]
    assert backend().inferred.contents().equals(stored)


def test_a_server_that_is_not_there_is_a_sentence(graph: Inside, exchange: Path) -> None:
    done = graph.run("recurse", "--engine", "spark", "--remote", "sc://127.0.0.1:1", "--exchange", str(exchange))

    assert done.returncode == 1
    assert b"CommandError: No Spark Connect server answers at sc://127.0.0.1:1: " in done.stderr
    assert b"Traceback" not in done.stderr
    [run] = RecursionRun.objects.all()
    assert run.status == "failed"
    assert "No Spark Connect server answers" in run.error
