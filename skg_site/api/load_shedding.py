"""Load shedding: the limit of the requests that a worker answers at a time, adapted to their waiting times."""

# The least limit: a few slow requests at once are no overload.
LEAST = 32
# The limit before the first measurement.
AT_FIRST = 1024
# The largest factor by which the limit grows at a time.
MOST_GROWTH = 1.5


class Gate:
    """Keeps the waiting time of admitted requests near `patience` seconds, by refusing requests while it is full.

    The number of admitted requests divided by the answers a second is their waiting time (Little's law). So the limit
    is the answers a second times the patience, measured while waiting times are too long. The limit grows if requests
    are refused although waiting times are short. Since the current number counts, and not an older waiting time, the
    worker always has enough to do, and the first request after a peak is admitted.
    """

    __slots__ = ("_answered", "_patience", "_quiet", "_refused", "_waited", "inside", "limit")

    def __init__(self, patience: float) -> None:
        self.limit: float = AT_FIRST
        self.inside = 0
        self._patience = patience
        self._refused = 0
        self._answered = 0
        self._waited = 0.0
        # Seconds without an answer although there was much to do.
        self._quiet = 0.0

    @property
    def is_full(self) -> bool:
        return self.inside >= self.limit

    def refuse(self) -> None:
        self._refused += 1

    def enter(self) -> None:
        self.inside += 1

    def leave(self, waited: float) -> None:
        self.inside -= 1
        self._answered += 1
        self._waited += waited

    def abandon(self) -> None:
        """The client of an admitted request disconnected."""
        self.inside -= 1

    def adjust(self, elapsed: float, lag: float) -> None:
        """Adapt the limit to the last `elapsed` seconds, in which requests waited `lag` seconds unseen."""
        if self._answered:
            self._quiet = 0.0
            self._learn(self._waited / self._answered, lag, self._answered / elapsed)
        elif self.inside >= LEAST:
            self._quiet += elapsed
            if self._quiet > self._patience:
                self.limit = LEAST
        self._refused = self._answered = 0
        self._waited = 0.0

    def _learn(self, inside: float, unseen: float, rate: float) -> None:
        wait = inside + unseen
        if wait > self._patience:
            self.limit = max(LEAST, rate * max(self._patience - unseen, self._patience / 2))
        elif self._refused:
            self.limit *= MOST_GROWTH if wait * MOST_GROWTH < self._patience else self._patience / wait
