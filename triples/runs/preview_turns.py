"""Whose preview is worked out: one at a time on a host, and for each asker the one that was asked for last."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from time import monotonic, sleep

from django.conf import settings

# How often those who wait look whether it is still of use.
POLL_SECONDS = 0.1
# Others take a few seconds each.
PATIENCE_SECONDS = 20.0


class Ticket:
    """A request for a preview. The workers of a host know from a file which one of an asker is the newest."""

    def __init__(self, asker: str) -> None:
        self._token = token_hex(8)
        self._file = _folder() / f"{asker}.newest"
        written = self._file.with_suffix(f".{self._token}")
        written.write_text(self._token, encoding="ascii")
        written.replace(self._file)

    @property
    def is_newest(self) -> bool:
        return self._file.read_text(encoding="ascii") == self._token


@contextmanager
def turn(check: Callable[[], None]) -> Iterator[bool]:
    """Wait for the turn and hold it; False when that takes too long. What `check` raises ends the wait."""
    with (_folder() / "turn.lock").open("ab") as file:
        deadline = monotonic() + PATIENCE_SECONDS
        while not (taken := _locked(file.fileno())) and monotonic() < deadline:
            check()
            sleep(POLL_SECONDS)
        yield taken


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _folder() -> Path:
    folder: Path = settings.ENV.state_dir / "previews"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
