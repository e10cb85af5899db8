"""Previews: what a rule would derive now, for a person who is about to save it."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Any, NamedTuple, Self

import orjson
import structlog
from django.conf import settings

from triples.recursion.rules import Rule, rule_document
from triples.runs.preview_queue import POLL_SECONDS, Ticket, preview_lock

# Who waits for a page does not wait longer.
SECONDS = 5.0
# Starting a process is not the rule's fault.
START_SECONDS = 30.0

log = structlog.get_logger("skg.recursion")


class Example(NamedTuple):
    subject: str
    predicate: str
    object: str
    weight: float


@dataclass(frozen=True, slots=True)
class Preview:
    """A number of facts beyond those that stand without the rule; `exact` is False where there are more."""

    count: int
    exact: bool
    # The heaviest of them; none if time ran out.
    examples: list[Example]
    # How often the rule was applied, to its own facts too, until nothing new came or time ran out.
    rounds: int
    in_time: bool

    @property
    def number(self) -> str:
        """The number of facts, in words."""
        if not self.exact and not self.count:
            # Too many are as heavy as the heaviest, so all were left out.
            return "more facts than a preview counts"
        facts = "1 fact" if self.count == 1 else f"{self.count:,} facts"
        if not self.in_time:
            return f"at least {facts}"
        return facts if self.exact else f"more than {facts}"

    @property
    def extent(self) -> str:
        """A sentence on how far they were counted; empty where one round found all of them."""
        rounds = "1 round" if self.rounds == 1 else f"{self.rounds:,} rounds"
        if not self.in_time:
            return f"These are of the first {rounds}; time was up after {SECONDS:g} seconds. A run goes on to the end."
        if self.rounds < 2 or not self.exact:
            return ""
        return f"The rule was applied to its own facts too, for {rounds}, until nothing new came. A run does the same."

    @property
    def content(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, content: dict[str, Any]) -> Self:
        """The preview that `content` describes."""
        examples = [Example(*example) for example in content["examples"]]
        return cls(content["count"], content["exact"], examples, content["rounds"], content["in_time"])


class NoPreview(Exception):
    """There is no preview; the message is a sentence that says why."""


class TooMuch(NoPreview):
    """The preview needs more time or memory than it may take."""

    def __init__(self) -> None:
        super().__init__(f"This could not be worked out within {SECONDS:g} seconds and the memory that a run may use.")


def preview(rule: Rule, *, asker: str, departed: Callable[[], bool]) -> Preview:
    """Apply the rule by itself, to its own facts too, on top of all other facts. Raises NoPreview.

    It is done by a process of its own, as runs are: the engine's memory is not a worker's. There is one at a time on a
    host. It ends at once when the same asker wants another one, or when `departed` says that nobody waits for it.
    The caller must be outside of any transaction.
    """
    ticket = Ticket(asker)

    def check() -> None:
        if departed():
            raise NoPreview("Nobody waits for it any more.")
        if not ticket.is_newest:
            raise NoPreview("Another preview that you asked for has taken the place of this one.")

    with preview_lock(check) as taken:
        if not taken:
            raise NoPreview("Others preview rules at this moment. Try again soon.")
        content = _derived(rule, check)
    if content["too_much"]:
        raise TooMuch
    return Preview.of(content)


def _derived(rule: Rule, check: Callable[[], None]) -> dict[str, Any]:
    """The output of the process, which is ended when `check` raises."""
    with subprocess.Popen(
        [sys.executable, "manage.py", "rules", "preview", "-", "--json"],
        cwd=settings.BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            answer, complaint = _awaited(process, orjson.dumps([rule_document(rule)]), check)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        log.error("preview_failed", error=complaint[-2000:].decode(errors="replace"))
        raise NoPreview("This could not be worked out; the service's log says why.")
    content: dict[str, Any] = orjson.loads(answer)
    return content


def _awaited(process: subprocess.Popen[bytes], document: bytes, check: Callable[[], None]) -> tuple[bytes, bytes]:
    """The output of the process, and its errors."""
    deadline = monotonic() + START_SECONDS + SECONDS
    given: bytes | None = document
    while True:
        try:
            return process.communicate(given, POLL_SECONDS)
        except subprocess.TimeoutExpired:
            # It is given once; what has not been sent by now is sent while the process is waited for.
            given = None
        check()
        if monotonic() > deadline:
            raise TooMuch
