"""Names of backups. A name holds the database, the time at which the backup began, and the file format."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple, Self

from triples.store.backups.databases import Form

CHECKSUM = ".sha256"
# In front of the name of a file that is not complete yet.
UNFINISHED = ".unfinished-"

_NAME = re.compile(rf"([A-Za-z0-9_.-]+)-(\d{{8}}T\d{{6}}\.\d{{3}}Z)({'|'.join(map(re.escape, Form))})", re.ASCII)


class BackupName(NamedTuple):
    database: str
    moment: str
    form: str

    @classmethod
    def new(cls, database: str, form: str) -> Self:
        """The name of a backup that begins now."""
        return cls(re.sub(r"[^A-Za-z0-9_.-]", "_", database), _now(), form)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read a file name; None if it is not that of a backup."""
        match = _NAME.fullmatch(text)
        return cls(*match.groups()) if match else None

    @property
    def is_of_the_future(self) -> bool:
        """True if this host's clock is wrong, or was when the backup was made."""
        return self.moment > _now()

    def __str__(self) -> str:
        return f"{self.database}-{self.moment}{self.form}"


def _now() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"[:-3] + "Z"


def newest_first(names: Iterable[str]) -> list[BackupName]:
    """The backups among these files, the newest first."""
    found = [name for text in names if (name := BackupName.parse(text)) is not None]
    return sorted(found, key=lambda name: name.moment, reverse=True)
