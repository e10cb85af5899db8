"""A pass makes the target like the source by what differs, whatever came of the passes before.

So the first copy, the catching up and the going on after a copy that was broken off are one and the same. Nothing has
to be remembered of the source's changes meanwhile, and writers do nothing for the copy.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from triples.store.copying.side import Digest, Key, Row, Side
from triples.store.copying.tables import FACTS, TERMS, Table

# How often a transaction of the first copy is ended, in groups of ids.
_GROUPS_AT_ONCE = 25
_KEYS_AT_ONCE = 2_000

Digests = Mapping[int, Digest]
# Told the table, how many rows were looked at, and how many there are. It may raise.
Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class Difference:
    """The difference between a table of the target and the source's."""

    # Keys of the target's rows that are not, or not like this, among the source's.
    gone: list[Key] = field(default_factory=list)
    stale: list[Key] = field(default_factory=list)
    # Rows that are to be inserted: groups that the target has nothing of, ids, and rows that were read already.
    groups: list[int] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        return not (self.gone or self.stale or self.groups or self.ids or self.rows)


def compare(source: Side, target: Side, table: Table, ours: Digests | None = None) -> Difference:
    """Return how the target differs. `ours` are the source's digests of the table, if they are known."""
    if not table.by_groups:
        return _compare_whole(source, target, table)
    found = Difference()
    ours, theirs = source.digests(table) if ours is None else ours, target.digests(table)
    for group in sorted(ours.keys() | theirs.keys()):
        if group not in theirs:
            found.groups.append(group)
        elif ours.get(group) != theirs[group]:
            _compare_group(source, target, table, group, found)
    return found


def _add_late(source: Side, target: Side, table: Table, since: int, found: Difference) -> None:
    """Add the rows that were changed since then and differ although they have the same version.

    Two changes within a millisecond give a row the same version, and the first may have been copied without the second.
    """
    known = {*found.ids, *(id_ for (id_,) in found.stale)}
    doubtful = [id_ for id_ in source.changed_since(table, since) if id_ not in known]
    copied = {row[0]: row for part in target.rows_by_id(table, doubtful) for row in part}
    for row in chain.from_iterable(source.rows_by_id(table, [id_ for id_ in doubtful if id_ in copied])):
        if row != copied[row[0]]:
            found.stale.append((row[0],))
            found.rows.append(row)


def _compare_whole(source: Side, target: Side, table: Table) -> Difference:
    ours = {table.key_of(row): row for row in source.rows(table)}
    theirs = {table.key_of(row): row for row in target.rows(table)}
    return Difference(
        gone=[key for key in theirs if key not in ours],
        stale=[key for key, row in theirs.items() if key in ours and ours[key] != row],
        rows=[row for key, row in ours.items() if theirs.get(key) != row],
    )


def _compare_group(source: Side, target: Side, table: Table, group: int, found: Difference) -> None:
    ours, theirs = source.versions(table, group), target.versions(table, group)
    found.gone += [(id_,) for id_ in theirs if id_ not in ours]
    found.stale += [(id_,) for id_, version in theirs.items() if id_ in ours and ours[id_] != version]
    found.ids += [id_ for id_, version in ours.items() if id_ not in theirs or theirs[id_] != version]


class Pass:
    """One pass over all tables, within a snapshot of the source."""

    def __init__(
        self, source: Side, target: Side, tables: Sequence[Table], progress: Progress, changed_since: int | None = None
    ) -> None:
        self._source = source
        self._target = target
        self._tables = tables
        self._progress = progress
        self._changed_since = changed_since
        # The source's digests, as this pass has seen them.
        self._seen: dict[str, Digests] = {}
        # How many rows were deleted, and how many inserted.
        self.written = 0

    def fill(self) -> None:
        """The first copy, into tables without indexes, in many transactions."""
        for table in self._tables:
            if table.name in (TERMS, FACTS):
                self._fill(table)
        self.catch_up()

    def catch_up(self) -> None:
        """All tables in one transaction, since rows of one may refer to those of another."""
        with self._target.writing():
            for table in self._tables:
                if table.by_groups:
                    self._seen[table.name] = self._source.digests(table)
                found = compare(self._source, self._target, table, self._seen.get(table.name))
                if table.changed_at is not None and self._changed_since is not None:
                    _add_late(self._source, self._target, table, self._changed_since, found)
                self._delete(table, found)
                for rows in self._new_rows(table, found):
                    self._insert(table, rows)
                if table.counts:
                    self._target.set_last_id(table, self._source.last_id(table))

    def differing(self) -> list[str]:
        """The tables that differ after `catch_up`, on a source that nobody has changed since."""
        return [
            table.name
            for table in self._tables
            if not compare(self._source, self._target, table, self._seen.get(table.name)).is_nothing
        ]

    def _fill(self, table: Table) -> None:
        found = compare(self._source, self._target, table)
        parts = self._new_rows(table, found)
        with self._target.writing():
            self._delete(table, found)
        while True:
            with self._target.writing():
                rows: list[Row] = []
                for rows in islice(parts, _GROUPS_AT_ONCE):
                    self._insert(table, rows)
                if not rows:
                    return

    def _delete(self, table: Table, found: Difference) -> None:
        # Before anything is inserted, so that nothing meets a row that holds the same unique values.
        keys = [*found.gone, *found.stale]
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            self._target.delete(table, keys[start : start + _KEYS_AT_ONCE])
        self.written += len(found.gone)

    def _new_rows(self, table: Table, found: Difference) -> Iterator[list[Any]]:
        for done, group in enumerate(found.groups, 1):
            yield self._source.rows(table, group)
            self._progress(table.name, done, len(found.groups))
        for part in self._source.rows_by_id(table, found.ids):
            self._progress(table.name, 0, 0)
            yield part
        if found.rows:
            self._progress(table.name, 0, 0)
            yield found.rows

    def _insert(self, table: Table, rows: list[Row]) -> None:
        self._target.insert(table, rows)
        self.written += len(rows)
