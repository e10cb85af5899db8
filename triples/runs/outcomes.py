"""The progress reports and the outcome of a run."""

from dataclasses import dataclass, field
from typing import Protocol

from triples.models import RunStatus
from triples.recursion.counts import Counts


class Watcher(Protocol):
    """A listener to the progress of a run. It is called from the run's own thread."""

    def stage(self, name: str, done: int, total: int | None) -> None:
        """`reading` facts, or `writing` steps."""

    def round(self, number: int, new: int, improved: int, total: int, seconds: float) -> None:
        """A round of inference has ended."""


class TimedOut(Exception):
    """The run took longer than it may; nothing was written."""


class Cancelled(Exception):
    """Somebody has cancelled the run; nothing was written."""


@dataclass(slots=True)
class Outcome:
    """The outcome of a run."""

    status: RunStatus
    mode: str = ""
    counts: Counts = field(default_factory=lambda: Counts(0, 0, 0))
    facts: int = 0
    complete_above: float | None = None
    seconds: dict[str, float] = field(default_factory=dict)
