"""Counts of the facts that a run adds, changes and removes."""

from typing import NamedTuple


class Counts(NamedTuple):
    """Numbers of derived facts that are new, that have another weight or proof, and that are gone."""

    added: int
    changed: int
    removed: int
