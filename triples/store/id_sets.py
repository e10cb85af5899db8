"""Sets of ids of rows, of which there may be millions: a bit for each."""

from collections import defaultdict
from collections.abc import Iterable

_IDS_AT_ONCE = 1 << 16


class IdSet:
    def __init__(self) -> None:
        self._parts: dict[int, bytearray] = defaultdict(lambda: bytearray(_IDS_AT_ONCE // 8))

    def update(self, ids: Iterable[int]) -> None:
        for id_ in ids:
            part, place = divmod(id_, _IDS_AT_ONCE)
            self._parts[part][place >> 3] |= 1 << (place & 7)

    def __contains__(self, id_: int) -> bool:
        part, place = divmod(id_, _IDS_AT_ONCE)
        return part in self._parts and bool(self._parts[part][place >> 3] & 1 << (place & 7))
