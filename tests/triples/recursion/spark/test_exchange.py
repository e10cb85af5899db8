"""The folders of runs in an exchange, on disk and in S3, and those that died runs have left there."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import fs

from tests.support.aws import aws_server, aws_variables
from tests.support.spark import sail_process
from tests.triples.recursion.deriving import derive, materialise
from tests.triples.recursion.programming import transitive
from tests.triples.recursion.tables import fact_table
from triples.recursion.duckdb.workspace import Resources
from triples.recursion.programs import Key
from triples.recursion.spark.engine import SparkEngine
from triples.recursion.spark.exchange import Exchange

ROWS = pa.table({"id": pa.array([1, 2, 3], pa.int64())})


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    """The variables by which its bucket `exchange` is reached."""
    with aws_server() as url:
        variables = aws_variables(url)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            fs.S3FileSystem(allow_bucket_creation=True, endpoint_override=url).create_dir("exchange")
        yield variables


@pytest.fixture(params=["disk", pytest.param("s3", marks=pytest.mark.process)])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "disk":
        return str(tmp_path)
    for name, value in request.getfixturevalue("s3").items():
        monkeypatch.setenv(name, value)
    return f"s3://exchange/{tmp_path.name}"


def names(place: str) -> list[str]:
    in_s3 = place.startswith("s3://")
    system = fs.S3FileSystem(endpoint_override=os.environ["AWS_ENDPOINT_URL"]) if in_s3 else fs.LocalFileSystem()
    found = system.get_file_info(fs.FileSelector(place.removeprefix("s3://"), allow_not_found=True))
    return [info.base_name for info in found]


def test_a_folder_holds_what_is_written_until_it_is_left(place: str) -> None:
    with Exchange(place, "mine").folder() as folder:
        folder.write("rows", ROWS.to_reader(), None)
        assert [batch.to_pydict() for batch in folder.read("rows", ROWS.schema).to_batches()] == [{"id": [1, 2, 3]}]
        assert len(names(place)) == 1
        folder.remove("rows")
        folder.remove("never there")
    assert names(place) == []


def test_a_folder_is_removed_after_failure_too(place: str) -> None:
    def fail() -> None:
        with Exchange(place, "mine").folder() as folder:
            folder.write("rows", ROWS.to_reader(), None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert names(place) == []


def test_what_a_died_run_has_left_is_found_by_the_next_of_its_owner(place: str) -> None:
    with ExitStack() as died, Exchange(place, "other").folder() as of_another:
        died.enter_context(Exchange(place, "mine").folder()).write("rows", ROWS.to_reader(), None)
        of_another.write("rows", ROWS.to_reader(), None)
        [mine] = [name for name in names(place) if name.startswith("skg-mine-")]

        assert Exchange(place, "mine", dry=True).left_over() == []
        assert Exchange(place, "mine").left_over() == [mine]
        assert names(place) == [of_another.root.rpartition("/")[2]]
    assert Exchange(place, "mine").left_over() == []


def test_dry_runs_may_go_on_beside_others_for_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = Exchange(str(tmp_path), "mine")
    (tmp_path / "skg-mine-dry-what").mkdir()
    with Exchange(str(tmp_path), "mine", dry=True).folder() as dry:
        dry.write("rows", ROWS.to_reader(), None)
        assert exchange.left_over() == []
        tomorrow = time.time() + 90_000
        monkeypatch.setattr("triples.recursion.spark.exchange.time", lambda: tomorrow)
        assert exchange.left_over() == [dry.root.rpartition("/")[2]]


@pytest.mark.process
def test_a_server_derives_by_way_of_s3(
    s3: dict[str, str], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    facts = fact_table({Key(number, 1, number + 1): 0.9 for number in range(1, 8)})
    with sail_process(tmp_path_factory.mktemp("sail"), s3 | {"AWS_ALLOW_HTTP": "true"}) as (address, _):
        engine = SparkEngine(address, Exchange("s3://exchange/closure", "mine"), Resources(threads=1))

        found = derive(engine, facts, transitive(1))

    assert found.derived.equals(materialise(facts, transitive(1)).derived)
    assert names("s3://exchange/closure") == []
