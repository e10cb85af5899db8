"""The SQL that is written differently for the two databases."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """The words of one database; `backend().dialect` is that of the database in use."""

    # Of a parameter of a statement.
    placeholder: str
    # SQLite, which does not know how many rows a condition leaves, is told which index to read and, by CROSS JOIN, in
    # which order to join: the few given values first.
    names_indexes: bool
    join: str
    # Appended to a subquery that the planner must not flatten into a join with the whole table.
    keep_apart: str
    # The JSON of a fact as the text that was sent.
    metadata: str
    # A JSON array of keys, passed as one parameter, as a table `g` with the column `value`.
    keys_table: str
    # The number of a key's place, formatted into it, gives that place of `g.value`.
    keys_column: str
    # Many values of some columns as a table `g` with a number for each row, into which the columns are formatted; the
    # number; and one place of the values, into which its number and its column are formatted.
    numbered_values: str
    numbered_row: str
    numbered_place: str
    # Whether the server keeps the rows that are not fetched yet for named cursors only.
    names_cursors: bool
    # Begins a transaction that only reads, and sees one moment from its first statement on.
    begin_reading: str

    def indexed(self, table: str, index: str) -> str:
        """The table, to be read by this index."""
        return f"{table} INDEXED BY {index}" if self.names_indexes else table

    def key_column(self, place: int) -> str:
        """One place of the keys in `keys_table`."""
        return self.keys_column.format(place)

    def numbered_table(self, columns: Sequence[str]) -> str:
        """The values of these columns as a table."""
        arrays = ", ".join(["?::bigint[]"] * (1 + len(columns)))
        return self.numbered_values.format(arrays=arrays, columns=", ".join(["number", *columns]))

    def numbered_column(self, place: int, column: str) -> str:
        """One of the values in `numbered_table`."""
        return self.numbered_place.format(place=place, column=column)

    def prepared(self, sql: str) -> str:
        """A statement that was written with question marks, with this database's placeholders."""
        return sql.replace("?", self.placeholder)
