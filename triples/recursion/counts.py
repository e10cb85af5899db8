"""How many facts a run adds, changes and removes."""

from typing import NamedTuple


class Counts(NamedTuple):
    """How many derived facts are new, have another weight or proof, and are gone."""

    added: int
    changed: int
    removed: int
