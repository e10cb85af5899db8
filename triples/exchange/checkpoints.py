"""Checkpoints: the progress of an import, in a file, so that the same command line can continue it."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError


@dataclass
class Counts:
    """Results of the records so far."""

    read: int = 0
    inserted: int = 0
    updated: int = 0
    duplicates: int = 0
    refused: int = 0


class Checkpoint(NamedTuple):
    """Everything before `place` is stored. A destination that still has `watermark` still has all of it."""

    place: tuple[Any, ...]
    counts: Counts
    watermark: tuple[Any, ...]


class _Saved(NamedTuple):
    conditions: str
    checkpoint: Checkpoint


_SAVED = TypeAdapter(_Saved)


class CheckpointFile:
    """The checkpoint of one import. A checkpoint that was saved under other conditions is ignored."""

    def __init__(self, folder: Path, identity: object, conditions: object = None) -> None:
        self._path = folder / f"{_digest(identity)}.json"
        self._conditions = _digest(conditions)

    def load(self) -> Checkpoint | None:
        try:
            saved = _SAVED.validate_json(self._path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        return saved.checkpoint if saved.conditions == self._conditions else None

    def save(self, checkpoint: Checkpoint) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Not flushed to disk: after a power cut, a damaged file is not loaded, and the watermark shows whether the
        # database has lost facts.
        new = self._path.with_suffix(f".{os.getpid()}")
        new.write_bytes(_SAVED.dump_json(_Saved(self._conditions, checkpoint)))
        new.replace(self._path)

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)


def _digest(content: object) -> str:
    # Not as JSON, which cannot hold every name of a file.
    return hashlib.sha256(repr(content).encode()).hexdigest()[:32]
