"""The SQL that joins partial answers, which are given, with the facts of several patterns.

The given rows are one parameter: a JSON array of arrays of numbers, of which the first is the number of the row.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from typing import Literal, NamedTuple

from triples.store.dialect import Dialect
from triples.store.fact_tables import TABLES, InferredFilter, Kind, conditions_of_visible, index_name
from triples.store.inferred.layout import KEY


class OfRow(NamedTuple):
    """A value of the given row, counted from 1."""

    position: int


class OfFact(NamedTuple):
    """A column of the fact of an earlier pattern."""

    pattern: int
    column: int


# Where the term at a place of a pattern comes from; "constant" is a parameter, and None is any term.
Term = Literal["constant"] | OfRow | OfFact | None


class JoinedPattern(NamedTuple):
    """A pattern of the join: its terms, the columns that must hold the same, and the columns that are read."""

    terms: tuple[Term, Term, Term]
    equal: tuple[tuple[int, int], ...]
    read: tuple[int, ...]


@cache
def joined(patterns: tuple[JoinedPattern, ...], dialect: Dialect, visible: InferredFilter | None) -> str:
    """Up to a limit of rows with the number of the given row, and for each pattern the read columns, weight and id.

    Parameters: the given rows, and for each pattern its constants and a least weight, as often as there are
    `combinations`; then the limit.
    """
    parts = [_of_kinds(patterns, kinds, dialect, visible) for kinds in combinations(len(patterns), visible)]
    return dialect.prepared(f"{' UNION ALL '.join(parts)} LIMIT ?")


def combinations(patterns: int, visible: InferredFilter | None) -> Sequence[tuple[Kind, ...]]:
    """The kinds of facts that the patterns are joined with, one combination after the other."""
    kinds: tuple[Kind, ...] = ("asserted",) if visible is None else ("asserted", "inferred")
    return list(product(kinds, repeat=patterns))


def _of_kinds(
    patterns: Sequence[JoinedPattern], kinds: Sequence[Kind], dialect: Dialect, visible: InferredFilter | None
) -> str:
    read = [dialect.key_column(0)]
    tables = [dialect.keys_table]
    for number, (pattern, kind) in enumerate(zip(patterns, kinds, strict=True)):
        alias = f"f{number}"
        read += [f"{alias}.{KEY[column]}" for column in pattern.read]
        read += [f"{alias}.weight", f"{alias}.id" if kind == "asserted" else "CAST(NULL AS BIGINT)"]
        subject, predicate, object_ = (term is not None for term in pattern.terms)
        # Not every index of inferred facts is there: those of predicates always are.
        merged = visible.merged_for((subject, predicate, object_)) if kind == "inferred" and visible else ()
        index = index_name(kind, (subject, predicate or bool(merged), object_))
        conditions = list(_conditions(pattern, alias, dialect))
        if merged:
            conditions.append(f"{alias}.predicate_id IN ({', '.join(map(str, merged))})")
        if kind == "inferred" and visible is not None:
            conditions += conditions_of_visible(visible, alias, dialect)
        tables.append(f"{dialect.indexed(f'{TABLES[kind]} AS {alias}', index)} ON {' AND '.join(conditions)}")
    return f"SELECT {', '.join(read)} FROM {f' {dialect.join} '.join(tables)}"


def _conditions(pattern: JoinedPattern, alias: str, dialect: Dialect) -> Iterator[str]:
    for column, term in enumerate(pattern.terms):
        if term is not None:
            yield f"{alias}.{KEY[column]} = {_value(term, dialect)}"
    for left, right in pattern.equal:
        yield f"{alias}.{KEY[left]} = {alias}.{KEY[right]}"
    yield f"{alias}.weight >= ?"


def _value(term: Literal["constant"] | OfRow | OfFact, dialect: Dialect) -> str:
    match term:
        case OfRow(position):
            return dialect.key_column(position)
        case OfFact(pattern, column):
            return f"f{pattern}.{KEY[column]}"
        case _:
            return "?"
