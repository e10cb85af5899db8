"""What a rule would derive now, for who is about to save it."""

import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Self

import orjson
from django.conf import settings

from triples.recursion.rules import Rule, rule_document

# Who waits for a page does not wait longer.
SECONDS = 5.0
# Starting a process is not the rule's fault.
START_SECONDS = 15.0


class Example(NamedTuple):
    subject: str
    predicate: str
    object: str
    weight: float


@dataclass(frozen=True, slots=True)
class Preview:
    """How many facts beyond those that stand without the rule; `exact` is False where there are more."""

    count: int
    exact: bool
    # The heaviest of them.
    examples: list[Example]

    @property
    def content(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, content: dict[str, Any]) -> Self:
        """The preview that `content` describes."""
        return cls(content["count"], content["exact"], [Example(*example) for example in content["examples"]])


class TooLong(Exception):
    """The preview could not be made in the time that a reader waits."""


def preview(rule: Rule) -> Preview:
    """Apply the rule by itself, to its own facts too, on top of all other facts. Raises TooLong.

    It is done by a process of its own, as runs are: the engine's memory is not a worker's.
    """
    command = [sys.executable, "manage.py", "rules", "preview", "-", "--json"]
    try:
        done = subprocess.run(  # noqa: S603  # the command is this project's own
            command,
            cwd=settings.BASE_DIR,
            input=orjson.dumps([rule_document(rule)]),
            capture_output=True,
            timeout=START_SECONDS + SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise TooLong from None
    content = orjson.loads(done.stdout)
    if content["too_long"]:
        raise TooLong
    return Preview.of(content)
