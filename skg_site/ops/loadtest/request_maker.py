"""The requests of a load: new facts, and questions about facts that exist."""

from collections.abc import Sequence
from itertools import count
from random import Random
from typing import NamedTuple

import orjson

from skg_site.ops.loadtest.mixes import Work

Fact = tuple[str, str, str]
Pattern = tuple[str | None, str | None, str | None]

# The number of facts with the same subject, and the number of different objects.
FACTS_OF_A_SUBJECT = 8
OBJECTS = 4099


class Sent(NamedTuple):
    path: str
    body: bytes
    # The status of a successful answer.
    status: int


class RequestMaker:
    """Makes the requests. All new facts have the load's name as their predicate, by which they are found again."""

    def __init__(self, name: str, batch_size: int, known: Sequence[Fact], random: Random) -> None:
        self.name = name
        # The number of facts that were sent to be stored; some may have been refused.
        self.facts = 0
        self._batch_size = batch_size
        self._known = known
        self._random = random
        self._numbers = count()

    def next(self, work: Work) -> Sent:
        match work:
            case Work.QUERY:
                pattern = [_place(text) for text in self._pattern()]
                question = {"pattern": pattern, "k": 10, "min_weight": 0.1, "include_metadata": True}
                return Sent("/query", orjson.dumps(question), 200)
            case Work.ADD:
                return Sent("/triples/add", orjson.dumps(self._new_fact()), 201)
            case Work.BATCH:
                facts = [self._new_fact() for _ in range(self._batch_size)]
                return Sent("/triples/batch", orjson.dumps({"triples": facts}), 202)

    def _new_fact(self) -> dict[str, str | float | dict[str, str]]:
        number = next(self._numbers)
        self.facts += 1
        subject, predicate, object_ = self._fact(number)
        weight = round(self._random.random(), 3)
        return {
            "subject": subject,
            "predicate": predicate,
            "object": object_,
            "weight": weight,
            "metadata": {"source": "load_test"},
        }

    def _fact(self, number: int) -> Fact:
        return f"{self.name}-s{number // FACTS_OF_A_SUBJECT}", self.name, f"{self.name}-o{number % OBJECTS}"

    def _pattern(self) -> Pattern:
        """A question about a fact of the graph or, if the graph is empty, about one that this load adds."""
        random = self._random
        fact = random.choice(self._known) if self._known else self._fact(random.randrange(max(self.facts, 1)))
        subject, predicate, object_ = fact
        return random.choice(
            (
                (subject, None, None),
                (subject, predicate, None),
                (None, None, object_),
                (None, predicate, object_),
                (subject, predicate, object_),
            )
        )


def _place(text: str | None) -> str | dict[str, str] | None:
    # Else it would be the name of a variable.
    return {"term": text} if text is not None and text.startswith("?") else text
