"""Rounds of a search for paths: all paths that are heavy are found, then those that are a little lighter, and so on."""

from collections.abc import Iterator
from dataclasses import replace
from math import inf

from triples.query.blocks import Clock, OutOfTime
from triples.query.known_paths import known_paths
from triples.query.lookups import JoiningSource
from triples.query.path_facts import PathQuestion, Paths, Rank, arm_ends
from triples.query.path_limit import Limit
from triples.query.path_reads import Reads
from triples.query.path_round import Known, Round

# The weights of a round, as parts of the greatest weight that a path can have.
_PARTS = (0.95, 0.85, 0.7, 0.5, 0.3, 0.1)
# So many of the heaviest facts around both ends tell whether weights differ.
_LOOKED_AT = 16


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
        try:
            for least, longest in self._limits():
                self.tried = question.rank(least, longest)
                known = self.known(Limit(question, least_weight=least, longest=longest))
                asked = replace(question, min_weight=least, max_length=longest)
                paths = known_paths(asked, known.graph, known.reach, self._clock)
                if len(paths) == question.k:
                    return Paths(paths)
                certain = Paths(paths, None, longest) if by_length else Paths(paths, least)
        except OutOfTime:
            return certain
        return Paths(certain.paths)

    def known(self, limit: Limit) -> Known:
        return Round(self._question, self._reads, limit).wanted_steps()

    def _limits(self) -> Iterator[tuple[float, int]]:
        """The least weight and the greatest length of the paths of each round."""
        question = self._question
        least, longest = question.least_weight, question.max_length
        if question.order == "length":
            if question.k > 1:
                yield from [(least, length) for length in range(1, longest)]
        else:
            heaviest, differ = self._heaviest()
            for part in _PARTS if differ else ():
                if heaviest * part > least:
                    yield heaviest * part, longest
            if not differ and question.k > 1:
                # Of the heaviest that there can be, the shortest come first.
                yield from [(1.0, length) for length in range(1, longest)]
        yield least, longest

    def _heaviest(self) -> tuple[float, bool]:
        """The greatest weight that a path of several facts can have; and whether weights differ around the ends."""
        heaviest, lightest = 1.0, 1.0
        for forward, term in ((True, self._question.start), (False, self._question.goal)):
            facts = [
                fact
                for kind in self._question.kinds(forward=forward)
                for fact in self._source.block(arm_ends(term, kind), None, _LOOKED_AT)
            ]
            weights = [fact.weight for fact in facts]
            heaviest *= max(weights, default=0.0)
            lightest = min([lightest, *weights])
        return heaviest, lightest < 1
