"""PostgreSQL as one side of a copy to another database."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pyarrow as pa
from psycopg.conninfo import conninfo_to_dict

from skg_site.host.refused_writes import SQLSTATE
from triples.store.copying.failures import CopyFailure
from triples.store.copying.record import TABLE as RECORD
from triples.store.copying.side import Key, Row, Side
from triples.store.copying.tables import FACTS, TERMS, Column, Kind, Table
from triples.store.copying.values import json_text, moment_text
from triples.store.inferred import layout
from triples.store.inferred.state import State
from triples.store.postgresql import term_blocks, term_index
from triples.store.postgresql.connections import KEEPALIVES, connect
from triples.store.postgresql.encoding import require_utf8
from triples.store.postgresql.indexes import drop_indexes, rebuild
from triples.store.postgresql.inferred_facts import replace_all
from triples.store.postgresql.table_locks import take_locks

# The trigger and its function.
_REFUSE = "skg_refuse"
# A setting that tells the triggers that it is the copy that writes. It holds for a transaction, as a pooler needs it.
_COPY = "skg.copy"
_FUNCTION = (
    f"CREATE OR REPLACE FUNCTION {_REFUSE}() RETURNS trigger LANGUAGE plpgsql AS $function$ BEGIN"
    f" IF current_setting('{_COPY}', true) IS DISTINCT FROM {{copy}} THEN"
    f" RAISE EXCEPTION '%', {{sentence}} USING ERRCODE = '{SQLSTATE}'; END IF; RETURN NULL; END $function$"
)
_TRIGGER = (
    f"CREATE OR REPLACE TRIGGER {_REFUSE} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {{table}}"
    f" FOR EACH STATEMENT EXECUTE FUNCTION {_REFUSE}()"
)
_TABLES = (
    "SELECT c.relname FROM pg_class AS c"
    " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')"
)


class PostgreSQLSide(Side):
    kind = "postgresql"
    placeholder = "%s"
    id_is_one_of = "id = ANY(%s)"
    decoders = {Kind.MOMENT: moment_text, Kind.JSON: json_text}
    encoders = {Kind.MOMENT: lambda text: f"{text}+00"}

    def __init__(self, url: str | None) -> None:
        """The service's own database, or the one that the URL names."""
        self._driver = connect() if url is None else _connect(url)
        place = self._driver.info
        self.name = f"{place.dbname} on {place.host or 'this host'}"
        # Of the copy that writes here.
        self._copy = ""

    def close(self) -> None:
        self._driver.close()

    def fetch(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        return self._driver.execute(statement.encode(), values or None).fetchall()

    def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        self._driver.execute(statement.encode(), values or None)

    def id_list(self, ids: Sequence[int]) -> Any:
        return list(ids)

    def selected(self, column: Column) -> str:
        name = f'"{column.name}"'
        return f"{name}::text" if column.kind in {Kind.JSON, Kind.JSON_TEXT} else name

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        with self._driver.transaction():
            self.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self._driver.transaction():
            self.fetch("SELECT set_config(%s, %s, true)", [_COPY, self._copy])
            yield

    @contextmanager
    def stopped(self) -> Iterator[None]:
        with self.writing():
            # Readers go on. Every transaction that has written has ended, and none can write before this one ends.
            tables = ", ".join(f'"{name}"' for name in sorted(self._guarded()))
            take_locks(self._driver, [f"LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE"])
            yield

    def delete(self, table: Table, keys: Sequence[Key]) -> None:
        columns = [list(column) for column in zip(*keys, strict=True)]
        names = [f"k{number}" for number in range(len(table.key))]
        given = ", ".join(
            f"unnest(%s::{_array_type(column)}) AS {name}" for column, name in zip(columns, names, strict=True)
        )
        equal = " AND ".join(f't."{key}" = k.{name}' for key, name in zip(table.key, names, strict=True))
        self.execute(f"DELETE FROM {table.name} AS t USING (SELECT {given}) AS k WHERE {equal}", columns)
        if table.name == TERMS:
            self.execute(term_blocks.FORGET, columns)

    def insert(self, table: Table, rows: Iterable[Row]) -> None:
        rows = list(rows)
        names = ", ".join(f'"{name}"' for name in table.names)
        with self._driver.cursor() as cursor:
            with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN".encode()) as copy:
                for row in self._encoded(table, rows):
                    copy.write_row(row)
            if table.name == TERMS and rows:
                ids, texts = zip(*rows, strict=True)
                with cursor.copy(f"COPY {term_blocks.INDEX} (term_id, trigrams) FROM STDIN".encode()) as copy:
                    for pair in zip(ids, term_index.hashes(texts), strict=True):
                        copy.write_row(pair)

    def drop_indexes(self, tables: Sequence[str]) -> list[str]:
        return drop_indexes(self._driver, [*tables, term_blocks.INDEX])

    def rebuild(self, statement: str) -> None:
        rebuild(self._driver, statement)

    def analyze(self) -> None:
        for table in (TERMS, FACTS, layout.FACTS):
            self.execute(f"ANALYZE {table}")

    def last_id(self, table: Table) -> int:
        [(sequence,)] = self.fetch("SELECT pg_get_serial_sequence(%s, 'id')", [table.name])
        [(last, is_called)] = self.fetch(f"SELECT last_value, is_called FROM {sequence}")
        return int(last) if is_called else int(last) - 1

    def set_last_id(self, table: Table, id_: int) -> None:
        self.fetch("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s, %s)", [table.name, max(id_, 1), id_ > 0])

    def table_names(self) -> set[str]:
        return {name for (name,) in self.fetch(_TABLES)}

    def derived_tables(self) -> set[str]:
        return {term_blocks.INDEX, layout.FACTS, layout.STATE, RECORD}

    def require_sound(self) -> None:
        """Nothing to do: whatever was written has been looked at, with its statement or at its commit."""

    def write_inferred(self, rows: pa.RecordBatchReader, state: State, progress: Callable[[int, int], None]) -> None:
        with self.writing():
            replace_all(rows, state, self._driver, progress)

    def inferred_generation(self) -> int | None:
        rows = self.fetch(f"SELECT generation FROM {layout.STATE}")
        return int(rows[0][0]) if rows else None

    def refuse(self, sentence: str, copy: str) -> None:
        literals = {name: _literal(value) for name, value in (("sentence", sentence), ("copy", copy))}
        self.execute(_FUNCTION.format(**literals))
        for table in sorted(self._guarded()):
            self.execute(_TRIGGER.format(table=f'"{table}"'))

    def guard(self, sentence: str, copy: str) -> None:
        self.refuse(sentence, copy)

    def write_for(self, copy: str) -> None:
        self._copy = copy

    def erase(self, tables: Sequence[Table]) -> None:
        names = [f'"{table.name}"' for table in tables]
        self.execute(f"TRUNCATE {', '.join([*names, term_blocks.INDEX, layout.FACTS, layout.STATE])}")

    def allow(self) -> None:
        self.execute(f"DROP FUNCTION IF EXISTS {_REFUSE}() CASCADE")

    def publish(self) -> None:
        """Nothing to do: it has its name."""

    def _guarded(self) -> set[str]:
        return self.table_names() - self.derived_tables()


def _connect(url: str) -> psycopg.Connection[Row]:
    try:
        conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # libpq's own message may repeat the password.
        raise CopyFailure("The URL is none that PostgreSQL's library understands.") from None
    try:
        driver = psycopg.connect(url, **KEEPALIVES, autocommit=True)
    except psycopg.OperationalError as error:
        raise CopyFailure(f"The target cannot be reached: {str(error).strip()}") from None
    # A pooler may give each transaction another connection of the server.
    driver.prepare_threshold = None
    try:
        require_utf8(driver)
    except BaseException:
        driver.close()
        raise
    return driver


def _array_type(values: Sequence[Any]) -> str:
    return "bigint[]" if isinstance(values[0], int) else "text[]"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
