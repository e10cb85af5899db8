"""Rows that a database has joined: which of their columns have what, and the facts that they are made of."""

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple

from triples.query.blocks import NO_TERM, Fact
from triples.query.lookups import JoinedRow, Lookup, Terms
from triples.recursion.programs import Key


class Columns(NamedTuple):
    """The columns of a joined row that have the new terms, and the weights, in the order of the look-ups."""

    terms: tuple[int, ...]
    weights: tuple[int, ...]


def columns_of(lookups: Iterable[Lookup]) -> Columns:
    terms, weights = list[int](), list[int]()
    column = 1
    for lookup in lookups:
        free = lookup.free
        terms += [column + free.index(taken) for taken in lookup.taken]
        column += len(free) + 2
        weights.append(column - 2)
    return Columns(tuple(terms), tuple(weights))


def picking(columns: Sequence[int]) -> Callable[[JoinedRow], Terms]:
    """A function of a row that returns some of its columns, always as a tuple."""
    if len(columns) > 1:
        return itemgetter(*columns)
    return lambda row: tuple([row[column] for column in columns])


def facts_of_row(lookups: Sequence[Lookup], terms: Terms, row: JoinedRow) -> list[Fact]:
    """The facts of a joined row, from a partial answer of these terms; of as many look-ups as the row has."""
    facts: list[Fact] = []
    column = 1
    for lookup in lookups:
        if column == len(row):
            break
        key = list(lookup.ends(terms))
        for free in lookup.free:
            key[free] = row[column]
            column += 1
        facts.append(Fact(Key(*(term or NO_TERM for term in key)), row[column], row[column + 1]))
        terms += tuple([facts[-1].key[taken] for taken in lookup.taken])
        column += 2
    return facts
