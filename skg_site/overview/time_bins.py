"""Stretches of time of equal length, with names that are as short as they can be."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

MOST = 48
_LENGTHS = (
    *(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30)),
    *(timedelta(hours=hours) for hours in (1, 3, 6, 12)),
    *(timedelta(days=days) for days in (1, 2, 7, 14, 30, 90, 365, 3650)),
)
DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def bins(since: datetime, until: datetime, most: int = MOST) -> tuple[list[datetime], timedelta]:
    """The beginnings of at most `most` stretches that have everything between the two, and their length."""
    for length in _LENGTHS:
        first = _floor(since, length)
        count = (until - first) // length + 1
        if count <= most:
            return [first + place * length for place in range(count)], length
    raise ValueError("no such long time")


def names(begins: Sequence[datetime], length: timedelta) -> list[str]:
    """For each stretch, when it begins (UTC)."""
    if length >= 30 * DAY:
        return [f"{begin:%Y-%m}" for begin in begins]
    if length >= DAY:
        return [f"{begin.day} {begin:%b}" for begin in begins]
    if begins[-1] - begins[0] <= DAY:
        return [f"{begin:%H:%M}" for begin in begins]
    return [f"{begin.day} {begin:%b %H:%M}" for begin in begins]


def round_places(begins: Sequence[datetime], length: timedelta, most: int) -> list[int] | None:
    """The places of at most so many stretches, which begin at round times; None if there are hardly any."""
    for step in _LENGTHS:
        if step >= length and not step % length:
            found = [place for place, begin in enumerate(begins) if not (begin - EPOCH) % step]
            if len(found) <= most:
                return found if len(found) > 1 else None
    return None


def length_text(length: timedelta) -> str:
    """The length for people: `5 minutes`."""
    for name, unit in (("day", DAY), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        if length >= unit:
            number = length // unit
            return name if number == 1 else f"{number} {name}s"
    return "moment"


def _floor(moment: datetime, length: timedelta) -> datetime:
    return EPOCH + (moment - EPOCH) // length * length
