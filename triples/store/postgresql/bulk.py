"""Bulk loads on PostgreSQL, where a writer waits only for one that adds the same new terms or to the same subjects."""

SLICE_SECONDS = 0.5
SLICES = 1


def others_wait() -> bool:
    """True: the server does not tell."""
    return True


def give_way() -> None:
    """Nothing to do: after the commit, the other writers go on."""


def initial_load(_facts: float) -> None:
    """None: to rebuild the indexes after all rows would block reads meanwhile."""
