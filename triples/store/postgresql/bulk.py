"""Bulk loads on PostgreSQL, where only those wait that add the same new terms, or add to the same subjects."""

SLICE_SECONDS = 0.5
SLICES = 1


def others_wait() -> bool:
    """True, since the server does not tell."""
    return True


def give_way() -> None:
    """Nothing to do: the commit has let the others go on."""


def initial_load(_facts: float) -> None:
    """None: indexes that are made once all rows are there would keep others from reading meanwhile."""
