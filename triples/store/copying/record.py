"""The record of a copy, a table of one row that each of the two databases has, apart from those of the models."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

TABLE = "skg_copy"
CREATE = (
    f"CREATE TABLE IF NOT EXISTS {TABLE}"
    " (id INTEGER PRIMARY KEY, copy TEXT NOT NULL, stage TEXT NOT NULL, rebuild TEXT NOT NULL)"
)
COLUMNS = "copy, stage, rebuild"


class Stage(StrEnum):
    """The stage of a copy that a database is in."""

    # The one that is copied from: nothing is decided yet, or its graph has moved.
    SOURCE = "source"
    MOVED = "moved"
    # The one that is copied to: it is incomplete, or it is the graph's place now.
    FILLING = "filling"
    COMPLETE = "complete"
    # It was complete, and the other one has taken the graph back.
    TAKEN_BACK = "taken back"


class Record(NamedTuple):
    # The same in both databases of a copy.
    copy: str
    stage: Stage
    # Statements that make the indexes again that were dropped to fill tables faster.
    rebuild: list[str]

    @property
    def row(self) -> tuple[str, str, str]:
        return self.copy, self.stage.value, orjson.dumps(self.rebuild).decode()


def record_of(rows: Sequence[tuple[Any, ...]]) -> Record | None:
    if not rows:
        return None
    copy, stage, rebuild = rows[0]
    return Record(copy, Stage(stage), orjson.loads(rebuild))
