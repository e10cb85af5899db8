"""Many keys as one parameter of a statement: a JSON array of arrays, which both databases read as a table `g`."""

from collections.abc import Iterator, Sequence

import orjson

from triples.store.dialect import Dialect

# How many keys a statement is given at most.
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
    """The table and the word to join another to it with."""
    return f"{table(dialect)} {dialect.join}"
