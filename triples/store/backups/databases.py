"""The interface of a database that is backed up and restored; see `backups` in `sqlite` and `postgresql`."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from skg_site.cli.progress import Report
from triples.store.backups.contents import Contents


class Form(StrEnum):
    """The ending of the names of a database's backups."""

    SQLITE = ".sqlite.zst"
    POSTGRESQL = ".pgdump"


class Replaced(NamedTuple):
    """The new place of the database that was replaced; None when it was discarded, or there was none."""

    kept_as: str | None


class Scratch(ABC):
    """A backup restored beside the database, and found sound."""

    contents: Contents

    @abstractmethod
    def update(self, statement: str, values: Sequence[object]) -> int:
        """Change the restored backup by a statement with `%s` for each value; how many rows it changed."""

    @abstractmethod
    def take_over(self, *, discard: bool) -> Replaced:
        """Put it in the place of the service's database, whose own is kept aside unless `discard`.

        Raises BackupFailure, with nothing changed, while anybody has the database open.
        """


class Database(ABC):
    """The service's own database."""

    name: str
    form: Form

    @abstractmethod
    def save(self, file: Path, report: Report) -> Contents:
        """Write all that is not disposable, as of one moment, while others go on writing; what was there then."""

    @abstractmethod
    def restored(self, file: Path, folder: Path, report: Report) -> AbstractContextManager[Scratch]:
        """The backup in a scratch place (on SQLite in `folder`) until the block ends.

        Raises Damaged when it cannot be restored, or contradicts itself.
        """

    @abstractmethod
    def what_stands(self) -> str | None:
        """The data that a restore would overwrite, in words; None if there are none."""

    @abstractmethod
    def require_unused(self) -> None:
        """Raise BackupFailure while the service, or anybody else, has the database open."""

    @property
    @abstractmethod
    def scratch_folder(self) -> Path | None:
        """The folder where a backup must be unpacked to take the database's place; None where it does not matter."""


def words(contents: Contents, users: int) -> str | None:
    """None when nothing is there that anybody made."""
    counted = {"facts": contents.facts, "keys": contents.keys, "rules": contents.rules, "users": users}
    told = [f"{number:,} {name}" for name, number in counted.items() if number]
    return ", ".join(told) or None
