"""INSERT statements of many rows for SQLite.

A statement costs more than a row: SQLite reads and writes the table's last id, and Python calls SQLite. For a value
that is neither a number nor a text, Python looks for an adapter, which costs as much as a row; so empty metadata is
left out, and sources are passed as plain numbers. All statements are OR FAIL: otherwise SQLite would copy each page
before its first change, to be able to undo this statement alone. The caller rolls the whole transaction back instead.
The tables' checks would make it copy them nevertheless. So the writer works without them, and they are made here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar

from django.db import IntegrityError

from triples.models import Source
from triples.store.operations import Fact
from triples.store.sessions import NewFact, RowKey
from triples.text import MAX_TERM_LENGTH

_Row = TypeVar("_Row")

_ROWS = 100
_LENGTHS = range(1, MAX_TERM_LENGTH + 1)

_TERMS = "INSERT OR FAIL INTO triples_term (id, text) VALUES "
_FACTS = (
    "INSERT OR FAIL INTO triples_triple"
    " (source, created_at, subject_id, object_id, predicate_id, weight, metadata) VALUES "
)
_ROW, _PLAIN_ROW = "(?1, ?2, ?, ?, ?, ?, ?)", "(?1, ?2, ?, ?, ?, ?, NULL)"
_NEW_FACTS = (
    "INSERT OR FAIL INTO triples_triple"
    " (created_at, subject_id, object_id, predicate_id, weight, source, metadata) VALUES "
)
_NEW_ROW, _PLAIN_NEW_ROW = "(?1, ?, ?, ?, ?, ?, ?)", "(?1, ?, ?, ?, ?, ?, NULL)"
_UNLESS_THERE = " ON CONFLICT (subject_id, object_id, predicate_id) DO NOTHING"


def insert_terms(driver: Any, first_id: int, texts: Sequence[str]) -> None:
    """Insert terms with consecutive ids from `first_id` on."""
    if not all(map(_LENGTHS.__contains__, map(len, texts))):
        raise IntegrityError("a term has no characters, or too many")
    for start, part in zip(range(first_id, first_id + len(texts), _ROWS), _parts(texts), strict=True):
        driver.execute(_statement(_TERMS, "(?, ?)", len(part)), tuple(chain.from_iterable(enumerate(part, start))))


def insert_facts(driver: Any, facts: Sequence[NewFact]) -> int:
    """Insert facts of one moment. Returns the id of the first; those of the others follow."""
    require_weights(fact.weight for fact in facts)
    last = 0
    for part in _parts(facts):
        values: list[Any] = [part[0].created_ms]
        if any(fact.metadata for fact in part):
            row = _NEW_ROW
            for subject, object_, predicate, weight, metadata, source, _ in part:
                values += (subject, object_, predicate, weight, int(source), metadata)
        else:
            row = _PLAIN_NEW_ROW
            for subject, object_, predicate, weight, _, source, _ in part:
                values += (subject, object_, predicate, weight, int(source))
        last = driver.execute(_statement(_NEW_FACTS, row, len(part)), values).lastrowid
    return last - len(facts) + 1


def require_weights(weights: Iterable[float]) -> None:
    if not all(0 <= weight <= 1 for weight in weights):
        raise IntegrityError("a weight is not between 0 and 1")


def load_facts(driver: Any, keys: Sequence[RowKey], facts: Mapping[RowKey, Fact], created_ms: int) -> int:
    """Insert the facts with these sorted keys that do not exist yet. Returns their number."""
    inserted = 0
    for part in _parts(keys):
        found = [facts[key] for key in part]
        require_weights(fact.weight for fact in found)
        values: list[Any] = [int(found[0].source), created_ms]
        if any(fact.metadata for fact in found):
            row = _ROW
            for key, fact in zip(part, found, strict=True):
                values += (*key, fact.weight, fact.metadata)
        else:
            row = _PLAIN_ROW
            for key, fact in zip(part, found, strict=True):
                values += (*key, fact.weight)
        inserted += driver.execute(_statement(_FACTS, row, len(part)) + _UNLESS_THERE, values).rowcount
    return inserted


def load_columns(driver: Any, columns: Sequence[Sequence[Any]], source: Source, created_ms: int) -> None:
    """Insert new facts from columns: subjects, objects, predicates, weights and metadata."""
    require_weights(columns[3])
    for start in range(0, len(columns[0]), _ROWS):
        part = [column[start : start + _ROWS] for column in columns]
        plain = not any(part[-1])
        if plain:
            part.pop()
        statement = _statement(_FACTS, _PLAIN_ROW if plain else _ROW, len(part[0]))
        driver.execute(statement, (int(source), created_ms, *chain.from_iterable(zip(*part, strict=True))))


def _parts(rows: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
    return (rows[start : start + _ROWS] for start in range(0, len(rows), _ROWS))


@lru_cache
def _statement(beginning: str, row: str, rows: int) -> str:
    return beginning + ", ".join([row] * rows)
