"""The same closures on each engine: whether the outcomes are the same to the last bit, in what time and memory.

    python -m tests.benchmarks.closures FOLDER --engine duckdb --engine sc://127.0.0.1:15002 --exchange /srv/exchange

FOLDER has wordnet30.tsv.xz, debian12-dependencies.tsv.xz and uberon-anatomy.tsv.xz. A line of JSON tells of each
closure on each engine; the exit code is 1 if two engines differ. `--closure generated` needs no folder.
"""

import argparse
import hashlib
import lzma
import multiprocessing
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any, NamedTuple, TextIO

import orjson
import pyarrow as pa

from triples.patterns import Variable, free_variables
from triples.recursion.duckdb.engine import DuckDBEngine
from triples.recursion.duckdb.workspace import Resources
from triples.recursion.engine import Engine
from triples.recursion.programs import BoundRule, Program
from triples.store.inferred.arrow_batches import ASSERTED

X, Y, Z = (Variable(name) for name in "xyz")
# So that proofs compete: some are heavier though higher, some weigh the same.
WEIGHTS = (1.0, 0.9, 0.95, 0.81)


class Closure(NamedTuple):
    """What becomes one transitive predicate: `whole`, under which these are."""

    file: str
    parts: tuple[str, ...]
    weighted: bool


CLOSURES = {
    "wordnet": Closure("wordnet30.tsv.xz", ("hypernym", "instance_hypernym"), weighted=True),
    "debian": Closure("debian12-dependencies.tsv.xz", ("depends", "pre_depends"), weighted=False),
    "uberon": Closure("uberon-anatomy.tsv.xz", ("is_a", "part_of", "overlaps", "adjacent_to", "connected_to"), True),
}
# A hierarchy that is made up, and the number of its entities.
GENERATED = "generated"
ENTITIES = 20_000


def facts(folder: Path, closure: Closure) -> tuple[pa.Table, Program]:
    ids: dict[str, int] = {}

    def number(text: str) -> int:
        return ids.setdefault(text, len(ids) + 1)

    whole = number("whole")
    parts = [number(part) for part in closure.parts]
    rows: dict[tuple[int, int, int], float] = {}
    with lzma.open(folder / closure.file, "rt", encoding="utf-8") as lines:
        for line in lines:
            subject, predicate, object_, *_ = line.rstrip("\n").split("\t")
            if predicate in closure.parts:
                key = number(subject), number(predicate), number(object_)
                rows[key] = WEIGHTS[sum(key) % len(WEIGHTS)] if closure.weighted else 1.0
    return _table(rows), _program(whole, parts)


def hierarchy(entities: int) -> tuple[pa.Table, Program]:
    """Each entity is below one that came before it, and every tenth below another one too: some 10 levels."""
    random = Random(1)
    whole, *parts = entities + 1, entities + 2, entities + 3
    rows: dict[tuple[int, int, int], float] = {}
    for below in range(2, entities + 1):
        for part in parts if below % 10 == 0 else parts[:1]:
            key = below, part, random.randrange(1, below)
            rows[key] = WEIGHTS[sum(key) % len(WEIGHTS)]
    return _table(rows), _program(whole, parts)


def _table(rows: dict[tuple[int, int, int], float]) -> pa.Table:
    columns = [*map(list, zip(*rows, strict=True)), list(rows.values())]
    return pa.table(dict(zip(ASSERTED.names, columns, strict=True)), schema=ASSERTED)


def _program(whole: int, parts: list[int]) -> Program:
    rules = [((X, whole, Y), ((X, part, Y),)) for part in parts]
    transitive = ((X, whole, Z), ((X, whole, Y), (Y, whole, Z)))
    return Program(
        tuple(
            BoundRule(number, f"rule {number}", 1.0, head, body, (), free_variables(head, body))
            for number, (head, body) in enumerate([*rules, transitive])
        )
    )


def measured(folder: Path | None, name: str, engine: str, exchange: str, entities: int) -> dict[str, Any]:
    if name == GENERATED:
        table, program = hierarchy(entities)
    else:
        assert folder is not None
        table, program = facts(folder, CLOSURES[name])
    before = _resident()
    began = monotonic()
    with _engine(engine, exchange) as opened:
        opened.load(table.to_reader(), program)
        found = opened.materialise(on_round=lambda made: _tell(sys.stderr, made._asdict()))
        derived_in = monotonic() - began
        digest = _digest(found.derived.to_reader())
    return {
        "closure": name,
        "engine": engine,
        "asserted": table.num_rows,
        "derived": found.derived.num_rows,
        "rounds": len(found.rounds),
        "seconds": round(derived_in, 1),
        "seconds_with_reading": round(monotonic() - began, 1),
        "memory_mib": (_resident() - before) >> 10,
        "digest": digest,
    }


def _engine(name: str, exchange: str) -> Engine:
    if name == "duckdb":
        return DuckDBEngine(Resources(threads=2))
    from triples.recursion.spark.engine import SparkEngine  # which needs more packages
    from triples.recursion.spark.exchange import Exchange

    return SparkEngine(name, Exchange(exchange, "closures"), Resources(512 << 20, 2, Path(exchange) / "sorted"))


def _digest(batches: Iterator[pa.RecordBatch]) -> str:
    """Of all rows, however they are divided into batches."""
    digest = hashlib.blake2b(digest_size=16)
    for batch in batches:
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            digest.update(repr(row).encode())
    return digest.hexdigest()


def _tell(stream: TextIO, line: dict[str, Any]) -> None:
    stream.write(orjson.dumps(line).decode() + "\n")
    stream.flush()


def _resident() -> int:
    """The most memory that this process has had, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _in_process(action: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """So that one measurement's memory is not another's."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(action, arguments)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--engine", action="append", required=True, help="duckdb or sc://HOST:PORT")
    parser.add_argument("--exchange", default="", help="a folder for what is not DuckDB")
    parser.add_argument(
        "--closure", action="append", choices=[*CLOSURES, GENERATED], help="all real ones if none is named"
    )
    parser.add_argument("--entities", type=int, default=ENTITIES, help="of the generated one (default: %(default)s)")
    asked = parser.parse_args()
    if asked.folder is None and asked.closure != [GENERATED]:
        parser.error("the real closures need a FOLDER")
    same = True
    for name in asked.closure or CLOSURES:
        digests = set()
        for engine in asked.engine:
            line = _in_process(measured, asked.folder, name, engine, asked.exchange, asked.entities)
            digests.add(line["digest"])
            _tell(sys.stdout, line)
        same = same and len(digests) == 1
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
