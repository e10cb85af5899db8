"""Joins of facts that weigh the same, like `triples.query.terms_in_order`, where patterns branch off.

A branch is a pattern with a variable of its own. The database joins the other patterns, the stem, and reads the terms
of a branch once for each place where it grows. The answers are all their combinations, made as far as they are wanted.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, product
from math import prod
from operator import itemgetter
from typing import NamedTuple

from triples.patterns import Variable, variables
from triples.query.join_order import JoinOrder
from triples.query.joined_rows import picking
from triples.query.lookups import Lookup, OfTerms, Slots, Terms, lookup_of
from triples.query.parts_join import PartsJoin
from triples.query.questions import AskedPattern, Question
from triples.query.terms_in_order import ROWS, Taken

# With fewer times as many answers as there are terms of branches, to join all patterns takes no longer.
_WORTH = 1.25
# The most terms of branches that one statement reads.
_MOST_READ = 4_096
# How many times more is read at once than should make the answers that are wanted.
_SPARE = 1.25


class Branch(NamedTuple):
    """A look-up from the terms in some slots of the stem, and the column of its facts that is read."""

    slots: tuple[int, ...]
    lookup: Lookup
    column: int
    # Of its facts.
    weight: float


class Branched(NamedTuple):
    """The stem's look-ups, the slots of the variables that are selected first, and branches with those that follow.

    Beside these slots stand the look-ups that must find a fact from the stem. `least` has the weights of the stem's
    facts, and theirs.
    """

    stem: Sequence[Lookup]
    wanted: Slots
    least: Sequence[float]
    branches: Sequence[Branch]
    # How many answers there should be for each partial answer of the stem.
    each: float


def branched(question: Question[int], order: JoinOrder, weights: Sequence[float]) -> Branched | None:
    """The question with its patterns in this order, which have facts of these weights; None if it is not worth it."""
    patterns = [question.patterns[place] for place in order.places]
    selected = question.selected
    stem, own = _parted(patterns)
    slots = {variable: slot for slot, variable in enumerate(variables([patterns[number] for number in stem]))}
    known = set(slots)
    if stem == [0] and set(selected[: len(known)]) != known and (star := _own_of_first(patterns, selected[0])):
        # Everything grows from the first selected term.
        own[star], known = 0, {selected[0]}
    first, rest = selected[: len(known)], selected[len(known) :]
    if set(first) != known or not own.keys() >= set(rest) or len(set(rest)) < len(rest):
        return None
    growth = (1.0, *order.estimates)
    sizes = [growth[number + 1] / max(growth[number], 1.0) for variable in rest if (number := own[variable])]
    # A sample may have met none of a branch's facts.
    if not sizes or prod(sizes) <= _WORTH * sum(sizes):
        return None
    lookups: list[Lookup] = []
    filled = 0
    for number in stem:
        lookups.append(lookup_of(patterns[number], slots, filled))
        filled += len(lookups[-1].taken)
    others = sorted(number for number in own.values() if number)
    return Branched(
        lookups,
        Slots(
            [slots[variable] for variable in first], [lookup_of(patterns[number], slots, filled) for number in others]
        ),
        [weights[number] for number in (*stem, *others)],
        [_branch(patterns[own[variable]], variable, first, weights[own[variable]]) for variable in rest],
        prod(sizes),
    )


def _parted(patterns: Sequence[AskedPattern[int]]) -> tuple[list[int], dict[Variable, int]]:
    """The places of the patterns that make up the stem, and those of the branches by their own variables."""
    uses = Counter(variable for pattern in patterns for variable in variables([pattern]))
    stem, own = [0], dict[Variable, int]()
    for number, pattern in enumerate(patterns[1:], start=1):
        alone = [variable for variable in variables([pattern]) if uses[variable] == 1]
        if len(alone) == 1:
            own[alone[0]] = number
        else:
            stem.append(number)
    known = set(variables([patterns[number] for number in stem]))
    for variable, number in list(own.items()):
        # What only branches share is part of the stem.
        if not known >= set(variables([patterns[number]])) - {variable}:
            del own[variable]
            stem.append(number)
            known.update(variables([patterns[number]]))
    return sorted(stem), own


def _own_of_first(patterns: Sequence[AskedPattern[int]], first: Variable) -> Variable | None:
    """The other variable of the first pattern, if it has two and no other pattern has it."""
    others = [variable for variable in variables(patterns[:1]) if variable != first]
    if len(others) != 1 or first not in patterns[0] or others[0] in variables(patterns[1:]):
        return None
    return others[0]


def _branch(pattern: AskedPattern[int], own: Variable, first: Sequence[Variable], weight: float) -> Branch:
    given = [slot for slot, variable in enumerate(first) if variable in pattern]
    slots = {first[slot]: number for number, slot in enumerate(given)}
    lookup = lookup_of(pattern, slots, len(slots))
    return Branch(tuple(given), lookup, 1 + lookup.free.index(pattern.index(own)), weight)


class InBranches:
    """The join of a question with branches, from the terms of its first selected variable."""

    def __init__(self, join: PartsJoin, plan: Branched, after: Terms | None) -> None:
        self.read = 0
        self._join = join
        self._plan = plan
        self._after = after
        self._keys = [picking(branch.slots) for branch in plan.branches]
        # How many answers a partial answer of the stem has, as far as is known.
        self._each = plan.each

    def take(self, part: OfTerms, wanted: int, crowd: int) -> Taken:
        """The answers of the first of these terms, which come in order; of none if the first has too many.

        These are more than a crowd of the stem, or of a branch as many as are not read at once.
        """
        terms = len(part.terms)
        stems = self._stems(part, min(max(ROWS, int(_SPARE * wanted / self._each)), crowd), crowd)
        if stems is None:
            return Taken([], 0)
        rows, terms = stems
        if self._after is not None:
            start = self._after[: len(self._plan.wanted.slots)]
            rows = rows[bisect_left(rows, start) :]
        answers: list[Terms] = []
        lists: dict[Lookup, dict[Terms, list[int]]] = {branch.lookup: {} for branch in self._plan.branches}
        begin = 0
        while begin < len(rows) and len(answers) < wanted:
            size = int(_SPARE * (wanted - len(answers)) / self._each) + 1
            grown = self._grown(rows[begin : begin + size], lists)
            for row, one in zip(rows[begin:], grown, strict=False):
                answers += self._combined(row, one, wanted - len(answers))
            begin += len(grown)
            if not grown:
                # The answers of this term come in another way.
                term = rows[begin][0]
                return Taken(answers[: bisect_left(answers, term, key=itemgetter(0))], bisect_left(part.terms, term))
            self._each = max(1.0, len(answers) / begin)
        return Taken(answers, terms)

    def _stems(self, part: OfTerms, most: int, crowd: int) -> tuple[list[Terms], int] | None:
        """The partial answers of the stem, in order, and of how many terms; None if the first has more than a crowd."""
        plan, source = self._plan, self._join.source
        for limit in (most, crowd):
            self._join.clock.check()
            found = source.joined_terms(plan.stem, part, plan.least, limit + 1, plan.wanted)
            self._join.clock.passed(len(found))
            self.read += len(found) * len(plan.stem)
            if len(found) <= limit:
                return sorted(set(found)), len(part.terms)
            # Of the last term, some may be missing.
            last = found[-1][0]
            if last != part.terms[0]:
                return sorted({row for row in found if row[0] < last}), bisect_left(part.terms, last)
        return None

    def _grown(
        self, rows: Sequence[Terms], lists: dict[Lookup, dict[Terms, list[int]]]
    ) -> Sequence[Sequence[list[int]]]:
        """For the first of these partial answers, at best for all, the terms of each branch, in order."""
        keys = [[key(row) for row in rows] for key in self._keys]
        for branch, own in zip(self._plan.branches, keys, strict=True):
            self._read(branch, own, lists[branch.lookup])
        grown: list[list[list[int]]] = []
        known = [lists[branch.lookup] for branch in self._plan.branches]
        for row in zip(*keys, strict=True):
            found = [terms.get(key) for terms, key in zip(known, row, strict=True)]
            whole = [one for one in found if one is not None]
            if len(whole) < len(found):
                break
            grown.append(whole)
        return grown

    def _read(self, branch: Branch, keys: Sequence[Terms], known: dict[Terms, list[int]]) -> None:
        """Read the terms of a branch from these keys, or from as many of them as have not too many."""
        missing = [key for key in dict.fromkeys(keys) if key not in known]
        if not missing:
            return
        self._join.clock.check()
        found = self._join.source.joined([branch.lookup], missing, [branch.weight], _MOST_READ + 1)
        self._join.clock.passed(len(found))
        self._join.clock.keep(len(found))
        self.read += len(found)
        # They come in the order of the keys.
        whole = len(missing) if len(found) <= _MOST_READ else found[-1][0]
        terms: list[list[int]] = [[] for _ in missing]
        for row in found:
            terms[row[0]].append(row[branch.column])
        for key, one in zip(missing[:whole], terms, strict=False):
            known[key] = sorted(set(one))

    def _combined(self, row: Terms, lists: Sequence[list[int]], wanted: int) -> list[Terms]:
        """The first answers that follow, of a partial answer of the stem with these terms of the branches."""
        after = self._after
        if after is None or after[: len(row)] != row:
            return [row + one for one in islice(product(*lists), wanted)]
        return [row + one for one in islice(_after(lists, after[len(row) :]), wanted)]


def _after(lists: Sequence[list[int]], after: Terms) -> Iterator[Terms]:
    """The combinations that come after one."""
    for place in reversed(range(len(lists))):
        head = [[term] if term in one else [] for term, one in zip(after[:place], lists, strict=False)]
        following = lists[place][bisect_right(lists[place], after[place]) :]
        yield from product(*head, following, *lists[place + 1 :])
