"""One side of a two-sided search: the terms that are reached from one end of the paths, and the facts around them."""

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import NamedTuple

from triples.query.blocks import Ends, Stream, Streams
from triples.query.path_facts import Kind, Order, PathQuestion, PathStep, arm_ends, product_bound, step_of


class Label(NamedTuple):
    """A label: a term can be reached by this number of facts, with at most this product."""

    length: int
    weight: float


class Arm:
    """The facts of one kind around a term, as far as this side has read them, as steps."""

    def __init__(self, term: int, stream: Stream, *, is_subject: bool, forward: bool) -> None:
        self.term = term
        # The terms that the steps reach from this side, and the weights of the facts.
        self.reached: list[tuple[int, float]] = []
        self._stream = stream
        self._is_subject = is_subject
        self._forward = forward
        self._taken = 0

    @property
    def finished(self) -> bool:
        return self._stream.finished and self._taken == len(self._stream.facts)

    def heaviest(self, begin: int) -> float:
        """No step is heavier, from this one on."""
        if begin < len(self.reached):
            return self.reached[begin][1]
        return self._stream.facts[self._taken - 1].weight if self._taken else 1.0

    def read(self) -> list[PathStep]:
        """Read on: the next steps."""
        if self._taken == len(self._stream.facts):
            self._stream.read()
        facts = self._stream.facts[self._taken :]
        self._taken += len(facts)
        steps = [step_of(fact, is_subject=self._is_subject, forward=self._forward) for fact in facts]
        # No simple path has a fact about a term and itself.
        steps = [step for step in steps if step.start != step.end]
        self.reached += [(step.end if self._forward else step.start, step.fact.weight) for step in steps]
        return steps


class Unread(NamedTuple):
    """The next facts to read for a label: an arm from a step on. None of them makes a product above `weight`."""

    weight: float
    label: Label
    arm: Arm
    begin: int


class Side:
    """Reaches terms from one end, by the heaviest facts first."""

    def __init__(self, question: PathQuestion, streams: Streams, *, forward: bool) -> None:
        self.labels: dict[int, list[Label]] = {}
        self.read_facts = 0
        self._question = question
        self._streams = streams
        self._arms: dict[Ends, Arm] = {}
        self._forward = forward
        self._kinds = question.kinds(forward=forward)
        self._other_end = question.goal if forward else question.start
        # For each length of a label, what is unread, heaviest first; and the greatest weight that was left unread.
        self._heaps: list[list[tuple[float, int, Unread]]] = [[] for _ in range(question.max_length)]
        self._left = [0.0] * question.max_length
        self._age = 0
        # What is lighter or longer is not wanted.
        self.least_weight = 0.0
        self.longest = question.max_length
        self.reach(question.start if forward else question.goal, Label(0, 1.0))

    def __bool__(self) -> bool:
        """True if there is more to read."""
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
        length, weight = label
        for other in labels:
            if other.length <= length and other.weight >= weight:
                return False
        labels[:] = [other for other in labels if other.length < length or other.weight > weight]
        labels.append(label)
        if length < self._question.max_length and term != self._other_end:
            for kind in self._kinds:
                self._push(label, self._arm(term, kind), 0)
        return True

    def _arm(self, term: int, kind: Kind) -> Arm:
        ends = arm_ends(term, kind)
        arm = self._arms.get(ends)
        if arm is None:
            arm = Arm(term, self._streams.of(ends), is_subject=kind[0], forward=self._forward)
            self._arms[ends] = arm
        return arm

    def take(self, order: Order) -> Unread | None:
        """Take out what comes first in this order; None if it has become needless."""
        lengths = [length for length, heap in enumerate(self._heaps) if heap]
        # The entries of heaps begin with the weight, negated.
        first = min(lengths, key=lambda length: self._heaps[length][0][0]) if order == "weight" else lengths[0]
        unread = heappop(self._heaps[first])[2]
        # A better label has taken its place.
        return unread if unread.label in self.labels[unread.arm.term] else None

    def leave(self, unread: Unread) -> None:
        """Leave out the facts that were taken."""
        length = unread.label.length
        self._left[length] = max(self._left[length], unread.weight)

    def read(self, unread: Unread) -> tuple[list[PathStep], list[tuple[int, Label]]]:
        """Read on where this is needed: the steps that this side had not read, and the next terms and labels."""
        label, arm, begin = unread.label, unread.arm, unread.begin
        steps = [] if begin < len(arm.reached) else arm.read()
        self.read_facts += len(steps)
        self._push(label, arm, len(arm.reached))
        length = label.length + 1
        reached = arm.reached[begin:] if begin else arm.reached
        return steps, [(term, Label(length, product_bound(label.weight, weight))) for term, weight in reached]

    def _push(self, label: Label, arm: Arm, begin: int) -> None:
        if begin < len(arm.reached) or not arm.finished:
            weight = product_bound(label.weight, arm.heaviest(begin))
            if weight < self.least_weight or label.length >= self.longest:
                self._left[label.length] = max(self._left[label.length], weight)
                return
            self._age += 1
            heappush(self._heaps[label.length], (-weight, self._age, Unread(weight, label, arm, begin)))
