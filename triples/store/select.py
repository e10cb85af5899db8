"""Selections of facts as SQL, the same for both databases.

Facts are picked by an index that has them in the answer's order, no more than are wanted, and only those that are
answered are joined with their texts. Each kind is picked so, and what was picked is merged. A constant that is given
as a text is looked up in the term dictionary by the statement itself, so a query costs one round trip and no remembered
id can be stale.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Literal, NamedTuple

from triples.patterns import Shape
from triples.store.dialect import Dialect
from triples.store.fact_tables import (
    ANY,
    COMPUTED,
    HEAVIEST,
    NO_METADATA,
    TABLES,
    InferredFilter,
    Kind,
    conditions_of_visible,
    index_name,
)
from triples.store.inferred.layout import KEY

# How the given columns' values come: as parameters, of which texts are looked up; as one JSON array of keys; as
# `Dialect.numbered_table`, which has many values for each column.
Given = Literal["texts", "ids", "keys", "numbered"]

# Which facts in the order of falling weight: all; those of a weight and above; those from one weight down to another;
# those of one weight, all or from a position on; those below a weight, down to another. The weights and the position
# are parameters.
Start = Literal["any", "top", "between", "whole weight", "same weight", "lighter"]

# Names of columns, with a minus for falling values.
Order = tuple[str, ...]

# At equal weight the asserted facts come first, by id, then the inferred ones by key.
BOTH_KINDS_HEAVIEST: Order = ("-weight", "id IS NULL", "id", *KEY)

# The texts of the three places, as columns of a selection.
TEXTS = ("subject", "predicate", "object")

# Of the given values that a fact was found for, where they are numbered.
NUMBER = "number"

OF_SHAPE = "the index of the shape"
NO_INDEX = ""


class Select(NamedTuple):
    """Which facts are selected, and what is read of each.

    Parameters of the statement: the given columns, the bounds of `start`, the limit; of both kinds, these for the
    asserted, then for the inferred facts, then the limit. See also `InferredFilter.merged_for`.
    """

    kind: Kind | Literal["both"]
    # NUMBER, columns of the tables, those of `order` among them where facts are merged or limited, and last TEXTS.
    columns: tuple[str, ...] = ()
    # Which of subject, predicate and object are given.
    shape: Shape = ANY
    given: Given = "texts"
    # Other columns that are given.
    others_given: tuple[str, ...] = ()
    # Columns with a number that is part of the statement.
    fixed: tuple[tuple[str, int], ...] = ()
    # Pairs of places, counted from 0, that must hold the same term.
    equal: tuple[tuple[int, int], ...] = ()
    start: Start = "any"
    order: Order = ()
    # "given": it is a parameter.
    limit: int | Literal["given"] | None = None
    # Whether metadata is read, or NULL in its place.
    metadata: bool = True
    # Only the number of facts is read, up to the limit.
    counted: bool = False
    # None: inferred facts are selected whether they are visible or not.
    filter: InferredFilter | None = None
    # Of one kind, which index SQLite is told to use.
    by_index: str = OF_SHAPE


def shape_of(pattern: Iterable[object]) -> Shape:
    """Which places of a pattern are given; None stands for anything."""
    subject, predicate, object_ = pattern
    return (subject is not None, predicate is not None, object_ is not None)


def given_columns(select: Select) -> tuple[str, ...]:
    return (*(column for column, given in zip(KEY, select.shape, strict=True) if given), *select.others_given)


@cache
def sql(select: Select, dialect: Dialect) -> str:
    """The statement, with the database's own placeholders."""
    if select.counted:
        tables = " UNION ALL ".join(f"SELECT 1 {_from(part, dialect)}" for part in _of_one_table(select))
        statement = f"SELECT count(*) FROM ({tables}{_limit(select)}) AS matches"
    elif select.limit is not None and (texts := _texts(select)):
        statement = _with_texts(select, texts, dialect)
    else:
        statement = _picked(select, dialect)
    return dialect.prepared(statement)


def _with_texts(select: Select, texts: list[str], dialect: Dialect) -> str:
    """The few facts that are picked, joined with the terms of some places."""
    columns = select.columns[: -len(texts)]
    needed = [f"{text}_id" for text in texts if f"{text}_id" not in columns]
    picked = _picked(select._replace(columns=(*columns, *needed)), dialect)
    shown = ", ".join([*(f"t.{column}" for column in columns), *map(_text, texts)])
    return f"SELECT {shown} FROM ({picked}) AS t{_terms(texts, 't', dialect)}{order_by(select.order, 't.')}"


def _picked(select: Select, dialect: Dialect) -> str:
    """The first facts of each part, merged."""
    parts = _parts(select)
    end = f"{order_by(select.order, '' if parts else _alias(select) + '.')}{_limit(select)}"
    if not parts:
        read = ", ".join(_column(column, select, dialect) for column in select.columns)
        return f"SELECT {read} {_from(select, dialect)}{end}"
    picks = [f"SELECT * FROM ({_picked(part, dialect)}) AS part_{number}" for number, part in enumerate(parts)]
    return f"SELECT * FROM ({' UNION ALL '.join(picks)}) AS merged{end}"


def _parts(select: Select) -> list[Select]:
    """The two kinds; the facts of each predicate where no index has all inferred ones in order; none otherwise."""
    if select.kind == "both":
        return [select._replace(kind=kind, order=HEAVIEST[kind] if select.order else ()) for kind in TABLES]
    if select.kind == "asserted" or select.filter is None:
        return []
    one = select._replace(
        filter=select.filter._replace(merged=None),
        by_index=index_name("inferred", (select.shape[0], True, select.shape[2])),
    )
    return [
        one._replace(fixed=(("predicate_id", predicate), *select.fixed))
        for predicate in select.filter.merged_for(select.shape)
    ]


def _of_one_table(select: Select) -> Iterator[Select]:
    """The parts that have no parts."""
    parts = _parts(select)
    for part in parts:
        yield from _of_one_table(part)
    if not parts:
        yield select


def _alias(select: Select) -> str:
    return "f" if select.kind == "asserted" else "i"


def _column(name: str, select: Select, dialect: Dialect) -> str:
    assert select.kind != "both"
    alias = _alias(select)
    if name in TEXTS:
        return _text(name)
    if name == NUMBER:
        return f"{dialect.numbered_row} AS {NUMBER}"
    if name in COMPUTED[select.kind]:
        return f"{COMPUTED[select.kind][name].format(alias)} AS {name}"
    if name == "metadata":
        return f"{f'{alias}.{dialect.metadata}' if select.metadata else NO_METADATA} AS metadata"
    return f"{alias}.{name}"


def _from(select: Select, dialect: Dialect) -> str:
    """The tables and the conditions of a selection of one kind."""
    assert select.kind != "both"
    alias = _alias(select)
    index = index_name(select.kind, select.shape) if select.by_index == OF_SHAPE else select.by_index
    table = f"{TABLES[select.kind]} AS {alias}"
    if index:
        table = dialect.indexed(table, index)
    conditions = " AND ".join(_conditions(select, alias, dialect)) or "TRUE"
    terms = _terms(_texts(select), alias, dialect)
    if select.given in {"texts", "ids"}:
        return f"FROM {table}{terms} WHERE {conditions}"
    given = dialect.keys_table if select.given == "keys" else dialect.numbered_table(given_columns(select))
    return f"FROM {given} {dialect.join} {table} ON {conditions}{terms}"


def _conditions(select: Select, alias: str, dialect: Dialect) -> Iterator[str]:
    for column, number in select.fixed:
        yield f"{alias}.{column} = {number}"
    columns = given_columns(select)
    for column, value in zip(columns, _values(select, columns, dialect), strict=True):
        yield f"{alias}.{column} = {value}"
    for left, right in select.equal:
        yield f"{alias}.{KEY[left]} = {alias}.{KEY[right]}"
    yield from _bounds(select, alias)
    if select.kind == "inferred" and select.filter is not None:
        yield from conditions_of_visible(select.filter, alias, dialect)


def _values(select: Select, columns: Sequence[str], dialect: Dialect) -> list[str]:
    """What the given columns are compared with."""
    match select.given:
        case "texts":
            term = "(SELECT id FROM triples_term WHERE text = ?)"
            return [term if column in KEY else "?" for column in columns]
        case "ids":
            return ["?"] * len(columns)
        case "keys":
            return [dialect.key_column(KEY.index(column)) for column in columns]
        case "numbered":
            return [dialect.numbered_column(place, column) for place, column in enumerate(columns)]


def _bounds(select: Select, alias: str) -> list[str]:
    weight = f"{alias}.weight"
    key = ", ".join(f"{alias}.{column}" for column in KEY)
    behind = f"{alias}.id > ?" if select.kind == "asserted" else f"({key}) > (?, ?, ?)"
    bounds: dict[Start, list[str]] = {
        "any": [],
        "top": [f"{weight} >= ?"],
        "between": [f"{weight} <= ?", f"{weight} >= ?"],
        "whole weight": [f"{weight} = ?"],
        "same weight": [f"{weight} = ?", behind],
        "lighter": [f"{weight} < ?", f"{weight} >= ?"],
    }
    return bounds[select.start]


def _texts(select: Select) -> list[str]:
    return [column for column in select.columns if column in TEXTS]


def _text(place: str) -> str:
    return f"{place[0]}.text"


def _terms(texts: Iterable[str], alias: str, dialect: Dialect) -> str:
    """The facts come first, then their terms."""
    return "".join(f" {dialect.join} triples_term AS {text[0]} ON {text[0]}.id = {alias}.{text}_id" for text in texts)


def order_by(order: Order, prefix: str = "") -> str:
    terms = [prefix + (f"{column[1:]} DESC" if column.startswith("-") else column) for column in order]
    return f" ORDER BY {', '.join(terms)}" if terms else ""


def _limit(select: Select) -> str:
    if select.limit is None:
        return ""
    return f" LIMIT {'?' if select.limit == 'given' else select.limit}"
