"""How many requests a worker takes on at a time, learnt from how long those that it took on had to wait."""

# What is let in however slow it goes: a few slow requests at once are no overload.
LEAST = 32
# What is let in before anything has been learnt.
AT_FIRST = 1024
# How much more is let in, at a time, when the limit proves too low.
MOST_GROWTH = 1.5


class Gate:
    """Holds the wait of what is let in near `patience` seconds, by refusing what comes when it is full.

    What is inside, divided by the answers a second, is how long each waits (Little's law). So the limit is
    the answers a second times the patience, measured while waits are too long; where requests are refused
    although waits are short, it grows. Because what counts is the number inside, and not a wait seen a while
    ago, there is always just enough to do, and the first request after a peak is let in.
    """

    __slots__ = ("_answered", "_patience", "_quiet", "_refused", "_waited", "inside", "limit")

    def __init__(self, patience: float) -> None:
        self.limit: float = AT_FIRST
        self.inside = 0
        self._patience = patience
        self._refused = 0
        self._answered = 0
        self._waited = 0.0
        # Seconds for which nothing has been answered although there was much to do.
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
        """The client of a request that is inside went away."""
        self.inside -= 1

    def adjust(self, elapsed: float, lag: float) -> None:
        """Learn from the last `elapsed` seconds; what arrived in them lay unseen for `lag` seconds on average."""
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
