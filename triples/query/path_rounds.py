"""Rounds of a search for paths: all paths that are heavy are found, then those that are a little lighter, and so on."""

from collections.abc import Iterator
from dataclasses import replace
from math import inf

from triples.query.blocks import Clock, OutOfTime
from triples.query.known_paths import known_paths
from triples.query.lookups import JoiningSource
from triples.query.path_facts import PathQuestion, Paths, Rank
from triples.query.path_limit import Limit
from triples.query.path_reads import Reads
from triples.query.path_round import Round
from triples.query.path_steps import Known
from triples.query.path_weights import weights_to_try

# Between a weight and what was tried before it, there may be a further round if they are as far apart as this.
_FAR, _NEAR = 0.25, 0.95


class Rounds:
    """The facts that are read in a round are known in the next one."""

    def __init__(self, question: PathQuestion, source: JoiningSource, clock: Clock) -> None:
        self._question = question
        self._source = source
        self._clock = clock
        # What the last round was about: the worst paths that it was to find.
        self.tried: Rank = (inf, inf)
        self._reads = (
            Reads(source, question.kinds(forward=True), clock),
            Reads(source, question.kinds(forward=False), clock),
        )

    def best_paths(self) -> Paths:
        """TooMany if this takes too many facts."""
        question = self._question
        by_length = question.order == "length"
        certain = Paths([], None, 0) if by_length else Paths([], 1.0)
        tried = None if by_length else 1.0
        try:
            for least, longest in self._limits():
                raised = True
                while raised:
                    self.tried = question.rank(least, longest)
                    limit = Limit(question, least_weight=least, longest=longest)
                    between = tried is not None and tried * _FAR < least < tried * _NEAR
                    known = self.known(limit, tried=tried if between else None)
                    # As far as it turned out that there is a better one.
                    asked = replace(question, min_weight=limit.least(0), max_length=limit.longest)
                    paths = known_paths(asked, known.graph, known.reach, self._clock)
                    if len(paths) == question.k:
                        return Paths(paths)
                    raised = limit.least(0) > least
                    certain = Paths(paths, None, longest) if by_length else Paths(paths, limit.least(0))
                    tried = tried and limit.least(0)
        except OutOfTime:
            return certain
        return Paths(certain.paths)

    def known(self, limit: Limit, *, tried: float | None = None) -> Known:
        return Round(self._question, self._reads, limit, tried=tried).wanted_steps()

    def _limits(self) -> Iterator[tuple[float, int]]:
        """The least weight and the greatest length of the paths of each round."""
        question = self._question
        least, longest = question.least_weight, question.max_length
        if question.order == "length":
            if question.k > 1:
                yield from [(least, length) for length in range(1, longest)]
        else:
            any_lighter = False
            for weight in weights_to_try(question, self._source, self._reads):
                any_lighter = True
                if weight > least:
                    yield weight, longest
            if not any_lighter and question.k > 1:
                # Of the heaviest that there can be, the shortest come first.
                yield from [(1.0, length) for length in range(1, longest)]
        yield least, longest
