"""How far an import came, kept in a file, so that the same command line can go on from there."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from triples.exchange.inputs import File
from triples.store.bulk import Landmark


class Place(NamedTuple):
    """Behind line `line` of the input with this number, which ends at byte `offset` of its content."""

    input: int = 0
    line: int = 0
    offset: int = 0


@dataclass
class Counts:
    """What became of the lines so far."""

    read: int = 0
    inserted: int = 0
    updated: int = 0
    duplicates: int = 0
    refused: int = 0


class Checkpoint(NamedTuple):
    """Everything before `place` was committed; a database that holds `landmark` still has it."""

    place: Place
    counts: Counts
    landmark: Landmark


class _Saved(NamedTuple):
    conditions: str
    checkpoint: Checkpoint


_SAVED = TypeAdapter(_Saved)


class CheckpointFile:
    """The checkpoint of one list of files; one that was made of other content or options is none."""

    def __init__(self, folder: Path, files: Sequence[File], options: Mapping[str, Any]) -> None:
        self._path = folder / f"{_digest([file.path for file in files])}.json"
        self._conditions = _digest([*files, options])

    def load(self) -> Checkpoint | None:
        try:
            saved = _SAVED.validate_json(self._path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        return saved.checkpoint if saved.conditions == self._conditions else None

    def save(self, checkpoint: Checkpoint) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Nothing is flushed to disk: what a power cut leaves of the file is checked when it is read, and what it
        # leaves of the database, by the landmark.
        new = self._path.with_suffix(f".{os.getpid()}")
        new.write_bytes(_SAVED.dump_json(_Saved(self._conditions, checkpoint)))
        new.replace(self._path)

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)


def _digest(content: object) -> str:
    # As Python writes it: the name of a file need not be a text that JSON could hold.
    return hashlib.sha256(repr(content).encode()).hexdigest()[:32]
