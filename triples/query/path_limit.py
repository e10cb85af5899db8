"""The limit of a search for paths: how good a path must be to be wanted, as far as is known."""

from math import inf

from triples.query.path_facts import PathQuestion, Rank, product_bound
from triples.weights import FAR_FROM_NOTHING, ROUNDED_DOWN


class Limit:
    """No path that comes after the limit is wanted. It falls when it turns out that there is a better one."""

    def __init__(self, question: PathQuestion, *, least_weight: float, longest: int) -> None:
        self.longest = longest
        self._least_weight = least_weight
        # Of paths that are as long as that.
        self._least_of_longest = least_weight
        self._question = question

    @classmethod
    def of(cls, question: PathQuestion, worst: Rank) -> "Limit":
        """No path of a rank after this is wanted."""
        if question.order == "weight":
            # Of the heaviest that there can be, no longer one is wanted.
            longest = int(worst[1]) if worst[0] == -1 else question.max_length
            return cls(question, least_weight=-worst[0], longest=longest)
        limit = cls(question, least_weight=question.least_weight, longest=int(worst[0]))
        limit._least_of_longest = max(-worst[1], question.least_weight)
        return limit

    def least(self, length: int) -> float:
        """No path of at least so many facts that is lighter is wanted. The greater the length, the greater it is."""
        if length > self.longest:
            return inf
        return self._least_of_longest if length == self.longest else self._least_weight

    def wants(self, first: float, second: float, length: int) -> bool:
        """True if a path of these two parts may be wanted. A part of weight 0 is none."""
        return first > 0 and second > 0 and product_bound(first, second) >= self.least(length)

    def raise_to(self, least_weight: float) -> None:
        """Want only paths that are at least as heavy."""
        self._least_weight = max(self._least_weight, least_weight)
        self._least_of_longest = max(self._least_of_longest, least_weight)

    def meet(self, weight: float, length: int) -> None:
        """There is a walk of this length and, but for rounding, of this weight: so the best path comes no later."""
        if self._question.k > 1 or length > self.longest:
            return
        nearly = weight * ROUNDED_DOWN
        if nearly < max(self.least(length), FAR_FROM_NOTHING):
            return
        if self._question.order == "length":
            self.longest, self._least_of_longest = length, nearly
            return
        self._least_weight = self._least_of_longest = nearly
        # Of nothing but ones, a product is exact.
        if weight == 1:
            self.longest = length
