"""Which inferred facts must not be shown: those whose proofs rest on a fact that is gone since they were derived.

A fact is gone from its deletion on, or from when it gets weight 0, until the next run; asserting it again changes
nothing. What is hidden is stored in the database, and each read finds it in its own snapshot. So all connections give
one answer, whatever the order of readers, writers and runs, and a read writes nothing:

- `Change.gone` of the journal: which facts are gone, and whether what rests on them is known;
- `HiddenFact`: the inferred facts that rest on those, as far as it is known;
- `HiddenGeneration`: the generation of inferred facts that both are about.

While something is not known, all inferred facts are hidden. Too much may be hidden, never too little.
"""

from triples.models import Gone
from triples.store.dialect import Dialect

FACTS = "triples_hiddenfact"
# By the keys.
INDEX = "hidden_key"
GENERATION = "triples_hiddengeneration"


def worst_gone(changes_up_to: str, dialect: Dialect) -> str:
    """An SQL expression: the greatest `Gone` since the changes up to a mark, NULL when no fact is gone."""
    table = "triples_change" + (" INDEXED BY change_gone" if dialect.names_indexes else "")
    return f"(SELECT gone FROM {table} WHERE gone IS NOT NULL AND id > {changes_up_to} ORDER BY gone DESC LIMIT 1)"


def is_known(generation: str) -> str:
    """An SQL expression: whether what is stored is about this generation."""
    return f"EXISTS (SELECT 1 FROM {GENERATION} WHERE generation = {generation})"


def everything_is_hidden(worst: int | None, *, known: bool) -> bool:
    return worst is not None and (not known or worst == Gone.UNFOLLOWED)


def something_is_hidden(worst: int | None) -> bool:
    return worst is not None and worst >= Gone.FOLLOWED
