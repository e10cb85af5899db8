"""Lengths of time as people write them on a command line."""

import re
from datetime import timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_duration(text: str) -> timedelta:
    """Read `90s`, `15m`, `12h` or `30d`; ValueError for anything else."""
    match = re.fullmatch(r"(\d{1,5})([smhd])", text.strip(), re.ASCII)
    if match is None:
        raise ValueError(f"{text!r} is no length of time such as 90s, 15m, 12h or 30d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
