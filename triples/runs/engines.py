"""The engine of a run, opened with the resources that this process may use."""

import socket
from hashlib import blake2s

import pyarrow as pa
import structlog
from django.conf import settings

from triples.recursion.duckdb.engine import DuckDBEngine
from triples.recursion.duckdb.workspace import Resources
from triples.recursion.engine import Engine
from triples.runs.engine_choice import EngineChoice

log = structlog.get_logger("skg.recursion")


def open_engine(choice: EngineChoice, *, dry: bool) -> Engine:
    """The engine of a run."""
    if choice.name == "duckdb":
        return DuckDBEngine(resources())
    # Its packages need not be there.
    from triples.recursion.spark.engine import SparkEngine  # noqa: PLC0415
    from triples.recursion.spark.exchange import Exchange  # noqa: PLC0415

    exchange = Exchange(choice.exchange, _database_name(), dry=dry)
    for name in exchange.left_over():
        log.warning("exchange_folder_removed", folder=name)
    return SparkEngine(choice.remote, exchange, resources())


def limit_arrow_threads() -> None:
    """Hold Arrow, which reads and joins columns around the engine, to as many threads as the engine may have."""
    pa.set_cpu_count(settings.ENV.recursion_threads)
    pa.set_io_thread_count(1)


def _database_name() -> str:
    """A name for this database, among others whose runs may use the same exchange."""
    database = settings.DATABASES["default"]
    parts = (database.get("HOST") or socket.gethostname(), database.get("PORT"), database["NAME"])
    return blake2s(repr(tuple(map(str, parts))).encode(), digest_size=6).hexdigest()


def resources() -> Resources:
    """The resources that this process may use."""
    env = settings.ENV
    return Resources(
        memory_bytes=env.recursion_memory << 20,
        threads=env.recursion_threads,
        temp_folder=env.state_dir / "spill",
        disk_bytes=env.recursion_disk << 20,
    )
