"""What the tests of the engine on a server stand on.

They need the client of Spark Connect, which `make test` puts in a folder of its own: with pandas and numpy in reach,
every other process of the tests would load those too.
"""

import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.spark import SparkCluster
from triples.recursion.duckdb.workspace import Resources

if find_spec("pyspark") is None:
    collect_ignore_glob = ["test_*.py"]
else:
    from triples.recursion.spark.engine import SparkEngine
    from triples.recursion.spark.exchange import Exchange

    # Makes an engine, with a folder as its exchange.
    MakeEngine = Callable[[Path], SparkEngine]

OWNER = "tests"


@pytest.fixture(scope="session")
def sail() -> Iterator[str]:
    """The address of a Sail in this process."""
    os.environ["RUST_LOG"] = "error"
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    host, port = server.listening_address
    yield f"sc://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def spark_cluster() -> Iterator[SparkCluster]:
    cluster = SparkCluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.end()


@pytest.fixture(params=["sail", pytest.param("spark", marks=[pytest.mark.long, pytest.mark.process])])
def remote(request: pytest.FixtureRequest) -> str:
    """The address of each kind of server."""
    if request.param == "spark":
        cluster: SparkCluster = request.getfixturevalue("spark_cluster")
        return cluster.address
    address: str = request.getfixturevalue("sail")
    return address


@pytest.fixture
def make_engine(remote: str, tmp_path: Path) -> "Callable[[], SparkEngine]":
    return lambda: SparkEngine(remote, Exchange(str(tmp_path), OWNER), Resources(threads=1))
