"""How far a migration came, kept in a file, so that the same command line can go on from there."""

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from triples.exchange.checkpoints import Counts
from triples.exchange.flask_database import Place

# Something by which the destination knows that it still has what it was given.
Landmark = list[int] | list[str]


class Progress(NamedTuple):
    """Every row before `place` has been dealt with."""

    place: Place
    counts: Counts
    landmark: Landmark


_PROGRESS = TypeAdapter(Progress)


class ProgressFile:
    """The progress of one migration: of this file, to this destination, with these options."""

    def __init__(self, folder: Path, *conditions: object) -> None:
        self._path = folder / f"{hashlib.sha256(repr(conditions).encode()).hexdigest()[:32]}.json"

    def load(self) -> Progress | None:
        try:
            return _PROGRESS.validate_json(self._path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def save(self, progress: Progress) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Not flushed to disk: what a power cut leaves of it is checked against both databases.
        new = self._path.with_suffix(f".{os.getpid()}")
        new.write_bytes(_PROGRESS.dump_json(progress))
        new.replace(self._path)

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)
