"""Preparation of a copy: whether the target may be filled, and with what."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from uuid import uuid4

from skg_site.cli.exit_codes import BUSY
from skg_site.host import refused_writes
from skg_site.ops.moving.targets import Target, holdings
from triples.store.backend import backend
from triples.store.copying.failures import CopyFailure
from triples.store.copying.record import Stage
from triples.store.copying.side import Side
from triples.store.copying.tables import FACTS, TERMS, Table, copied_tables


@contextmanager
def alone() -> Iterator[None]:
    """Keep other copies of this database from running in this time.

    A second one with the same target would go on after the first has ended, and delete there what is new by then.
    """
    with backend().locks.open_copy_lease() as lease:
        if not lease.take():
            raise CopyFailure("Another copy_to of this database is under way. Wait for its end, or end it.", BUSY)
        yield


def known_tables(source: Side) -> list[Table]:
    tables = copied_tables()
    if missing := {table.name for table in tables} - source.table_names():
        raise CopyFailure(f"The source has no {', '.join(sorted(missing))}. Run manage.py migrate first.")
    record = source.record()
    if record is not None and record.stage is Stage.FILLING:
        raise CopyFailure("The source is itself an unfinished copy of another database.")
    if record is not None and record.stage is Stage.TAKEN_BACK:
        raise CopyFailure("The graph was taken back from this database; it is not here.")
    return tables


def checked_name(place: Target, source: Side, *, restart: bool) -> str:
    """The name of the target, which may be filled; else raises CopyFailure."""
    if not place.is_made:
        return place.place
    with closing(place.open()) as target:
        may_continue(place, source, target, restart=restart)
        return target.name


def may_continue(place: Target, source: Side, target: Side, *, restart: bool) -> bool:
    """True if the target has an unfinished copy of this source. Raises CopyFailure if it must not be written to."""
    record, ours = target.record(), source.record()
    if record is None:
        if (held := holdings(target)) is not None:
            raise CopyFailure(f"The target is not empty: {target.name} holds {held}.")
        _require_no_file(place)
        return False
    if record.stage in {Stage.SOURCE, Stage.MOVED, Stage.COMPLETE}:
        raise CopyFailure(f"The target, {target.name}, is in use: it is, or was, a database of its own.")
    _require_no_file(place)
    if restart:
        return False
    if record.stage is Stage.TAKEN_BACK or ours is None or ours.copy != record.copy:
        raise CopyFailure(
            f"The target, {target.name}, holds a copy of another database, or an older one of this. "
            "--restart deletes it and begins anew."
        )
    return True


def _require_no_file(place: Target) -> None:
    if place.stands:
        raise CopyFailure(f"{place.place} is there already. Name a new file.")


def prepare(place: Target, source: Side, tables: Sequence[Table], *, restart: bool) -> str:
    """Make the target ready to be filled. Returns the id of the copy."""
    if restart:
        place.remove_unfinished()
    place.migrate()
    with closing(place.open()) as target:
        ours, theirs = source.record(), target.record()
        if theirs is not None and ours is not None and theirs.copy == ours.copy and not restart:
            return theirs.copy
        copy = uuid4().hex
        with source.writing():
            source.write_record(copy, Stage.SOURCE)
        if (found := target.record()) is not None and found.copy == copy:
            raise CopyFailure("The target is the source.")
        if theirs is not None:
            target.write_for(theirs.copy)
        with target.writing():
            rebuild = theirs.rebuild if theirs is not None else []
            if theirs is not None:
                # Of another copy, or of one that was taken back.
                target.allow()
                target.erase(tables)
            rebuild = rebuild or target.drop_indexes([TERMS, FACTS])
            target.guard(refused_writes.UNFINISHED, copy)
            target.write_record(copy, Stage.FILLING, rebuild)
        return copy


def left_out(source: Side, tables: Sequence[Table]) -> dict[str, int]:
    """The tables that nobody copies, and how many rows they have."""
    unknown = source.table_names() - source.derived_tables() - {table.name for table in tables}
    counted = {name: source.count(name) for name in sorted(unknown)}
    return {name: number for name, number in counted.items() if number}
