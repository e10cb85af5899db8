"""The engine's `FactSource` over the stored facts: each look-up reads an index, for many values at a time."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import orjson

from triples.patterns import Bound, Shape
from triples.recursion.programs import Key, Program, Proof
from triples.recursion.uses import Use, uses
from triples.store.dialect import Dialect
from triples.store.fact_tables import EXACT, InferredFilter, index_name
from triples.store.inferred.layout import KEY, PROOF
from triples.store.select import NO_INDEX, NUMBER, OF_SHAPE, Select, given_columns, sql
from triples.text import MAX_PREDICATE_LENGTH

ROWS_AT_ONCE = 2_000


class Lookup(NamedTuple):
    """A statement that finds rows by the values of some columns."""

    columns: tuple[str, ...]
    sql: Callable[[Dialect], str]


def _lookup(select: Select) -> Lookup:
    return Lookup(given_columns(select), partial(sql, select))


def _unfit(dialect: Dialect) -> str:
    # Both databases count characters.
    found = f"t.id = {dialect.numbered_column(0, 'id')} AND length(t.text) > {MAX_PREDICATE_LENGTH}"
    given = f"{dialect.numbered_table(['id'])} {dialect.join}"
    return dialect.prepared(f"SELECT {dialect.numbered_row} FROM {given} triples_term AS t ON {found}")


_ASSERTED = _lookup(Select("asserted", (NUMBER, "weight"), EXACT, given="numbered"))
_PROOFS = _lookup(Select("inferred", (NUMBER, *PROOF), EXACT, given="numbered"))
_UNFIT = Lookup(("id",), _unfit)


class Source(ABC):
    """A `FactSource` over one snapshot, whose connection it uses."""

    def __init__(self, driver: Any, program: Program) -> None:
        self._driver = driver
        self._uses = [(use, _predicate(use)) for use in uses(program)]

    def matches(self, shape: Shape, bound: Sequence[Bound]) -> Iterator[tuple[int, Key, float, int]]:
        for lookup in _matching(shape):
            for number, subject, predicate, object_, weight, depth in self._rows(lookup, bound):
                yield number, Key(subject, predicate, object_), weight, depth

    def asserted(self, keys: Collection[Key]) -> dict[Key, float]:
        wanted = list(keys)
        return {wanted[number]: weight for number, weight in self._rows(_ASSERTED, wanted)}

    def proofs(self, keys: Collection[Key]) -> dict[Key, Proof]:
        wanted = list(keys)
        return {wanted[number]: _proof(values) for number, *values in self._rows(_PROOFS, wanted)}

    def resting_on(self, keys: Collection[Key]) -> Generator[tuple[Key, Proof]]:
        found: set[Key] = set()
        of_predicate: dict[int, list[Key]] = {}
        for key in keys:
            of_predicate.setdefault(key.predicate, []).append(key)
        for use, of in self._uses:
            lookup = _resting(use)
            # For each of what is looked up, the free values to be found with it.
            wanted: dict[Bound, _FreeValues] = {}
            for key in keys if of is None else of_predicate.get(of, ()):
                if (matched := use.match(key)) is not None:
                    head, free = matched
                    told = (*head, free[0]) if "free1" in lookup.columns else head
                    wanted.setdefault(tuple(term for term in told if term is not None), _FreeValues()).add(free)
            bound = list(wanted)
            for number, subject, predicate, object_, *values in self._rows(lookup, bound) if bound else ():
                head_key, proof = Key(subject, predicate, object_), _proof(values)
                if head_key not in found and proof.free in wanted[bound[number]]:
                    found.add(head_key)
                    yield head_key, proof

    def unfit(self, terms: Collection[int]) -> set[int]:
        wanted = sorted(terms)
        return {wanted[number] for (number,) in self._rows(_UNFIT, [(term,) for term in wanted])}

    @abstractmethod
    def _rows(self, lookup: Lookup, bound: Sequence[Bound]) -> Iterator[Any]:
        """The rows found for each of `bound`; each row begins with the number of its values there."""


def _predicate(use: Use) -> int | None:
    """The predicate of the facts that a rule uses at this place, if it is a constant."""
    return dict(use.constants).get(KEY.index("predicate_id"))


@cache
def _matching(shape: Shape) -> tuple[Lookup, Lookup]:
    """The look-ups of asserted facts with given terms, and of inferred facts that are not also asserted."""
    # Without given terms no index helps: the index of all facts only sorts them by weight.
    index = OF_SHAPE if any(shape) else NO_INDEX
    asserted = Select("asserted", (NUMBER, *KEY, "weight", "depth"), shape, given="numbered", by_index=index)
    inferred = asserted._replace(kind="inferred", filter=InferredFilter(asserted=True))
    return _lookup(asserted), _lookup(inferred)


@cache
def _resting(use: Use) -> Lookup:
    """The look-up of inferred facts whose proof uses a fact at this place.

    It is by the terms of the head and the first free value, as far as the fact determines them.
    """
    told = zip(use.head_terms, use.head_columns, strict=True)
    subject, predicate, object_ = (term is not None or column is not None for term, column in told)
    first_free = bool(use.free_columns) and use.free_columns[0] is not None
    others: tuple[str, ...] = ()
    if subject:
        # A subject has few facts, and one read of all of them serves many look-ups.
        index = index_name("inferred", EXACT)
    elif object_ and not first_free:
        index = index_name("inferred", (False, predicate, True))
    else:
        index = "inferred_proof"
        others = ("free1",) * first_free
    return _lookup(
        Select(
            "inferred",
            (NUMBER, *KEY, *PROOF),
            (subject, predicate, object_),
            given="numbered",
            others_given=others,
            fixed=(("rule", use.rule),),
            by_index=index,
        )
    )


def _proof(values: Sequence[Any]) -> Proof:
    weight, depth, rule, first, rest = values
    free = () if first is None else (first, *(orjson.loads(rest) if rest else ()))
    return Proof(weight, depth, rule, free)


class _FreeValues:
    """Free values that proofs may have; None stands for any value."""

    def __init__(self) -> None:
        # By the first value, which few of them share.
        self._rests: dict[int | None, list[Sequence[int | None]]] = {}

    def add(self, values: Sequence[int | None]) -> None:
        first, *rest = values or (None,)
        self._rests.setdefault(first, []).append(rest)

    def __contains__(self, values: Sequence[int]) -> bool:
        first, *rest = values or (None,)
        return any(
            all(want is None or want == value for want, value in zip(wanted, rest, strict=True))
            for known in {first, None}
            for wanted in self._rests.get(known, ())
        )
