"""Reading one's own writes from a service whose database has replicas."""

import re
from collections.abc import Mapping
from threading import Lock

HEADER = "SKG-Snapshot"
_TOKEN = re.compile(r"([0-9A-F]{1,8})/([0-9A-F]{1,8})")


class Snapshot:
    """The newest state of the database that answers have named, which later reads must not be behind."""

    def __init__(self) -> None:
        self._newest = (0, 0)
        self._lock = Lock()

    @property
    def headers(self) -> dict[str, str]:
        """The headers that requests send; none until an answer has named one."""
        first, second = self._newest
        return {HEADER: f"{first:X}/{second:X}"} if (first, second) > (0, 0) else {}

    def note(self, headers: Mapping[str, str]) -> None:
        if found := _TOKEN.fullmatch(headers.get(HEADER, "")):
            position = int(found[1], 16), int(found[2], 16)
            # Answers come in any order, also to several threads.
            with self._lock:
                self._newest = max(self._newest, position)
