"""The layout of the inferred facts' tables, which is the same in both databases.

They are apart from the asserted facts, because one writer makes all of them at once and can always make them again. On
SQLite they are in a file of their own (`triples.store.sqlite.inferred_files`), on PostgreSQL in tables that a migration
made with this layout.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from triples.recursion.programs import Key, Program, Proof

# Reports the progress of a build: how many of its steps are done, and how many there are.
Progress = Callable[[int, int], None]

# SQLite's `user_version` of a file with this layout. Files of other versions are ignored.
VERSION = 1

FACTS = "triples_inferredtriple"
STATE = "triples_materialisation"

KEY = ("subject_id", "predicate_id", "object_id")
PROOF = ("weight", "depth", "rule", "free1", "free_rest")
COLUMNS = (*KEY, *PROOF)

# Answers are sorted by falling weight and then by key. One subject's facts are few, so the primary key finds them.
INDEXES = {
    "inferred_any": ("weight DESC",),
    "inferred_p": ("predicate_id", "weight DESC"),
    "inferred_o": ("object_id", "weight DESC"),
    "inferred_po": ("predicate_id", "object_id", "weight DESC"),
    # Finds the facts whose proof has a certain premise.
    "inferred_proof": ("rule", "free1", "object_id", "predicate_id"),
}

# These find the heaviest of all facts, or of one object's facts, whatever their predicate. If a program derives few
# predicates, the heaviest facts of each are read and merged instead: one index less saves a tenth of a run.
_OF_ANY_PREDICATE = {"inferred_any", "inferred_o"}
MOST_MERGED = 16


def merged_predicates(program: Program) -> tuple[int, ...] | None:
    """The predicates whose facts are merged because no index has all facts in order. None if an index has them."""
    predicates = program.predicates
    return predicates if predicates and len(predicates) <= MOST_MERGED else None


def index_names(program: Program) -> list[str]:
    """The indexes of the facts of a program."""
    merged = merged_predicates(program) is not None
    return [name for name in INDEXES if not (merged and name in _OF_ANY_PREDICATE)]


class Types(NamedTuple):
    """A database's names for the types of the columns."""

    id: str
    whole: str
    float: str
    text: str


_FACTS = (
    "subject_id {id} NOT NULL, predicate_id {id} NOT NULL, object_id {id} NOT NULL,"
    " weight {float} NOT NULL, depth {whole} NOT NULL, rule {whole} NOT NULL, free1 {id}, free_rest {text}"
)
# The state is one row; its `id` is 1.
_STATE = (
    "id {whole} NOT NULL PRIMARY KEY CHECK (id = 1), generation {id} NOT NULL,"
    " triples_up_to {id} NOT NULL, changes_up_to {id} NOT NULL, facts {id} NOT NULL, complete_above {float},"
    " parameters {text} NOT NULL, program {text} NOT NULL, written_ms {id} NOT NULL"
)


def rows_of(put: Mapping[Key, Proof]) -> Iterator[tuple[Any, ...]]:
    """Derived facts as rows of `COLUMNS`, sorted by key."""
    for key in sorted(put):
        weight, depth, rule, free = put[key]
        rest = orjson.dumps(free[1:]).decode() if len(free) > 1 else None
        yield *key, weight, depth, rule, free[0] if free else None, rest


def facts_columns(types: Types) -> str:
    """The columns of the table of facts for CREATE TABLE, without the primary key."""
    return _FACTS.format(**types._asdict())


def state_columns(types: Types) -> str:
    """The columns of the table of the state for CREATE TABLE."""
    return _STATE.format(**types._asdict())
