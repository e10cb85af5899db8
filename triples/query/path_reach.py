"""Bounds of the ways to the goal, as far as a search from there has come."""

from collections.abc import Mapping, Sequence

from triples.query.path_side import Label


class Reach:
    """Bounds of what is left from a term to the goal, by the labels of a search from there."""

    def __init__(self, labels: Mapping[int, Sequence[Label]], beyond: Sequence[float]) -> None:
        self._labels = labels
        # For each number, the greatest weight of a way of at most this many facts that the labels may not cover.
        self._uncovered = [0.0]
        for weight in beyond:
            self._uncovered.append(max(weight, self._uncovered[-1]))
        self._nearest = next((length for length, weight in enumerate(self._uncovered) if weight > 0), len(beyond) + 1)

    def weight(self, term: int, length: int) -> float:
        """A bound: no way to the goal of at most this many facts is heavier. 0 if there is none."""
        weight = self._uncovered[length]
        for label in self._labels.get(term, ()):
            if label.length <= length and label.weight > weight:
                weight = label.weight
        return weight

    def length(self, term: int) -> int:
        """A bound: no way to the goal has fewer facts."""
        return min([self._nearest, *(label.length for label in self._labels.get(term, ()))])
