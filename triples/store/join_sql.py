"""The SQL that joins the facts of several patterns, from partial answers that are given, or from a part of a pattern.

The given rows are one parameter: a JSON array of arrays of numbers, of which the first is the number of the row. A part
is a range of the first pattern's facts: their weights, or their terms in a column, are what is given.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from typing import Literal, NamedTuple

from triples.store.dialect import Dialect
from triples.store.fact_tables import TABLES, InferredFilter, Kind, conditions_of_visible, index_name
from triples.store.inferred.layout import KEY

# Rather than to go through so many facts of a subject, each object is looked up.
_MANY = 300


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


# What begins a join: rows; or facts of the first pattern: those with some terms in a column, those between two weights,
# or those of one weight, all after an id or up to another one.
Begin = Literal["rows", "terms 0", "terms 1", "terms 2", "between", "rest of weight", "part of weight"]


# What is read of a join.
Wanted = Literal["rows", "number"] | tuple[OfRow | OfFact, ...]


@cache
def joined(
    patterns: tuple[JoinedPattern, ...],
    dialect: Dialect,
    visible: InferredFilter | None,
    begin: Begin = "rows",
    wanted: Wanted = "rows",
    *,
    by_column: int | None = None,
    present: tuple[JoinedPattern, ...] = (),
) -> str:
    """Up to a limit of rows with the number of the given row, and for each pattern the read columns, weight and id.

    Or how many rows there are, or only some terms of each, in the order of the first of these. SQLite sorts nothing for
    it where the first pattern is looked up by such a term.
    `by_column` reads the asserted facts of the first pattern, of which nothing but the predicate is given, in the order
    of that column. With `present`, of a part of asserted facts, there must be a fact of each of these patterns, too.

    Parameters, as often as there are `combinations`: the given rows, and for each pattern its constants and a least
    weight. Without given rows, those of the first pattern come last, and what `begin_conditions` needs. Then those of
    `present`, and the limit.
    """
    # What is only counted is found in the index alone.
    read = ["1"] if wanted == "number" else None if wanted == "rows" else [_value(one, dialect) for one in wanted]
    parts = [
        _of_kinds(patterns, kinds, dialect, visible, begin, read, by_column=by_column)
        + "".join(f" AND {_stands(pattern, dialect)}" for pattern in present)
        for kinds in combinations(len(patterns), visible, begin)
    ]
    order = " ORDER BY 1" if isinstance(wanted, tuple) else ""
    statement = f"{' UNION ALL '.join(parts)}{order} LIMIT ?"
    return dialect.prepared(f"SELECT count(*) FROM ({statement}) AS counted" if wanted == "number" else statement)


@cache
def grouped(
    patterns: tuple[JoinedPattern, ...],
    dialect: Dialect,
    visible: InferredFilter | None,
    begin: Begin,
    terms: tuple[OfRow | OfFact, ...],
    factors: tuple[int, ...],
) -> str:
    """The different terms of a join's rows; with each the number of rows that have them, and their greatest weight.

    The weight of a row is the product of its facts' weights, multiplied in the order in which `factors` names patterns.
    Parameters as of `joined`, with the least weight of a row in place of the limit, for each of the `combinations`.
    """
    weight = " * ".join(f"f{pattern}.weight" for pattern in factors)
    names = [f"term{number}" for number in range(len(terms))]
    read = [f"{_value(one, dialect)} AS {name}" for one, name in zip(terms, names, strict=True)]
    rows = " UNION ALL ".join(
        f"{_of_kinds(patterns, kinds, dialect, visible, begin, [*read, f'{weight} AS weight'])} AND {weight} >= ?"
        for kinds in combinations(len(patterns), visible, begin)
    )
    by = ", ".join(names)
    return dialect.prepared(f"SELECT {by}, count(*), max(weight) FROM ({rows}) AS found GROUP BY {by}")


@cache
def numbers(patterns: tuple[JoinedPattern, ...], dialect: Dialect, visible: InferredFilter | None) -> str:
    """The number of each given row, and how many facts of it the patterns find, in the order of the rows.

    Parameters: for each pattern and kind of facts the constants, the least weight, and a limit; the given rows.
    """
    counts: list[str] = []
    for pattern in patterns:
        for [kind] in combinations(1, visible):
            table, where = _table(pattern, kind, dialect, visible, "rows", "f0")
            facts = f"SELECT 1 FROM {table} WHERE {' AND '.join(where)} LIMIT ?"
            counts.append(f"(SELECT count(*) FROM ({facts}) AS counted)")
    number = dialect.key_column(0)
    return dialect.prepared(f"SELECT {number}, {' + '.join(counts)} FROM {dialect.keys_table} ORDER BY 1")


@cache
def linked(kind: Kind, dialect: Dialect, visible: InferredFilter | None, *, predicate: bool) -> str:
    """The facts from any of some subjects to any of some objects.

    The index of keys has the objects of a subject. SQLite goes through all of them, but where they are many it looks up
    each object. Only of the facts that are found, more is read.
    Parameters: two batches of one place, subjects and objects; the predicate if one is given; the least weight; for
    SQLite all of these once more; a limit.
    """
    exact = index_name(kind, (True, False, True))
    subject = dialect.key_column(0)
    given = f"IN (SELECT {dialect.key_column(0)} FROM {dialect.keys_table})"
    wanted = [*(["+f.predicate_id = ?"] if predicate else []), "f.weight >= ?"]
    shown = conditions_of_visible(visible, "f", dialect) if kind == "inferred" and visible is not None else []
    id_ = "f.id" if kind == "asserted" else "CAST(NULL AS BIGINT)"
    read = f"SELECT f.subject_id, f.predicate_id, f.object_id, f.weight, {id_}"
    if not dialect.names_indexes:
        # PostgreSQL might read the whole table.
        of_one = " AND ".join([f"f.subject_id = {subject}", *shown])
        facts = f"LATERAL (SELECT * FROM {TABLES[kind]} AS f WHERE {of_one}{dialect.keep_apart}) AS f"
        where = " AND ".join([f"f.object_id {given}", *wanted])
        return dialect.prepared(f"{read} FROM {dialect.keys_table} {dialect.join} {facts} ON {where} LIMIT ?")
    table, many = [dialect.indexed(f"{TABLES[kind]} AS {alias}", exact) for alias in "fm"]
    number = f"(SELECT count(*) FROM (SELECT 1 FROM {many} WHERE m.subject_id = {subject} LIMIT {_MANY}) AS counted)"
    # The plus keeps SQLite from looking up each object.
    few, all_ = [
        f"{read} FROM {dialect.keys_table} {dialect.join} {table}"
        f" ON {' AND '.join([f'f.subject_id = {subject}', f'{column} {given}', *wanted, *shown])}"
        for column in ("+f.object_id", "f.object_id")
    ]
    return dialect.prepared(f"{few} WHERE {number} < {_MANY} UNION ALL {all_} WHERE {number} = {_MANY} LIMIT ?")


def combinations(patterns: int, visible: InferredFilter | None, begin: Begin = "rows") -> Sequence[tuple[Kind, ...]]:
    """The kinds of facts that the patterns are joined with, one combination after the other."""
    kinds: tuple[Kind, ...] = ("asserted",) if visible is None else ("asserted", "inferred")
    # Of one weight, the asserted facts come first.
    firsts: tuple[Kind, ...] = ("asserted",) if begin == "part of weight" else kinds
    return list(product(firsts, *[kinds] * (patterns - 1)))


def begin_conditions(begin: Begin, kind: Kind, alias: str, dialect: Dialect) -> list[str]:
    """The conditions of a part. Only asserted facts of one weight are told apart, by their ids."""
    match begin:
        case "rows":
            return []
        case "terms 0" | "terms 1" | "terms 2":
            terms = f"SELECT {dialect.key_column(0)} FROM {dialect.keys_table}"
            return [f"{alias}.{KEY[int(begin[-1])]} IN ({terms})"]
        case "between":
            return [f"{alias}.weight <= ?", f"{alias}.weight > ?"]
        case "rest of weight":
            return [f"{alias}.weight = ?", *([f"{alias}.id > ?"] if kind == "asserted" else [])]
        case "part of weight":
            return [f"{alias}.weight = ?", f"{alias}.id > ?", f"{alias}.id <= ?"]


def _of_kinds(
    patterns: Sequence[JoinedPattern],
    kinds: Sequence[Kind],
    dialect: Dialect,
    visible: InferredFilter | None,
    begin: Begin,
    wanted: Sequence[str] | None,
    *,
    by_column: int | None = None,
) -> str:
    """The rows of a join with these kinds of facts: what is wanted, or else what `joined` says of rows."""
    read = [dialect.key_column(0) if begin == "rows" else "0"]
    tables = [dialect.keys_table] if begin == "rows" else []
    first = ""
    for number, (pattern, kind) in enumerate(zip(patterns, kinds, strict=True)):
        alias = f"f{number}"
        read += [f"{alias}.{KEY[column]}" for column in pattern.read]
        read += [f"{alias}.weight", f"{alias}.id" if kind == "asserted" else "CAST(NULL AS BIGINT)"]
        column = by_column if number == 0 else None
        table, conditions = _table(
            pattern, kind, dialect, visible, begin if number == 0 else "rows", alias, by_column=column
        )
        where = " AND ".join(conditions)
        # The first table of all has nothing to be joined on.
        if tables:
            tables.append(f"{table} ON {where}")
        else:
            tables, first = [table], where
    joined_tables = f" {dialect.join} ".join(tables)
    return f"SELECT {', '.join(wanted or read)} FROM {joined_tables}{f' WHERE {first}' if first else ''}"


def _table(
    pattern: JoinedPattern,
    kind: Kind,
    dialect: Dialect,
    visible: InferredFilter | None,
    begin: Begin,
    alias: str,
    *,
    by_column: int | None = None,
) -> tuple[str, list[str]]:
    """The table of facts of a pattern, with the index to read, and the conditions."""
    given = [term is not None for term in pattern.terms]
    if begin.startswith("terms"):
        given[int(begin[-1])] = True
    subject, predicate, object_ = given
    # Not every index of inferred facts is there: those of predicates always are.
    merged = visible.merged_for((subject, predicate, object_)) if kind == "inferred" and visible else ()
    if by_column is not None and kind == "asserted":
        subject, object_ = by_column == 0, by_column == 2
    index = index_name(kind, (subject, predicate or bool(merged), object_))
    conditions = [*_conditions(pattern, alias, dialect), *begin_conditions(begin, kind, alias, dialect)]
    if merged:
        conditions.append(f"{alias}.predicate_id IN ({', '.join(map(str, merged))})")
    if kind == "inferred" and visible is not None:
        conditions += conditions_of_visible(visible, alias, dialect)
    return dialect.indexed(f"{TABLES[kind]} AS {alias}", index), conditions


def _stands(pattern: JoinedPattern, dialect: Dialect) -> str:
    """The condition that there is an asserted fact of the pattern."""
    subject, predicate, object_ = pattern.terms
    index = index_name("asserted", (subject is not None, predicate is not None, object_ is not None))
    table = dialect.indexed(f"{TABLES['asserted']} AS e", index)
    return f"EXISTS (SELECT 1 FROM {table} WHERE {' AND '.join(_conditions(pattern, 'e', dialect))})"


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
