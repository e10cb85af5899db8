"""Protection of a SQLite file from a second host: its locks and shared memory work within one running kernel only.

The serving host writes a heartbeat to a file of the state folder every few seconds. A host that finds the file of
another watches whether the heartbeat goes on, so no clocks are compared, and the file of a host that crashed delays
the next one for a few seconds only. The containers of one kernel count as one host, whatever their names are, since
SQLite works between them.
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
# Three heartbeats, and some time for a network file system to show them.
WATCH_SECONDS = 8.0
LOOK_SECONDS = 0.5
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Occupied(Exception):
    """Another host serves this database; the message is a sentence for the operator."""


class Heartbeat(NamedTuple):
    """A heartbeat of a host."""

    host: str
    beat: int


def this_host() -> str:
    """The id of the running kernel: new after each start of the machine, and the same in all of its containers."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return platform.node()


def claim() -> None:
    """Make this the host that serves the SQLite file. Raises Occupied if another host does."""
    if settings.ENV.database_url:
        return
    found = _last_heartbeat()
    if found is not None and found.host != this_host():
        log.warning("other_host_was_here", advice=f"watching for {WATCH_SECONDS:.0f} seconds whether it still serves")
        until = monotonic() + WATCH_SECONDS
        while monotonic() < until:
            sleep(LOOK_SECONDS)
            if _last_heartbeat() != found:
                raise Occupied(
                    f"Another host serves {settings.ENV.db_path}. A SQLite file can be served by one host only: "
                    "stop the other, or use PostgreSQL (SKG_DATABASE_URL) for several."
                )
    _write_heartbeat()


async def hold() -> None:
    """Write heartbeats for as long as this is awaited. Ends this process when another host has taken over."""
    while not settings.ENV.database_url:
        await asyncio.sleep(BEAT_SECONDS)
        try:
            is_ours = await asyncio.to_thread(_beat)
        except OSError as error:
            log.warning("host_gives_no_sign", error=str(error))
            continue
        if not is_ours:
            log.critical("other_host_took_over", advice="this host did not respond for too long; it stops")
            os.kill(os.getpid(), signal.SIGTERM)
            return


def _beat() -> bool:
    """Write a heartbeat, unless another host has written one. Returns False in that case."""
    found = _last_heartbeat()
    if found is not None and found.host != this_host():
        return False
    _write_heartbeat()
    return True


def _last_heartbeat() -> Heartbeat | None:
    try:
        host, beat = _file().read_text(encoding="utf-8").split()
    except (FileNotFoundError, ValueError):
        return None
    return Heartbeat(host, int(beat))


def _write_heartbeat() -> None:
    # Written in place and always of the same length, for which even a full disk has room.
    descriptor = os.open(_file(), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(descriptor, f"{this_host()} {time_ns():020d}\n".encode(), 0)
    finally:
        os.close(descriptor)


def _file() -> Path:
    return settings.ENV.state_dir / "host"
