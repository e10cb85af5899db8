"""How inferred facts are laid out, the same in both databases.

They stand apart from the asserted ones, because one writer makes them all at once and can always make them again.
On SQLite they are a file of their own (`triples.store.sqlite.inferred_files`), on PostgreSQL tables beside the others,
which the migration made as they are described here.
"""

from collections.abc import Callable
from typing import NamedTuple

from triples.recursion.programs import Program

# Who watches a build is told how many of its steps are done, and how many there are.
Progress = Callable[[int, int], None]

# SQLite's `user_version` of a file that is laid out like this; other files count as none.
VERSION = 1

FACTS = "triples_inferredtriple"
STATE = "triples_materialisation"

KEY = ("subject_id", "predicate_id", "object_id")
PROOF = ("weight", "depth", "rule", "free1", "free_rest")
COLUMNS = (*KEY, *PROOF)

# Answers come by falling weight and then by key. One subject's facts are few and found by the primary key.
INDEXES = {
    "inferred_any": ("weight DESC",),
    "inferred_p": ("predicate_id", "weight DESC"),
    "inferred_o": ("object_id", "weight DESC"),
    "inferred_po": ("predicate_id", "object_id", "weight DESC"),
    # For the facts whose proof has a certain premise. Those of one subject are few.
    "inferred_proof": ("rule", "free1", "object_id", "predicate_id"),
}

# To pick the heaviest of all facts, or of one object's, whatever their predicate. Where a program derives few
# predicates, the heaviest of each are picked and merged instead: an index less is a tenth of a run saved.
_OF_ANY_PREDICATE = {"inferred_any", "inferred_o"}
MOST_MERGED = 16


def merged_predicates(program: Program) -> tuple[int, ...] | None:
    """The predicates whose facts are merged, since no index has them all in order; None where one has."""
    predicates = program.predicates
    return predicates if predicates and len(predicates) <= MOST_MERGED else None


def index_names(program: Program) -> list[str]:
    """The indexes that the facts of a program have."""
    merged = merged_predicates(program) is not None
    return [name for name in INDEXES if not (merged and name in _OF_ANY_PREDICATE)]


class Types(NamedTuple):
    """What a database calls the types of the columns."""

    id: str
    whole: str
    float: str
    text: str


_FACTS = (
    "subject_id {id} NOT NULL, predicate_id {id} NOT NULL, object_id {id} NOT NULL,"
    " weight {float} NOT NULL, depth {whole} NOT NULL, rule {whole} NOT NULL, free1 {id}, free_rest {text}"
)
# `id` is always 1: the state is one row.
_STATE = (
    "id {whole} NOT NULL PRIMARY KEY CHECK (id = 1), generation {id} NOT NULL,"
    " triples_up_to {id} NOT NULL, changes_up_to {id} NOT NULL, facts {id} NOT NULL, complete_above {float},"
    " parameters {text} NOT NULL, program {text} NOT NULL, written_ms {id} NOT NULL"
)


def facts_columns(types: Types) -> str:
    """The columns of the table of facts, for a statement that makes it; the primary key comes apart."""
    return _FACTS.format(**types._asdict())


def state_columns(types: Types) -> str:
    """The columns of the table of the one row of state."""
    return _STATE.format(**types._asdict())
