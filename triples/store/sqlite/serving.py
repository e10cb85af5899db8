"""SQLite: how a worker guards the database's files, from its start to its end."""

import asyncio
import sqlite3

import structlog
from django.conf import settings

from skg_site.host.unfit_database import UnfitDatabase
from triples.store.sqlite import file_guard as guard

log = structlog.get_logger("skg.database")

LOOK_SECONDS = 1.0


def begin() -> None:
    """Begin to serve. If the files cannot be opened yet, `watch` tries again."""
    try:
        guard.serve(_database())
    except (sqlite3.Error, OSError) as error:
        log.warning("database_not_opened", error=str(error))


async def watch() -> None:
    """Check the files every second: without writes, nothing else would notice that one is gone."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        await asyncio.to_thread(_look)


def end() -> None:
    guard.end_service(_database())


def _look() -> None:
    if guard.serves(_database()):
        guard.look_after(_database())
        return
    try:
        begin()
    except UnfitDatabase as error:
        log.error("unfit_database", error=str(error))  # noqa: TRY400  # the sentence says it all


def _database() -> str:
    return str(settings.DATABASES["default"]["NAME"])
