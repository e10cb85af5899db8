"""A record of how the primary's log has grown, by which a replica's lag is measured."""

from bisect import bisect_right

# With a look each second: a lag is known up to ten minutes.
_REMEMBERED = 600


class PrimaryLog:
    """Positions of the primary, and the times at which they were seen first.

    So an idle primary makes no replica seem to lag, as it would with the time of the last replayed transaction.
    """

    def __init__(self) -> None:
        self._positions: list[int] = []
        self._times: list[float] = []

    def note(self, position: int, now: float) -> None:
        if self._positions and position < self._positions[-1]:
            # Another server has become the primary, or an older copy.
            self._positions, self._times = [], []
        if not self._positions or position > self._positions[-1]:
            self._positions.append(position)
            self._times.append(now)
            del self._positions[:-_REMEMBERED], self._times[:-_REMEMBERED]

    def lag(self, replayed: int, now: float) -> float:
        """Seconds since the primary was seen at a position that a replica has not reached; 0 if it has reached all."""
        place = bisect_right(self._positions, replayed)
        return now - self._times[place] if place < len(self._times) else 0.0
