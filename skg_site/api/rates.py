"""Rates: a number of requests in a period."""

import re
from typing import NamedTuple

_PERIODS = {"s": 1, None: 60, "m": 60, "h": 3600}
_UNITS = {1: "s", 60: "m", 3600: "h"}
_WORDS = {1: "a second", 60: "a minute", 3600: "an hour"}


class Rate(NamedTuple):
    """A number of requests in a number of seconds; zero requests means no limit."""

    requests: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """The rate that `100` (a minute), `100/s`, `100/m`, `100/h` or `0` means; ValueError for any other text."""
        match = re.fullmatch(r"(\d{1,9})(?:/([smh]))?", text.strip(), re.ASCII)
        if match is None:
            raise ValueError("must be a number a minute such as 100, or 100/s, 100/m, 100/h, or 0 for no limit")
        return cls(int(match[1]), _PERIODS[match[2]])

    @property
    def in_words(self) -> str:
        """Such as `100 requests a minute`."""
        return f"{self.requests:,} request{'s' if self.requests > 1 else ''} {_WORDS[self.seconds]}"

    def __str__(self) -> str:
        return f"{self.requests}/{_UNITS[self.seconds]}" if self.requests else "0"
