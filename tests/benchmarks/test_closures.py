"""The generated closure of the benchmark: the same each time, and all that a walk finds."""

from tests.benchmarks.closures import hierarchy
from tests.triples.recursion.deriving import materialise


def test_it_is_all_that_a_walk_upwards_finds() -> None:
    table, program = hierarchy(150)
    above: dict[int, set[int]] = {}
    # Whoever is above an entity came before it.
    for row in sorted(table.to_pylist(), key=lambda row: row["subject"]):
        found = above.setdefault(row["subject"], set())
        found |= {row["object"]} | above.get(row["object"], set())

    derived = materialise(table, program).derived

    pairs = set(zip(derived["subject"].to_pylist(), derived["object"].to_pylist(), strict=True))
    assert pairs == {(below, each) for below, found in above.items() for each in found}
    assert len(pairs) > 500
    assert hierarchy(150)[0].equals(table)
