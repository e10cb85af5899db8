"""Durations as people write and read them."""

import re
from datetime import timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_duration(text: str) -> timedelta:
    """Read `90s`, `15m`, `12h` or `30d`; ValueError for anything else."""
    match = re.fullmatch(r"(\d{1,5})([smhd])", text.strip(), re.ASCII)
    if match is None:
        raise ValueError(f"{text!r} is no length of time such as 90s, 15m, 12h or 30d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def duration_text(seconds: float) -> str:
    """The duration in its two greatest units, such as `3 d 4 h`."""
    rest, parts = round(abs(seconds)), []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        number, rest = divmod(rest, size)
        if number:
            parts.append(f"{number} {unit}")
    return " ".join(parts[:2]) or "0 s"
