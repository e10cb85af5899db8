"""Joins in parts: the facts of the first pattern are taken heaviest first, and the database joins each part of them.

Once there are k answers, only what may be as heavy as the last of them is joined, and a part whose heaviest fact
cannot make such an answer is the end. So joins with few answers cost little more than the database takes to look at
them. Those of very many answers are better found fact by fact: `triples.query.ranked_join`.
"""

from math import inf, isqrt, nextafter
from typing import NamedTuple

from triples.query.answers import Ranking
from triples.query.blocks import OutOfTime, TooMany
from triples.query.lookups import Between, OfWeight, Part
from triples.query.parts_join import PartsJoin

# The facts in the first part, and in others, by how long the database takes to join them: in seconds.
FIRST, SMALLEST, LARGEST = 512, 64, 16_384
# A part is wide if it has more than one of so many of all facts; it may have more facts than others.
WIDE, LARGEST_WIDE = 8, 131_072
# How many times more facts are joined than should have the answers that are wanted; and once there are enough of these,
# than so far, since each wide part takes the time to go through all objects.
_SPARE, _GROWTH = 1.5, 3
_SHORT, _LONG = 0.015, 0.1
# The facts of one weight that are too many to be joined for the sake of their terms alone.
_MANY = 4_000
# What it costs to find a term in order, and to read an answer, in facts that are joined.
_TERM, _ANSWER = 3, 2


class OnlyTies(Exception):
    """There are enough answers of the greatest weight; which of them come first is still to be found."""


class _Begin(NamedTuple):
    """The facts of the first pattern that are left: at most of this weight, and of this, only those after an id."""

    weight: float
    after: int | None = None


class _Next(NamedTuple):
    part: Part
    # The weight of its heaviest fact, or more.
    heaviest: float
    # None if it is the last.
    following: _Begin | None


def joined_in_parts(join: PartsJoin, facts: int, *, first: int = FIRST, by_term: int | None = None) -> Ranking:
    """The first answers of a join, as `ranked` finds them; TooMany if it has too many rows.

    `facts` is how many the first pattern has, and `first` how many are joined at first. With `by_term`, the number of
    facts that have the first selected term, raises OnlyTies once there are enough answers of the greatest weight, and
    the first of them by their terms are found faster in the order of these.
    """
    size = min(max(first, SMALLEST), LARGEST)
    begin: _Begin | None = _Begin(1.0)
    bound, taken = 1.0, 0
    # The least number of facts in a wide part.
    wide = facts // WIDE if join.scans_objects else inf
    try:
        while begin is not None and (part := _next(join, begin, size, wide=size > wide)) is not None:
            if join.greatest is not None:
                join.forget_lighter()
                bound = join.product((part.heaviest, *join.greatest[1:]))
                if bound < join.least:
                    break
                tied = join.least == join.product(join.greatest)
                if by_term is not None and tied and _has(join, begin, _worth(join, taken, by_term)):
                    raise OnlyTies
            try:
                join.take(part.part)
            except TooMany:
                if join.greatest is None or size == 1:
                    raise
                size = max(size // 4, 1)
                continue
            taken += size
            begin = part.following
            if begin is not None and not join.know_greatest():
                break
            size = _size(join.seconds, size)
            if (needed := _needed(join, taken, facts)) > wide:
                size = max(size, min(needed, LARGEST_WIDE))
    except OutOfTime:
        # Everything heavier than that is found, and of the rest something may be missing.
        return Ranking(join.page(above=bound), bound, join.read)
    everything = join.least == join.plan.min_weight
    return Ranking(join.page(), None, join.read, join.found if everything else None)


def _worth(join: PartsJoin, taken: int, terms: int) -> int:
    """How many facts must be left, so that it costs less to find the first answers in the order of these terms."""
    # What a fact costs with its answers, if these are as many as before.
    cost = 1 + _ANSWER * join.found / taken
    # Of so many facts, the answers let expect that fewer terms are needed.
    many = isqrt(int(_TERM * terms * join.wanted * taken / (join.found * cost)))
    return max(int(_MANY / cost), many)


def _has(join: PartsJoin, begin: _Begin, number: int) -> bool:
    """True if more than this number of facts of the same weight are left."""
    ends = join.plan.steps[0].lookup.constants
    if begin.after is not None:
        return join.source.id_at(ends, begin.weight, begin.after, number) is not None
    return join.source.weight_at(ends, begin.weight, number) == join.source.weight_at(ends, begin.weight, 0)


def _size(seconds: float, size: int) -> int:
    """The number of facts for the next part, so that it takes the database neither long nor no time."""
    if seconds < _SHORT:
        return min(2 * size, LARGEST)
    return max(size // 2, SMALLEST) if seconds > _LONG else size


def _needed(join: PartsJoin, taken: int, facts: int) -> int:
    """How many facts must still be joined, as far as can be told; at most all of them."""
    if join.found >= join.wanted:
        # What is joined after that may be bounded better.
        return _GROWTH * taken
    return min(facts, int(_SPARE * taken * join.wanted / max(join.found, 1)))


def _next(join: PartsJoin, begin: _Begin, size: int, *, wide: bool) -> _Next | None:
    """The next part, of so many facts or a few more; None if there are no more facts."""
    join.clock.check()
    source, ends = join.source, join.plan.steps[0].lookup.constants
    weight, after = begin
    if after is None:
        below = source.weight_at(ends, weight, size)
        if below is None:
            return _Next(Between(weight, 0.0, wide), weight, None)
        heaviest = source.weight_at(ends, weight, 0) or weight
        if below < heaviest:
            return _Next(Between(heaviest, below, wide), heaviest, _Begin(below))
        weight, after = heaviest, 0
    last = source.id_at(ends, weight, after, size - 1)
    following = _Begin(nextafter(weight, 0.0)) if last is None else _Begin(weight, last)
    return _Next(OfWeight(weight, after, last, wide), weight, following)
