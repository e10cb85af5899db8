"""Pattern queries with constants from a graph's own facts."""

import sqlite3
from contextlib import closing
from itertools import product
from pathlib import Path
from random import Random

import orjson

from tests.benchmarks.generator import Graph
from tests.benchmarks.scale_timing import Request

Terms = tuple[str, str, str]
Shape = tuple[bool, bool, bool]

K = 10
SHAPES: list[Shape] = list(product((False, True), (False, True), (False, True)))

_FACT = (
    "SELECT s.text, p.text, o.text FROM triples_triple AS t JOIN triples_term AS s ON s.id = t.subject_id"
    " JOIN triples_term AS p ON p.id = t.predicate_id JOIN triples_term AS o ON o.id = t.object_id"
    " WHERE {condition} LIMIT 1"
)
_BY_ID = _FACT.format(condition="t.id >= ?")
_OF_TERM = _FACT.format(condition="t.{place}_id = (SELECT id FROM triples_term WHERE text = ?)")


def query(shape: Shape, terms: Terms, *, min_weight: float = 0.0) -> Request:
    pattern = [term if fixed else None for term, fixed in zip(terms, shape, strict=True)]
    body = {"pattern": pattern, "k": K, "min_weight": min_weight, "include_metadata": True}
    return Request("POST", "/query", orjson.dumps(body))


def shape_name(shape: Shape) -> str:
    return "(" + ", ".join(letter if fixed else "?" for letter, fixed in zip("spo", shape, strict=True)) + ")"


def drawn_facts(database: Path, count: int, seed: int = 1) -> list[Terms]:
    """Facts drawn at random: a term comes as often as it stands in facts, so hubs as often as they occur."""
    random = Random(seed)
    with closing(_open(database)) as driver:
        [(newest,)] = driver.execute("SELECT max(id) FROM triples_triple")
        return [driver.execute(_BY_ID, [random.randint(1, newest)]).fetchone() for _ in range(count)]


def hub_facts(database: Path, graph: Graph) -> dict[Shape, list[Terms]]:
    """For each shape with a constant, facts whose constants have the most facts."""
    hubs = graph.hubs
    with closing(_open(database)) as driver:
        leaving = [driver.execute(_OF_TERM.format(place="subject"), [hub]).fetchone() for hub in hubs.subjects[1:]]
        arriving = [driver.execute(_OF_TERM.format(place="object"), [hub]).fetchone() for hub in hubs.objects[1:]]
    subject, object_ = hubs.joined
    # Two that are joined by every predicate, by the one that is in most facts.
    joined = [(subject, graph.predicates[0], object_)]
    found = {
        (True, False, False): leaving,
        (True, True, False): leaving,
        (False, False, True): arriving,
        (False, True, True): arriving,
    }
    return {shape: found.get(shape, joined) for shape in SHAPES if any(shape)}


def _open(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{database}?mode=ro", uri=True)
