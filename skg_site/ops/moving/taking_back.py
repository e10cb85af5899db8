"""Taking the graph back from the database that it has moved to, if nothing was written there."""

from contextlib import closing
from dataclasses import replace

from skg_site.host import refused_writes
from skg_site.ops.moving.outcomes import TakenBack
from skg_site.ops.moving.preparing import alone
from skg_site.ops.moving.targets import Target
from triples.store.backend import backend
from triples.store.copying.failures import CopyFailure
from triples.store.copying.passes import compare
from triples.store.copying.record import Record, Stage
from triples.store.copying.side import Side
from triples.store.copying.tables import Table, copied_tables

# What a service writes although nobody has changed anything.
_UNTOLD_TABLES = {"django_session"}
_UNTOLD_COLUMNS = {"last_used_at", "last_login"}


def take_back(place: Target, *, lose_changes: bool) -> TakenBack:
    """Let the source store writes again, and the target refuse them.

    Raises CopyFailure if the target was written to, unless `lose_changes`: then the target need not be there, either.
    """
    with alone(), closing(backend().own_side()) as source:
        record = source.record()
        if record is None or record.stage is not Stage.MOVED:
            raise CopyFailure("The graph has not moved: writes are stored here.")
        try:
            target = place.open()
        except CopyFailure as error:
            if not lose_changes:
                raise
            name, lost = place.shown, [f"whatever was changed there ({error})"]
        else:
            with closing(target):
                name, lost = target.name, _refuse_there(source, target, record, lose_changes=lose_changes)
        with source.stopped():
            source.allow()
            source.forget_record()
    return TakenBack(name, lost)


def _refuse_there(source: Side, target: Side, record: Record, *, lose_changes: bool) -> list[str]:
    theirs = target.record()
    if theirs is None or theirs.copy != record.copy:
        raise CopyFailure(f"The graph has moved to another database, which is not {target.name}.")
    target.write_for(record.copy)
    # Nobody writes between the look and the refusal.
    with target.stopped():
        lost = [sentence for table in copied_tables() if (sentence := _changes(source, target, table))]
        if lost and not lose_changes:
            raise CopyFailure(
                f"{target.name} was written to since the graph has moved there: {'; '.join(lost)}. Copy it back with "
                "copy_to, into another database, or give the changes up: --lose-changes."
            )
        target.allow()
        target.refuse(refused_writes.MOVED, "")
        target.write_record(record.copy, Stage.TAKEN_BACK)
    return lost


def _changes(source: Side, target: Side, table: Table) -> str | None:
    """The changes of a table of the target, in words."""
    if table.name in _UNTOLD_TABLES:
        return None
    told = replace(table, columns=tuple(column for column in table.columns if column.name not in _UNTOLD_COLUMNS))
    found = compare(source, target, told)
    changed = len(found.stale)
    if table.by_groups:
        deleted = len(found.ids) - changed + sum(len(source.versions(table, group)) for group in found.groups)
    else:
        deleted = len(found.rows) - changed
    counted = {"added": len(found.gone), "changed": changed, "deleted": deleted}
    words = [f"{number:,} {word}" for word, number in counted.items() if number]
    return f"{table.name}: {', '.join(words)}" if words else None
