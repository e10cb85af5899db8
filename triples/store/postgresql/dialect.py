"""The SQL of PostgreSQL."""

from triples.store.dialect import Dialect
from triples.term_keys import POSTGRESQL_KEY, postgresql_key

POSTGRESQL = Dialect(
    placeholder="%s",
    names_indexes=False,
    join="JOIN",
    keep_apart=" OFFSET 0",
    term_key=POSTGRESQL_KEY.format("text"),
    key_of=postgresql_key,
    is_one_of_texts="= ANY (ARRAY(SELECT json_array_elements_text(%s::json)))",
    metadata="metadata::text",
    keys_table="json_array_elements(%s::json) AS g (value)",
    keys_column="(g.value->>{})::bigint",
    numbered_values="unnest({arrays}) AS g ({columns})",
    numbered_row="g.number",
    numbered_place="g.{column}",
    names_cursors=True,
    begin_reading="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
)
