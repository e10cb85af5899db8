"""Where backups are kept: a folder here, or a bucket in `skg_site.ops.backups.s3`."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from skg_site.cli.progress import Report
from skg_site.ops.backups.failures import MISSING, BackupFailure
from skg_site.ops.backups.names import UNFINISHED

S3_SCHEME = "s3://"


class Place(ABC):
    @property
    @abstractmethod
    def work_folder(self) -> Path | None:
        """Where a backup is best made before it is put here; None for anywhere."""

    @abstractmethod
    def names(self) -> Iterable[str]: ...

    @abstractmethod
    def shown(self, name: str) -> str:
        """Where people find it."""

    @abstractmethod
    def put(self, file: Path, name: str, report: Report) -> None:
        """Move a file here; nobody sees it before it is whole and safe."""

    @abstractmethod
    def fetch(self, name: str, folder: Path, report: Report) -> Path:
        """The file, in `folder` if it is not on this machine; BackupFailure when there is none."""

    @abstractmethod
    def remove(self, name: str) -> None: ...


class FolderPlace(Place):
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def work_folder(self) -> Path:
        """What is finished here is put in its place by one rename."""
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
        _sync(file)
        file.replace(self._folder / name)
        _sync(self._folder)

    def fetch(self, name: str, folder: Path, report: Report) -> Path:
        file = self._folder / name
        if not file.is_file():
            raise BackupFailure(f"There is no {file}.", MISSING)
        return file

    def remove(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
