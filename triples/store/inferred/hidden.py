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

FACTS = "triples_hiddenfact"
# By the keys.
INDEX = "hidden_key"
GENERATION = "triples_hiddengeneration"


def is_of_another_generation(generation: str) -> str:
    """The condition that what is hidden is stored for another generation than this one, an SQL expression."""
    return f"NOT EXISTS (SELECT 1 FROM {GENERATION} WHERE generation = {generation})"


def has_gone(kind: Gone, changes_up_to: str) -> str:
    """The condition that facts are gone, in this way, since the changes up to a mark, an SQL expression."""
    return f"EXISTS (SELECT 1 FROM triples_change WHERE gone = {kind:d} AND id > {changes_up_to})"


def everything_is_hidden(generation: str, changes_up_to: str) -> str:
    """The condition that no inferred fact of a generation may be shown."""
    unknown = f"{has_gone(Gone.FOLLOWED, changes_up_to)} AND {is_of_another_generation(generation)}"
    return f"({has_gone(Gone.UNFOLLOWED, changes_up_to)} OR ({unknown}))"


SOMETHING_IS_HIDDEN = f"EXISTS (SELECT 1 FROM {FACTS})"
