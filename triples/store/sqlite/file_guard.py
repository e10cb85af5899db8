"""Keeps a process from acknowledging writes into files that are no longer the database's.

SQLite goes on writing into files that were removed or replaced. Such commits are lost when the last process closes the
files. So each connection remembers which files it opened, and after every commit, before it is acknowledged, it checks
that they are still in place. A service also records its files (`triples.store.sqlite.service_record`), so that no
process opens others while it runs: two databases would share one index of the log, which damages both.
"""

import os
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

import structlog
from django.conf import settings

from skg_site.host.unfit_database import UnfitDatabase
from triples.store.sqlite import service_record as record
from triples.store.sqlite.file_identity import Files, are_in_place, find_files
from triples.store.sqlite.wal_check import contradiction

log = structlog.get_logger("skg.database")

LOST = (
    "The files of the database were removed or replaced while the service runs. Nothing is stored until they are back "
    "and the service is restarted; its log says what can be done."
)
ADVICE = (
    "keep the processes running: while they do, the removed files can be copied from /proc/PID/fd; then put the right "
    "files back and restart the service"
)
FOLDED_ADVICE = "the log was removed; what it held was carried over into the database. Restart the service"
_FROM_OUTSIDE = (
    "The files of the database were removed or replaced under a running service. Stop the service and put the right "
    "files back, then try again."
)
_CONTRADICTION = (
    "The database is not opened: {reason}. Put the files back that belong together, restore a backup (manage.py "
    "restore), or, if what the log holds may be lost, move the log aside: manage.py migrate --set-log-aside."
)

# Another process that checks for a service holds the record for a moment.
_ATTEMPTS = 5


class _Service:
    """The files that this process serves, and an open connection, so that SQLite does not remove the log."""

    def __init__(self, database: str, keeper: sqlite3.Connection, descriptor: int) -> None:
        self.database = database
        self.files = find_files(database)
        self.is_lost = False
        self._keeper = keeper
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def look(self) -> None:
        """Check the files. If they are not in place, save what can be saved and raise UnfitDatabase."""
        if are_in_place(self.files, self.database):
            return
        with self._lock:
            advice = FOLDED_ADVICE if self._fold() else ADVICE
            if not self.is_lost:
                self.is_lost = True
                log.critical("database_files_lost", database=self.database, pid=os.getpid(), advice=advice)
        raise UnfitDatabase(LOST)

    def end(self) -> None:
        with self._lock:
            self._keeper.close()
        os.close(self._descriptor)

    def _fold(self) -> bool:
        """Copy the log into the database, which is still in place, if only the log was removed."""
        found = find_files(self.database)
        if found.database != self.files.database or found.log is not None or found.shared != self.files.shared:
            return False
        with suppress(sqlite3.Error):
            # Readers may prevent it; every check tries again.
            [(_, frames, carried_over)] = self._keeper.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            return bool(frames == carried_over)
        return False


_services: dict[str, _Service] = {}
_examined: set[str] = set()


def serve(database: str) -> None:
    """Begin to serve the database in this process, until `end_service`.

    Raises UnfitDatabase if its files contradict each other or are not those that other processes serve, and
    sqlite3.Error if it cannot be opened.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        descriptor, is_first = record.join(_record())
        try:
            _services[database] = _begin(database, descriptor, is_first=is_first)
        except UnfitDatabase:
            os.close(descriptor)
            if is_first or attempt == _ATTEMPTS:
                raise
        except BaseException:
            os.close(descriptor)
            raise
        else:
            return


def serves(database: str) -> bool:
    return database in _services


def end_service(database: str) -> None:
    if (service := _services.pop(database, None)) is not None:
        service.end()


def _begin(database: str, descriptor: int, *, is_first: bool) -> _Service:
    noted = record.read_record(descriptor)
    if is_first:
        _require_no_contradiction(database, noted)
    elif noted is None or not are_in_place(noted.files, database):
        raise UnfitDatabase(_FROM_OUTSIDE)
    service = _Service(database, _connect(database), descriptor)
    if is_first:
        record.settle(descriptor, service.files)
    return service


def _connect(database: str) -> sqlite3.Connection:
    options = settings.DATABASES["default"]["OPTIONS"]
    keeper = sqlite3.connect(database, timeout=options["timeout"], isolation_level=None, check_same_thread=False)
    try:
        keeper.executescript(options["init_command"])
        # The log is opened by the first read.
        keeper.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
    except BaseException:
        keeper.close()
        raise
    return keeper


def require_fit(database: str) -> None:
    """Raise UnfitDatabase unless these are the right files to open; for use before a connection is opened."""
    if (service := _services.get(database)) is not None:
        service.look()
        return
    with record.opened(_record()) as descriptor:
        noted = None if descriptor is None else record.read_record(descriptor)
        if descriptor is not None and record.is_served(descriptor):
            if noted is not None and not are_in_place(noted.files, database):
                raise UnfitDatabase(_FROM_OUTSIDE)
            return
    _require_no_contradiction(database, noted)


def require_in_place(database: str, opened: Files | None) -> None:
    """Raise UnfitDatabase unless the commit just made went into files that are still the database's.

    `opened` are the files of the connection. A service opens only the files that it serves, so those are checked.
    """
    if (service := _services.get(database)) is not None:
        service.look()
    elif opened is not None and not are_in_place(opened, database):
        raise UnfitDatabase(LOST)


def look_after(database: str) -> None:
    """Check that the service's files are in place, also while nothing is written."""
    if (service := _services.get(database)) is not None:
        with suppress(UnfitDatabase):
            service.look()


def why_not(database: str) -> str | None:
    """The reason why the log next to a database without a service cannot belong to it; None if it can."""
    with record.opened(_record()) as descriptor:
        noted = None if descriptor is None else record.read_record(descriptor)
    return _contradiction(database, noted)


def is_served() -> bool:
    with record.opened(_record()) as descriptor:
        return descriptor is not None and record.is_served(descriptor)


def _require_no_contradiction(database: str, noted: record.Record | None) -> None:
    # Checked once: a process must not open its open files again (`triples.store.sqlite.file_identity`).
    if database not in _examined:
        if (reason := _contradiction(database, noted)) is not None:
            raise UnfitDatabase(_CONTRADICTION.format(reason=reason))
        _examined.add(database)


def _contradiction(database: str, noted: record.Record | None) -> str | None:
    if noted is None:
        return contradiction(Path(database), None, same_boot=False)
    return contradiction(Path(database), noted.files, same_boot=noted.is_of_this_boot)


def _record() -> Path:
    folder: Path = settings.ENV.state_dir
    return folder / "database"
