"""Hidden facts: the inferred facts whose proofs rest on a fact that is gone since they were derived.

A fact is gone when it is deleted or gets weight 0, until the next run, even if it is asserted again. Three tables store
what is hidden, and each read finds it in its own snapshot. So all connections give the same answer, whatever the order
of readers, writers and runs, and a read writes nothing:

- `Change.gone`, in the journal: which facts are gone, and whether the facts that rest on them are known;
- `HiddenFact`: the inferred facts that rest on those, as far as they are known;
- `HiddenGeneration`: the generation of inferred facts that the other two refer to.

If some of this is not known, all inferred facts are hidden. Too much may be hidden, never too little.
"""

from triples.models import Gone
from triples.store.dialect import Dialect

FACTS = "triples_hiddenfact"
# The index by key.
INDEX = "hidden_key"
GENERATION = "triples_hiddengeneration"


def worst_gone(changes_up_to: str, dialect: Dialect) -> str:
    """An SQL expression for the greatest `Gone` of the changes after `changes_up_to`; NULL if no fact is gone."""
    table = "triples_change" + (" INDEXED BY change_gone" if dialect.names_indexes else "")
    return f"(SELECT gone FROM {table} WHERE gone IS NOT NULL AND id > {changes_up_to} ORDER BY gone DESC LIMIT 1)"


def is_known(generation: str) -> str:
    """An SQL expression that is true if the stored hidden facts are those of this generation."""
    return f"EXISTS (SELECT 1 FROM {GENERATION} WHERE generation = {generation})"


def everything_is_hidden(worst: int | None, *, known: bool) -> bool:
    return worst is not None and (not known or worst == Gone.UNFOLLOWED)


def something_is_hidden(worst: int | None) -> bool:
    return worst is not None and worst >= Gone.FOLLOWED
