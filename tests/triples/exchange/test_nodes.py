"""The nodes of a property graph cost the same each, however alike their names are."""

from collections.abc import Callable

import pytest

from triples.exchange.graphs.nodes import Nodes

NAMES: dict[str, Callable[[int], str | None]] = {
    "all different": lambda number: f"name {number}",
    "all the same": lambda _: "one",
    "two of each": lambda number: f"name {number // 2}",
    "a long beginning in common": lambda number: f"{'x' * 200}{number}",
    "that of another's id": lambda number: f"n{number + 1}",
    "none": lambda _: None,
}


def steps(number: int, name: Callable[[int], str | None]) -> int:
    """The steps of SQLite's machine, in thousands, that so many nodes take."""
    taken = 0

    def count() -> int:
        nonlocal taken
        taken += 1
        return 0

    with Nodes() as nodes:
        nodes._database.set_progress_handler(count, 1_000)
        nodes.gather((f"n{place}", name(place)) for place in range(number))
        assert len({nodes.term(f"n{place}") for place in range(number)}) == number
    return taken


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_four_times_the_nodes_take_about_four_times_the_steps(name: Callable[[int], str | None]) -> None:
    assert steps(8_000, name) <= 4.5 * max(steps(2_000, name), 1)
