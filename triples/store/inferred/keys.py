"""Many keys as one parameter of a statement: a JSON array of arrays, which both databases read as a table `g`."""

from collections.abc import Iterator, Sequence

import orjson

from triples.store.patterns import POSTGRESQL, Dialect

# How many keys a statement is given at most.
BATCH = 1_000


def batches(keys: Sequence[Sequence[int]]) -> Iterator[str]:
    for start in range(0, len(keys), BATCH):
        # orjson takes no named tuples.
        yield orjson.dumps([tuple(key) for key in keys[start : start + BATCH]]).decode()


def table(dialect: Dialect) -> str:
    return (
        f"json_array_elements({dialect.placeholder}::json) AS g (value)"
        if dialect is POSTGRESQL
        else "json_each(?) AS g"
    )


def column(number: int, dialect: Dialect) -> str:
    return f"(g.value->>{number})::bigint" if dialect is POSTGRESQL else f"json_extract(g.value, '$[{number}]')"


def joined(dialect: Dialect) -> str:
    """The table and the word to join another to it with."""
    # SQLite takes CROSS JOIN as an order to keep: the keys are few, what they are looked up in is not.
    return f"{table(dialect)} {'CROSS JOIN' if dialect.names_indexes else 'JOIN'}"
