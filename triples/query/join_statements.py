"""The statements that follow several look-ups, with their parameters."""

from collections.abc import Mapping, Sequence
from math import ulp
from typing import Any, Literal, NamedTuple

import orjson

from triples.query.lookups import Between, GroupedJoin, Lookup, OfTerms, OfWeight, Part, Slots, Terms
from triples.query.term_places import as_keys
from triples.store.dialect import Dialect
from triples.store.fact_tables import InferredFilter, Kind
from triples.store.join_sql import Begin, JoinedPattern, OfFact, OfRow, Term, combinations, grouped, joined, numbers

# A fact of weight 0 matches nothing.
LEAST = ulp(0.0)
_TERMS: tuple[Begin, ...] = ("terms 0", "terms 1", "terms 2")


def join_statement(
    lookups: Sequence[Lookup],
    given: Sequence[Terms] | Part,
    least: Sequence[float],
    limit: int,
    dialect: Dialect,
    visible: InferredFilter | None,
    wanted: Literal["rows", "number"] | Slots = "rows",
) -> tuple[str, list[Any]]:
    """The statement for the rows of `JoiningSource.joined`, for their number, or for some slots of each."""
    begin = _begin(given)
    present = wanted.present if isinstance(wanted, Slots) else ()
    patterns, needed, sources = _join(lookups, _filled(given))
    bounds = _bounds([*lookups, *present], least)
    stands = [one for bound in bounds[len(lookups) :] for one in bound]
    bounds = bounds[: len(lookups)]
    parameters: list[Any] = []
    for kinds in combinations(len(patterns), visible, begin):
        others = [one for bound in bounds[1:] for one in bound]
        if begin == "rows":
            parameters += [_numbered(given, needed), *bounds[0], *others]
        else:
            parameters += [*others, *bounds[0], *_bounds_of(given, kinds[0]), *stands]
    read = tuple([sources[slot] for slot in wanted.slots]) if isinstance(wanted, Slots) else wanted
    by_column = given.by_column if isinstance(given, Between | OfWeight) else None
    must_stand = tuple([_pattern(lookup, sources) for lookup in present])
    statement = joined(patterns, dialect, visible, begin, read, by_column=by_column, present=must_stand)
    return statement, [*parameters, limit]


def grouped_statement(
    join: GroupedJoin, part: Part, dialect: Dialect, visible: InferredFilter | None
) -> tuple[str, list[Any]]:
    """The statement for `JoiningSource.joined_groups`."""
    begin = _begin(part)
    patterns, _, sources = _join(join.lookups, 0)
    first, *others = _bounds(join.lookups, [join.least] * len(join.lookups))
    parameters: list[Any] = []
    for kinds in combinations(len(patterns), visible, begin):
        parameters += [one for bound in others for one in bound]
        parameters += [*first, *_bounds_of(part, kinds[0]), join.least_product]
    terms = tuple([sources[slot] for slot in join.slots])
    return grouped(patterns, dialect, visible, begin, terms, join.factors), parameters


def numbers_statement(
    lookups: Sequence[Lookup],
    given: Sequence[Terms],
    least: float,
    limit: int,
    dialect: Dialect,
    visible: InferredFilter | None,
) -> tuple[str, list[Any]]:
    """The statement for `JoiningSource.numbers`, of which each row begins with the number of the partial answer."""
    joins = [_join([lookup], _filled(given)) for lookup in lookups]
    statement = numbers(tuple([join.patterns[0] for join in joins]), dialect, visible)
    parameters: list[Any] = []
    for lookup in lookups:
        one = [*(term for term in lookup.constants if term is not None), max(least, LEAST), limit]
        parameters += one * len(combinations(1, visible))
    return statement, [*parameters, _numbered(given, joins[0].slots)]


class _Join(NamedTuple):
    """The patterns of a join, which terms of the given rows it needs, and where it has each term from."""

    patterns: tuple[JoinedPattern, ...]
    slots: Sequence[int]
    sources: Mapping[int, OfRow | OfFact]


def _join(lookups: Sequence[Lookup], filled: int) -> _Join:
    """The join with rows that have so many terms."""
    slots = sorted({slot for lookup in lookups for _, slot in lookup.bound if slot < filled})
    sources: dict[int, OfRow | OfFact] = {slot: OfRow(position) for position, slot in enumerate(slots, start=1)}
    patterns: list[JoinedPattern] = []
    for number, lookup in enumerate(lookups):
        patterns.append(_pattern(lookup, sources))
        for column in lookup.taken:
            sources[filled] = OfFact(number, column)
            filled += 1
    return _Join(tuple(patterns), slots, sources)


def _pattern(lookup: Lookup, sources: Mapping[int, OfRow | OfFact]) -> JoinedPattern:
    terms: list[Term] = ["constant" if term is not None else None for term in lookup.constants]
    for column, slot in lookup.bound:
        terms[column] = sources[slot]
    return JoinedPattern((terms[0], terms[1], terms[2]), lookup.equal, lookup.free)


def _bounds(lookups: Sequence[Lookup], least: Sequence[float]) -> list[list[Any]]:
    """The constants and the least weight of each look-up."""
    return [
        [*(term for term in lookup.constants if term is not None), max(weight, LEAST)]
        for lookup, weight in zip(lookups, least, strict=True)
    ]


def _begin(given: Sequence[Terms] | Part) -> Begin:
    match given:
        case OfTerms(column):
            return _TERMS[column]
        case Between():
            return "between"
        case OfWeight(last=last):
            return "rest of weight" if last is None else "part of weight"
        case _:
            return "rows"


def _filled(given: Sequence[Terms] | Part) -> int:
    """The number of terms that are known before the first look-up."""
    return 0 if isinstance(given, Part) else len(given[0])


def _numbered(rows: Sequence[Any], slots: Sequence[int]) -> str:
    """The terms of the rows that a join needs, each row after its number."""
    return orjson.dumps([[number, *[row[slot] for slot in slots]] for number, row in enumerate(rows)]).decode()


def _bounds_of(given: Sequence[Terms] | Part, kind: Kind) -> list[Any]:
    """The parameters of `begin_conditions`."""
    match given:
        case OfTerms(_, terms):
            return [as_keys(terms)]
        case Between(most=most, above=above):
            return [most, above]
        case OfWeight(weight=weight, after=after, last=last):
            if kind == "inferred":
                return [weight]
            return [weight, after] if last is None else [weight, after, last]
        case _:
            return []
