"""Batches of keys. Each is one parameter of a statement: a JSON array, which both databases read as a table `g`."""

from collections.abc import Iterator, Sequence

import orjson

from triples.store.dialect import Dialect

# The most keys that one statement is given.
BATCH = 1_000


def batches(keys: Sequence[Sequence[int]]) -> Iterator[str]:
    for start in range(0, len(keys), BATCH):
        # orjson takes no named tuples.
        yield orjson.dumps([tuple(key) for key in keys[start : start + BATCH]]).decode()


def table(dialect: Dialect) -> str:
    return dialect.keys_table


def column(number: int, dialect: Dialect) -> str:
    return dialect.key_column(number)


def joined(dialect: Dialect) -> str:
    """The table, followed by the keyword that joins another table to it."""
    return f"{table(dialect)} {dialect.join}"
