"""Storage of backups: in a folder, or in a bucket of S3 (`skg_site.ops.backups.s3`)."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from skg_site.cli.exit_codes import MISSING
from skg_site.cli.progress import Report
from skg_site.host.files import sync
from skg_site.ops.backups.names import UNFINISHED
from triples.store.backups.failures import BackupFailure

S3_SCHEME = "s3://"


class Storage(ABC):
    @property
    @abstractmethod
    def work_folder(self) -> Path | None:
        """The folder to make a backup in before it is put here; None if any folder will do."""

    @abstractmethod
    def names(self) -> Iterable[str]: ...

    @abstractmethod
    def shown(self, name: str) -> str:
        """The path or URL of a file here, for people."""

    @abstractmethod
    def put(self, file: Path, name: str, report: Report) -> None:
        """Move a file here. It gets its name when it is complete and safe on disk."""

    @abstractmethod
    def fetch(self, name: str, folder: Path, report: Report) -> Path:
        """The file, downloaded into `folder` if it is not on this machine. Raises BackupFailure if there is none."""

    @abstractmethod
    def remove(self, name: str) -> None: ...


class FolderStorage(Storage):
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def work_folder(self) -> Path:
        """The folder itself, so that a finished file gets its place by one rename."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise BackupFailure(f"{self._folder}: {error.strerror}.") from error
        return self._folder

    def names(self) -> Iterable[str]:
        with suppress(FileNotFoundError):
            return [file.name for file in self._folder.iterdir() if not file.name.startswith(UNFINISHED)]
        return []

    def shown(self, name: str) -> str:
        return str(self._folder / name)

    def put(self, file: Path, name: str, report: Report) -> None:
        sync(file)
        file.replace(self._folder / name)
        sync(self._folder)

    def fetch(self, name: str, folder: Path, report: Report) -> Path:
        file = self._folder / name
        if not file.is_file():
            raise BackupFailure(f"There is no {file}.", MISSING)
        return file

    def remove(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)
