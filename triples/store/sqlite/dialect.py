"""The SQL of SQLite."""

from triples.store.dialect import Dialect

SQLITE = Dialect(
    placeholder="?",
    names_indexes=True,
    join="CROSS JOIN",
    keep_apart="",
    term_key="text",
    key_of=str,
    is_one_of_texts="IN (SELECT value FROM json_each(?))",
    metadata="metadata",
    keys_table="json_each(?) AS g",
    keys_column="json_extract(g.value, '$[{}]')",
    numbered_values="json_each(?) AS g",
    numbered_row="g.key",
    numbered_place="json_extract(g.value, '$[{place}]')",
    names_cursors=False,
    # Django's own transactions take the write lock.
    begin_reading="BEGIN",
)
