"""What a backup is called: which database it is of, when it was begun, and in which form it is kept."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple, Self

SQLITE = ".sqlite.zst"
POSTGRESQL = ".pgdump"
CHECKSUM = ".sha256"
# In front of a name, until all is there.
UNFINISHED = ".unfinished-"

_NAME = re.compile(r"([A-Za-z0-9_.-]+)-(\d{8}T\d{6}\.\d{3}Z)(\.sqlite\.zst|\.pgdump)", re.ASCII)


class BackupName(NamedTuple):
    database: str
    moment: str
    form: str

    @classmethod
    def new(cls, database: str, form: str) -> Self:
        """One that begins now."""
        moment = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"[:-3] + "Z"
        return cls(re.sub(r"[^A-Za-z0-9_.-]", "_", database), moment, form)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None for a file that no backup is called."""
        match = _NAME.fullmatch(text)
        return cls(*match.groups()) if match else None

    def __str__(self) -> str:
        return f"{self.database}-{self.moment}{self.form}"


def newest_first(names: Iterable[str]) -> list[BackupName]:
    """The backups among these files."""
    found = [name for text in names if (name := BackupName.parse(text)) is not None]
    return sorted(found, key=lambda name: name.moment, reverse=True)
