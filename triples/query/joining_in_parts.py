"""Joins in parts: the facts of the first pattern are taken heaviest first, and the database joins each part of them.

Once there are k answers, only what may be as heavy as the last of them is joined, and a part whose heaviest fact
cannot make such an answer is the end. So joins with few answers cost little more than the database takes to look at
them. Those of very many answers are better found fact by fact: `triples.query.ranked_join`.
"""

from collections.abc import Callable, Iterator, Sequence

from triples.query.answers import Position, Ranking
from triples.query.blocks import Fact, OutOfTime
from triples.query.lookups import JoiningSource
from triples.query.parts_join import PartsJoin
from triples.query.questions import Question

# The facts in the first part, and in others, by how long the database takes to join them: in seconds.
FIRST, SMALLEST, LARGEST = 512, 64, 4_096
_SHORT, _LONG = 0.015, 0.1


def joined_in_parts(
    question: Question[int],
    order: Sequence[int],
    source: JoiningSource,
    *,
    k: int,
    after: Position | None = None,
    expired: Callable[[], bool] = lambda: False,
    first: int = FIRST,
) -> Ranking:
    """The first k answers that follow `after`, as `ranked` finds them; TooMany if a join has too many rows.

    `first` is how many facts are joined at first.
    """
    join = PartsJoin(question, order, source, k, after, expired)
    bound = 1.0
    try:
        for part in _parts(join, min(max(first, SMALLEST), LARGEST)):
            if join.greatest is not None:
                join.forget_lighter()
                bound = join.product((part[0].weight, *join.greatest[1:]))
                if bound < join.least:
                    break
            join.take(part)
    except OutOfTime:
        # Everything heavier than that is found, and of the rest something may be missing.
        return Ranking(join.page(above=bound), bound, join.read)
    everything = join.least == join.plan.min_weight
    return Ranking(join.page(), None, join.read, join.found if everything else None)


def _parts(join: PartsJoin, size: int) -> Iterator[Sequence[Fact]]:
    """The facts of the first pattern, as many at a time as take the database neither long nor no time."""
    ends = join.plan.steps[0].lookup.constants
    last: Fact | None = None
    while True:
        join.clock.check()
        block = join.source.block(ends, last, size)
        join.read += len(block)
        part = [fact for fact in block if fact.weight > 0]
        if not part:
            return
        yield part
        if len(part) < size:
            return
        last = block[-1]
        if not join.know_greatest():
            return
        if join.seconds < _SHORT:
            size = min(2 * size, LARGEST)
        elif join.seconds > _LONG:
            size = max(size // 2, SMALLEST)
