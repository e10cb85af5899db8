"""The SQL that is written differently for the two databases."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """The SQL of one database; `backend().dialect` is that of the database in use."""

    # The placeholder of a parameter.
    placeholder: str
    # Whether statements name the index to read and, by CROSS JOIN, the order to join: the few given values first.
    # SQLite needs this, since it cannot estimate how many rows satisfy a condition.
    names_indexes: bool
    join: str
    # Appended to a subquery, so that the planner does not flatten it into a join with the whole table.
    keep_apart: str
    # By what the index of terms finds the column `text`, and a text's own; see `triples.term_keys`.
    term_key: str
    key_of: Callable[[str], str]
    # A condition: the expression before it is one of the texts in a JSON array, which is passed as one parameter. The
    # index finds them, however many there are.
    is_one_of_texts: str
    # A fact's metadata as the JSON text that was sent.
    metadata: str
    # A table `g` with the column `value`: the keys of a JSON array, which is passed as one parameter.
    keys_table: str
    # One place of the key in `g.value`; the number of the place is formatted into it.
    keys_column: str
    # A table `g` of numbered rows of values, into which the columns are formatted; the number of a row; and one value
    # of a row, into which its place and its column are formatted.
    numbered_values: str
    numbered_row: str
    numbered_place: str
    # Whether only a named cursor leaves the rows that are not fetched yet on the server.
    names_cursors: bool
    # Begins a read-only transaction whose statements all see the moment of the first one.
    begin_reading: str

    def indexed(self, table: str, index: str) -> str:
        """The table, with this index named if the database needs that."""
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
        """The statement with this database's placeholders in place of its question marks."""
        return sql.replace("?", self.placeholder)
