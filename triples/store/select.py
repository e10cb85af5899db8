"""The SQL that selects facts, the same for both databases.

A statement reads an index that has the facts in the answer's order, no further than needed, and joins only the answered
facts with their texts. Asserted and inferred facts are read separately and merged. The statement itself looks up
constants that are given as texts, so a query costs one round trip, and no remembered id can be stale.
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

# How the values of the given columns are passed: as parameters, either texts, which are looked up, or ids; as one JSON
# array of keys; or as `Dialect.numbered_table`, with many values for each column.
Given = Literal["texts", "ids", "keys", "numbered"]

# The range of facts, by falling weight: all; those of at least a weight; those from one weight down to another; those
# of one weight, all or after a position; those below a weight, down to another. Weights and position are parameters.
Start = Literal["any", "top", "between", "whole weight", "same weight", "lighter"]

# Names of columns; a minus means descending.
Order = tuple[str, ...]

# At equal weight the asserted facts come first, by id, then the inferred ones by key.
BOTH_KINDS_HEAVIEST: Order = ("-weight", "id IS NULL", "id", *KEY)

# The columns of a selection that have the texts of the three places.
TEXTS = ("subject", "predicate", "object")

# The column with the number of the given values for which a fact was found; see `Given`.
NUMBER = "number"

OF_SHAPE = "the index of the shape"
NO_INDEX = ""


class Select(NamedTuple):
    """The selection of facts, and of the columns that are read.

    The statement's parameters are the given columns, the bounds of `start`, and the limit. For both kinds, they are
    those for the asserted facts, those for the inferred facts, and the limit. See also `InferredFilter.merged_for`.
    """

    kind: Kind | Literal["both"]
    # NUMBER, columns of the tables, and last TEXTS. If facts are merged or limited, the columns of `order` are needed.
    columns: tuple[str, ...] = ()
    # Tells which of subject, predicate and object are given.
    shape: Shape = ANY
    given: Given = "texts"
    # Other columns that are given.
    others_given: tuple[str, ...] = ()
    # Columns that must have a certain number, which is part of the statement.
    fixed: tuple[tuple[str, int], ...] = ()
    # Pairs of places, counted from 0, that must hold the same term.
    equal: tuple[tuple[int, int], ...] = ()
    start: Start = "any"
    order: Order = ()
    # "given" means that the limit is a parameter.
    limit: int | Literal["given"] | None = None
    # If False, NULL is read in place of metadata.
    metadata: bool = True
    # If True, only the number of facts is read, up to the limit.
    counted: bool = False
    # If None, inferred facts are selected even if they are not visible.
    filter: InferredFilter | None = None
    # The index that SQLite is told to use; for one kind only.
    by_index: str = OF_SHAPE


def heaviest_first(
    kind: Kind | Literal["both"], columns: tuple[str, ...], shape: Shape, start: Start, given: Given = "texts"
) -> Select:
    """The facts of a shape in the order of answers, up to a given limit. Inferred facts are not filtered yet."""
    order = BOTH_KINDS_HEAVIEST if kind == "both" else HEAVIEST[kind]
    return Select(kind, columns, shape, given=given, start=start, order=order, limit="given")


def shape_of(pattern: Iterable[object]) -> Shape:
    """The shape of a pattern: which of its places are given, and not None."""
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
    """The selected facts, which are few, joined with the terms of some places."""
    columns = select.columns[: -len(texts)]
    needed = [f"{text}_id" for text in texts if f"{text}_id" not in columns]
    picked = _picked(select._replace(columns=(*columns, *needed)), dialect)
    shown = ", ".join([*(f"t.{column}" for column in columns), *map(_text, texts)])
    return f"SELECT {shown} FROM ({picked}) AS t{_terms(texts, 't', dialect)}{order_by(select.order, 't.')}"


def _picked(select: Select, dialect: Dialect) -> str:
    """The first facts of all parts, merged."""
    parts = _parts(select)
    end = f"{order_by(select.order, '' if parts else _alias(select) + '.')}{_limit(select)}"
    if not parts:
        read = ", ".join(_column(column, select, dialect) for column in select.columns)
        return f"SELECT {read} {_from(select, dialect)}{end}"
    picks = [f"SELECT * FROM ({_picked(part, dialect)}) AS part_{number}" for number, part in enumerate(parts)]
    return f"SELECT * FROM ({' UNION ALL '.join(picks)}) AS merged{end}"


def _parts(select: Select) -> list[Select]:
    """The parts to merge: the two kinds, or the predicates if no index has all inferred facts in order; else none."""
    if select.kind == "both":
        return [select._replace(kind=kind, order=_order_of_one(select.order, kind)) for kind in TABLES]
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


def _order_of_one(order: Order, kind: Kind) -> Order:
    return HEAVIEST[kind] if order == BOTH_KINDS_HEAVIEST else order


def _of_one_table(select: Select) -> Iterator[Select]:
    """The parts that consist of no further parts."""
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
    """The expressions that the given columns are compared with."""
    match select.given:
        case "texts":
            term = f"(SELECT id FROM triples_term WHERE {dialect.term_key} = ?)"
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
    """The joins with the terms, which are read after the facts."""
    return "".join(f" {dialect.join} triples_term AS {text[0]} ON {text[0]}.id = {alias}.{text}_id" for text in texts)


def order_by(order: Order, prefix: str = "") -> str:
    terms = [prefix + (f"{column[1:]} DESC" if column.startswith("-") else column) for column in order]
    return f" ORDER BY {', '.join(terms)}" if terms else ""


def _limit(select: Select) -> str:
    if select.limit is None:
        return ""
    return f" LIMIT {'?' if select.limit == 'given' else select.limit}"
