"""What a fact costs on disk, beside the same facts with their texts in the table and in every index."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

# The columns of the service's table, with a text wherever that has the number of a term.
_TABLE = (
    "CREATE TABLE facts (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, predicate TEXT NOT NULL,"
    " object TEXT NOT NULL, weight REAL NOT NULL, metadata TEXT, source SMALLINT NOT NULL, created_at BIGINT NOT NULL,"
    " updated_at BIGINT)"
)
_FILL = (
    "INSERT INTO facts SELECT t.id, s.text, p.text, o.text, t.weight, t.metadata, t.source, t.created_at, t.updated_at"
    " FROM numbered.triples_triple AS t CROSS JOIN numbered.triples_term AS s ON s.id = t.subject_id"
    " CROSS JOIN numbered.triples_term AS p ON p.id = t.predicate_id"
    " CROSS JOIN numbered.triples_term AS o ON o.id = t.object_id"
)
_INDEXES = (
    "CREATE UNIQUE INDEX fact ON facts (subject, object, predicate)",
    "CREATE INDEX fact_any ON facts (weight DESC)",
    "CREATE INDEX fact_s ON facts (subject, weight DESC)",
    "CREATE INDEX fact_p ON facts (predicate, weight DESC)",
    "CREATE INDEX fact_o ON facts (object, weight DESC)",
    "CREATE INDEX fact_sp ON facts (subject, predicate, weight DESC)",
    "CREATE INDEX fact_po ON facts (predicate, object, weight DESC)",
)
# Neither file is kept, so nothing has to survive.
_HASTE = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -500000; PRAGMA threads = 1"


@dataclass(frozen=True, slots=True)
class Part:
    """A table or an index of the service's database."""

    name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Disk:
    """The files in bytes. Packed: with every page full, which makes the two comparable, however they were filled."""

    facts: int
    stored: int
    packed: int
    with_texts: int
    parts: list[Part]

    @property
    def ratio(self) -> float:
        return self.packed / self.with_texts


def disk(database: Path, folder: Path, *, prefix: str = "") -> Disk:
    """Measure the database of a service that is stopped; the folder is for copies, whose terms get the prefix."""
    packed, with_texts = folder / "packed.db", folder / "texts.db"
    with closing(sqlite3.connect(database)) as driver:
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [(facts,)] = driver.execute("SELECT sum(triples) FROM triples_tally")
        driver.execute("VACUUM INTO ?", [str(packed)])
    try:
        if prefix:
            _lengthen(packed, prefix)
        _store_with_texts(packed, with_texts)
        stored, full, texts = (file.stat().st_size for file in (database, packed, with_texts))
        return Disk(facts, stored, full, texts, _parts(packed))
    finally:
        packed.unlink()
        with_texts.unlink(missing_ok=True)


def _lengthen(database: Path, prefix: str) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as driver:
        driver.execute("UPDATE triples_term SET text = ? || text", [prefix])
        driver.execute("VACUUM")


def _store_with_texts(numbered: Path, target: Path) -> None:
    """Indexes are made of facts that are there already, and so with full pages."""
    with closing(sqlite3.connect(target, isolation_level=None)) as driver:
        driver.executescript(_HASTE)
        driver.execute("ATTACH ? AS numbered", [str(numbered)])
        driver.execute(f"PRAGMA numbered.mmap_size = {1 << 31}")
        for statement in (_TABLE, _FILL, *_INDEXES):
            driver.execute(statement)


def _parts(database: Path) -> list[Part]:
    with closing(sqlite3.connect(database)) as driver:
        found = driver.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC")
        return [Part(*row) for row in found if row[1] > 100_000]
