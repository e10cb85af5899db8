"""Keeps a second host from a SQLite file, whose locks and shared memory hold within one running kernel only.

The host that serves says so every few seconds in a file of the state folder. Another that finds it watches whether
that goes on: no clocks are compared, and the file that a host has left behind when it crashed delays the next for
some seconds and no longer. Containers of one kernel count as one host, whatever their names are, since between them
SQLite works.
"""

import asyncio
import os
import platform
import signal
from pathlib import Path
from time import monotonic, sleep, time_ns
from typing import NamedTuple

import structlog
from django.conf import settings

log = structlog.get_logger("skg.host")

BEAT_SECONDS = 2.0
# Three beats, and a while for a network's file system to show them.
WATCH_SECONDS = 8.0
LOOK_SECONDS = 0.5
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Occupied(Exception):
    """Another host serves this database; the message is a sentence for the operator."""


class Sign(NamedTuple):
    """A host's sign of life."""

    host: str
    beat: int


def this_host() -> str:
    """Another text after each start of the machine, the same in all of its containers."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return platform.node()


def claim() -> None:
    """Make this the host that serves the SQLite file, or raise `Occupied` when another one does."""
    if settings.ENV.database_url:
        return
    found = _last_sign()
    if found is not None and found.host != this_host():
        log.warning("other_host_was_here", advice=f"watching for {WATCH_SECONDS:.0f} seconds whether it still is")
        until = monotonic() + WATCH_SECONDS
        while monotonic() < until:
            sleep(LOOK_SECONDS)
            if _last_sign() != found:
                raise Occupied(
                    f"Another host serves {settings.ENV.db_path}. A SQLite file can be served by one host only: "
                    "stop the other, or use PostgreSQL (SKG_DATABASE_URL) for several."
                )
    _give_sign()


async def hold() -> None:
    """Give signs of life for as long as this is awaited; end this process when another host has taken over."""
    while not settings.ENV.database_url:
        await asyncio.sleep(BEAT_SECONDS)
        try:
            is_ours = await asyncio.to_thread(_beat)
        except OSError as error:
            log.warning("host_gives_no_sign", error=str(error))
            continue
        if not is_ours:
            log.critical("other_host_took_over", advice="this host stood still for too long; it stops")
            os.kill(os.getpid(), signal.SIGTERM)
            return


def _beat() -> bool:
    """Give a sign of life; whether nobody else has given one meanwhile."""
    found = _last_sign()
    if found is not None and found.host != this_host():
        return False
    _give_sign()
    return True


def _last_sign() -> Sign | None:
    try:
        host, beat = _file().read_text(encoding="utf-8").split()
    except (FileNotFoundError, ValueError):
        return None
    return Sign(host, int(beat))


def _give_sign() -> None:
    # In place and always as long as before, for which a full disk has room.
    descriptor = os.open(_file(), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(descriptor, f"{this_host()} {time_ns():020d}\n".encode(), 0)
    finally:
        os.close(descriptor)


def _file() -> Path:
    return settings.ENV.state_dir / "host"
