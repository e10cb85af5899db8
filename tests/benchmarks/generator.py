"""A graph with the shape of real ones, of any size: `python -m tests.benchmarks.generator --facts 10_000_000 OUT.tsv`.

How many facts an entity is part of follows a power law, a few hubs have far more than the law gives them, a few of
400 predicates are in most facts, and every fifth object is a text that stands nowhere else. The same size and seed
give the same facts, no fact twice, in an order that has nothing to do with their terms.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from random import Random
from typing import NamedTuple

from rich.progress import track

PREDICATES = 400
FACTS_FOR_EACH_ENTITY = 5
# Hubs, of each direction, and how many facts each of them has in a graph of two million or more.
HUBS = 5
HUB_FACTS = 20_000
# A hub's facts use few predicates, so that it is a hub for two constants too.
HUB_PREDICATES = 3
LITERAL_SHARE = 0.2
METADATA_SHARE = 0.1
# Weights that many facts share, and how many do.
TIES = (1.0, 1.0, 1.0, 1.0, 0.95, 0.9, 0.9, 0.8, 0.75, 0.5, 0.5, 0.25)
TIES_SHARE = 0.6

_STARTS = (
    "Alder Bern Cor Dun Elm Fjord Gran Hart Iron Jun Kirk Löw Mar Nor Ost Pell Quar Rosen Sand Thorn Ul Val Wald Ängel"
)
_MIDDLES = "a an bach berg bro da el en er feld gar in la mer na o rain ri tor und zsé"
_KINDS = (
    "academy archive basin bridge castle church cluster committee council district domain expedition festival "
    "foundation gallery glacier harbour institute island journal laboratory library lighthouse manuscript museum "
    "observatory orchestra parish peninsula protein province railway receptor reservoir school society station "
    "theatre treaty union university valley village warehouse workshop Fluß château świątynia 図書館 город"
)
_VERBS = (
    "has is was gave received founded contains describes joins follows precedes cites borders supplies treats expresses"
)
_NOUNS = (
    "part member author place date origin parent owner source type name subject language partner successor capital "
    "symptom gene review version award employer student building album"
)

# A name is two words of two lists, and so a number of so many bits.
_WORD_BITS = 11
_WORDS = 1 << _WORD_BITS
_NAME_BITS = 2 * _WORD_BITS
_NAMES = 1 << _NAME_BITS
# Odd, so that multiplying by it modulo a power of two gives every number once: neighbours get different names.
_SCATTER = 2_654_435_769

Fact = tuple[str, str, str, float, str | None]
# The numbers of subject, predicate and object; that of a text which stands nowhere else is negative.
_Key = tuple[int, int, int]


class Hubs(NamedTuple):
    """The entities with the most facts."""

    subjects: Sequence[str]
    objects: Sequence[str]

    @property
    def joined(self) -> tuple[str, str]:
        """A subject and an object that every predicate joins."""
        return self.subjects[0], self.objects[0]


@dataclass(frozen=True, slots=True)
class Graph:
    """Its facts, when iterated over."""

    facts: int
    seed: int = 1

    @property
    def hubs(self) -> Hubs:
        names = [_name(self.entities + number) for number in range(2 * HUBS)]
        return Hubs(names[:HUBS], names[HUBS:])

    @property
    def entities(self) -> int:
        """The number of entities besides the hubs."""
        return max(self.facts // FACTS_FOR_EACH_ENTITY, 100)

    @property
    def predicates(self) -> list[str]:
        """From the one in most facts to the one in fewest."""
        return [f"{verb}_{noun}" for noun, verb in product(_NOUNS.split(), _VERBS.split())][:PREDICATES]

    def __iter__(self) -> Iterator[Fact]:
        random = Random(self.seed)
        draw = random.random
        predicates = self.predicates
        for subject, predicate, object_ in _keys(self, random):
            weight = random.choice(TIES) if draw() < TIES_SHARE else round(1 - draw() ** 2, 6)
            metadata = _metadata(draw()) if draw() < METADATA_SHARE else None
            object_text = _name(object_) if object_ >= 0 else _literal(-object_)
            yield _name(subject), predicates[predicate], object_text, weight, metadata


def _keys(graph: Graph, random: Random) -> Iterator[_Key]:
    """A drawn number's square, times the entities, is a rank that falls with the root: degrees of exponent 3."""
    entities, stride, draw = graph.entities, _hub_stride(graph.facts), random.random
    is_new = _sieve(graph.facts)
    predicates = _predicates(random)
    # What is named often is not what most is said of.
    turn = entities // 3
    for number in range(graph.facts):
        if number % stride == 0:
            key = _hub_key(entities, number // stride, draw)
        else:
            object_ = -number if draw() < LITERAL_SHARE else (int(entities * draw() ** 2) + turn) % entities
            key = int(entities * draw() ** 2), next(predicates), object_
        while not is_new(key):
            key = int(entities * draw() ** 2), next(predicates), (int(entities * draw() ** 2) + turn) % entities
        yield key


def _hub_stride(facts: int) -> int:
    """One fact of so many is a hub's."""
    return facts // (2 * HUBS * min(HUB_FACTS, max(facts // 100, 1))) or 1


def _hub_key(entities: int, number: int, draw: Callable[[], float]) -> _Key:
    """A fact of each hub in turn; the first of all join the first hubs of both directions."""
    if number < PREDICATES:
        return entities, number, entities + HUBS
    hub = number % (2 * HUBS)
    predicate = hub * HUB_PREDICATES + int(draw() * HUB_PREDICATES)
    other = int(entities * draw())
    return (entities + hub, predicate, other) if hub < HUBS else (other, predicate, entities + hub)


def _predicates(random: Random) -> Iterator[int]:
    numbers = range(PREDICATES)
    weights = [1 / (rank + 2) for rank in numbers]
    while True:
        yield from random.choices(numbers, weights, k=10_000)


def _sieve(facts: int) -> Callable[[_Key], bool]:
    """True if a key comes for the first time; of those that do, one of a hundred is taken for a known one."""
    shift = 64 - (facts * 64).bit_length()
    seen = bytearray(1 << (64 - shift - 3))

    def is_new(key: _Key) -> bool:
        subject, predicate, object_ = key
        mixed = (subject * 0x9E3779B97F4A7C15 + predicate * 0xC2B2AE3D27D4EB4F + object_) * 0xD6E8FEB86659FD93
        place = (mixed & 0xFFFFFFFFFFFFFFFF) >> shift
        bit = 1 << (place & 7)
        if seen[place >> 3] & bit:
            return False
        seen[place >> 3] |= bit
        return True

    return is_new


def _words() -> tuple[list[str], list[str]]:
    shuffle = Random(0).shuffle
    proper = ["".join(parts) for parts in product(_STARTS.split(), _MIDDLES.split(), _MIDDLES.split())]
    kinds = ["_".join(parts) for parts in product(_KINDS.split(), repeat=2)] + _KINDS.split()
    shuffle(proper)
    shuffle(kinds)
    return proper[:_WORDS], kinds[:_WORDS]


_PROPER, _COMMON = _words()


def _name(number: int) -> str:
    place = number * _SCATTER & (_NAMES - 1)
    name = f"{_PROPER[place & (_WORDS - 1)]}_{_COMMON[place >> _WORD_BITS]}"
    return name if number < _NAMES else f"{name}_{number >> _NAME_BITS}"


def _literal(number: int) -> str:
    place = number * _SCATTER & (_NAMES - 1)
    return f"{_PROPER[place >> _WORD_BITS]} of {_PROPER[place & (_WORDS - 1)]}, {_COMMON[place % _WORDS]} no. {number}"


def _metadata(drawn: float) -> str:
    return f'{{"source": "dump-{int(drawn * 40)}", "confidence": {drawn:.3f}, "year": {1900 + int(drawn * 126)}}}'


def tsv_line(fact: Fact) -> str:
    """A line of the import's format."""
    *key, weight, metadata = fact
    return "\t".join([*key, repr(weight), metadata or ""]) + "\n"


def write(graph: Graph, file: Path) -> None:
    with file.open("w", encoding="utf-8") as out:
        for fact in track(graph, "Generating", total=graph.facts, update_period=0.5):
            out.write(tsv_line(fact))


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a graph with the shape of real ones as TSV.")
    parser.add_argument("--facts", type=int, default=10_000_000, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed gives another graph (default: %(default)s)")
    parser.add_argument("file", type=Path, metavar="OUT.tsv")
    arguments = parser.parse_args()
    write(Graph(arguments.facts, arguments.seed), arguments.file)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
