"""One side of a two-sided search: the terms that are reached from one end of the paths, and the facts around them."""

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import NamedTuple

from triples.query.blocks import Stream, Streams
from triples.query.path_facts import PathQuestion, PathStep, arm_ends, product_bound, step_of


class Label(NamedTuple):
    """A term can be reached by so many facts with at most this product."""

    length: int
    weight: float


class Unread(NamedTuple):
    """The facts of one kind around a reached term, from one on. None makes a product above `weight`."""

    weight: float
    label: Label
    term: int
    is_subject: bool
    stream: Stream
    begin: int


class Side:
    """Reaches terms from one end, by the heaviest facts first."""

    def __init__(self, question: PathQuestion, streams: Streams, *, forward: bool) -> None:
        self.labels: dict[int, list[Label]] = {}
        self.read_facts = 0
        self._question = question
        self._streams = streams
        self._forward = forward
        self._arms = question.arms(forward=forward)
        self._other_end = question.goal if forward else question.start
        # For each length of a label, what is unread, heaviest first; and the greatest weight that was left unread.
        self._heaps: list[list[tuple[float, int, Unread]]] = [[] for _ in range(question.max_length)]
        self._left = [0.0] * question.max_length
        self._age = 0
        self.reach(question.start if forward else question.goal, Label(0, 1.0))

    def __bool__(self) -> bool:
        """Whether there is more to read."""
        return any(self._heaps)

    def tops(self) -> list[float]:
        """For each length of a label, the greatest weight to come; 0 for none."""
        return [heap[0][2].weight if heap else 0.0 for heap in self._heaps]

    def unread(self) -> Iterator[Unread]:
        return (unread for heap in self._heaps for _weight, _age, unread in heap)

    def beyond(self) -> list[float]:
        """For each length of a label, the greatest weight of what has not been read, wanted or not."""
        return [max(top, left) for top, left in zip(self.tops(), self._left, strict=True)]

    def reach(self, term: int, label: Label) -> bool:
        """Add a label, and what is to be read for it, unless the term has one that is no longer and no lighter."""
        labels = self.labels.setdefault(term, [])
        if any(other.length <= label.length and other.weight >= label.weight for other in labels):
            return False
        labels[:] = [other for other in labels if other.length < label.length or other.weight > label.weight]
        labels.append(label)
        if label.length < self._question.max_length and term != self._other_end:
            for arm in self._arms:
                self._push(label, term, arm[0], self._streams.of(arm_ends(term, arm)), 0)
        return True

    def take(self) -> Unread | None:
        """Take out what comes first in the order of the question; None if it has become needless."""
        lengths = [length for length, heap in enumerate(self._heaps) if heap]
        first = min(lengths, key=lambda length: self._question.rank(self._heaps[length][0][2].weight, length))
        unread = heappop(self._heaps[first])[2]
        # A better label has taken its place.
        return unread if unread.label in self.labels[unread.term] else None

    def leave(self, unread: Unread) -> None:
        """What was taken is not to be read."""
        length = unread.label.length
        self._left[length] = max(self._left[length], unread.weight)

    def read(self, unread: Unread) -> Iterator[tuple[PathStep, int, Label]]:
        """The next steps of what was taken, each with the term that it reaches and its label. Ends with a block."""
        stream = unread.stream
        if unread.begin >= len(stream.facts) and not stream.finished:
            stream.read()
        facts = stream.facts[unread.begin :]
        self._push(unread.label, unread.term, unread.is_subject, stream, unread.begin + len(facts))
        self.read_facts += len(facts)
        for fact in facts:
            step = step_of(fact, is_subject=unread.is_subject, forward=self._forward)
            if step.start != step.end:
                weight = product_bound(unread.label.weight, fact.weight)
                yield step, step.end if self._forward else step.start, Label(unread.label.length + 1, weight)

    def _push(self, label: Label, term: int, is_subject: bool, stream: Stream, begin: int) -> None:
        known = len(stream.facts)
        if begin >= known and stream.finished:
            return
        heaviest = stream.facts[min(begin, known - 1)].weight if known else 1.0
        weight = product_bound(label.weight, heaviest)
        self._age += 1
        entry = Unread(weight, label, term, is_subject, stream, begin)
        heappush(self._heaps[label.length], (-weight, self._age, entry))
