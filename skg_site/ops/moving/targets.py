"""The database that a graph is copied to: its URL, whether it may be filled, and its tables."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from triples.store.backend import backend_of
from triples.store.copying.failures import CopyFailure
from triples.store.copying.side import Side

_POSTGRESQL = ("postgresql://", "postgres://")
_SQLITE = "sqlite:///"
# What somebody has made; the rest is there after a migration.
_HOLDINGS = {
    "facts": "triples_triple",
    "keys": "apikeys_apikey",
    "rules": "triples_rule",
    "users": "auth_user",
}


@dataclass(frozen=True, slots=True)
class Target:
    kind: str
    # A URL, or the path of a SQLite file.
    place: str

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Read a URL. The message of its ValueError does not repeat it, since it may hold a password."""
        if text.startswith(_POSTGRESQL):
            return cls("postgresql", text)
        if text.startswith(_SQLITE) and len(text) > len(_SQLITE):
            return cls("sqlite", str(Path(text.removeprefix(_SQLITE)).resolve()))
        raise ValueError("must be a URL such as postgresql://user@host/name, or sqlite:///path")

    @property
    def folder(self) -> Path | None:
        """The folder in which a new SQLite database is made."""
        return Path(f"{self.place}.copying") if self.kind == "sqlite" else None

    @property
    def stands(self) -> bool:
        """True if there is a SQLite file of this name."""
        return self.folder is not None and Path(self.place).exists()

    @property
    def is_made(self) -> bool:
        """True if there is a database to connect to: a complete one or, on SQLite, an unfinished one."""
        return self.folder is None or self.stands or (self.folder / Path(self.place).name).exists()

    @property
    def shown(self) -> str:
        """For people, without a password."""
        return self.place if self.folder is not None else "the target"

    def open(self) -> Side:
        if not self.is_made:
            raise CopyFailure(f"There is no {self.place}.")
        return backend_of(self.kind).other_side(self.place, None if self.stands else self.folder)

    def migrate(self) -> None:
        """Make or update the tables, in a process that has the target for its database."""
        path = settings.ENV.db_path
        if self.folder is not None:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self.folder / Path(self.place).name
        # Without what is said of the source's database elsewhere, such as in a mounted file.
        variables = {name: value for name, value in os.environ.items() if not name.startswith("SKG_DATABASE_")}
        variables |= {"SKG_DB_PATH": str(path), "SKG_DATABASE_URL": "" if self.folder else self.place}
        done = subprocess.run(  # the command is this project's own
            [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity=0"],
            cwd=settings.BASE_DIR,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["it says nothing"]
            raise CopyFailure(f"The target could not be migrated: {said[-1]}")

    def remove_unfinished(self) -> None:
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def holdings(side: Side) -> str | None:
    """The contents of a database that has no record of a copy, in words; None if there are none."""
    names = side.table_names()
    if not names:
        return None
    if "django_migrations" not in names:
        return "tables of something else"
    counted = {word: side.count(table) for word, table in _HOLDINGS.items() if table in names}
    return ", ".join(f"{number:,} {word}" for word, number in counted.items() if number) or None
