"""The mix of a load: its kinds of work and their proportions."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from random import Random


class Work(StrEnum):
    QUERY = "query"
    ADD = "add"
    BATCH = "batch"


Mix = Mapping[Work, int]

LARGEST = 1000


def parse_mix(text: str) -> Mix:
    """Read a mix such as `query=80,add=15,batch=5`. The message of the ValueError says what is wrong."""
    mix: dict[Work, int] = {}
    for part in text.split(","):
        name, _, number = part.strip().partition("=")
        if name not in set(Work):
            raise ValueError(f"{name!r} is none of {', '.join(Work)}")
        if Work(name) in mix:
            raise ValueError(f"{name} is there twice")
        if not (number.isascii() and number.isdigit() and int(number) <= LARGEST):
            raise ValueError(f"{name} needs a whole number up to {LARGEST}, as in {name}=5")
        mix[Work(name)] = int(number)
    if not any(mix.values()):
        raise ValueError("something must be above 0")
    return {work: number for work, number in mix.items() if number}


def endless_work(mix: Mix, random: Random) -> Iterator[Work]:
    """Kinds of work without end: each round has exactly these proportions, in random order."""
    round_ = [work for work, number in mix.items() for _ in range(number)]
    while True:
        random.shuffle(round_)
        yield from round_
