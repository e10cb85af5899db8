"""The queue of previews: a host works out one at a time, and for each asker only the newest request."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from time import monotonic, sleep

from django.conf import settings

# How often a waiting request checks whether its preview is still wanted.
POLL_SECONDS = 0.1
# Each preview before it takes a few seconds.
PATIENCE_SECONDS = 20.0


class Ticket:
    """A request for a preview. A file tells all workers of the host which request of an asker is the newest."""

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
def preview_lock(check: Callable[[], None]) -> Iterator[bool]:
    """Wait for the lock and hold it; False if that takes too long. An error that `check` raises ends the wait."""
    with (_folder() / "preview.lock").open("ab") as file:
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
