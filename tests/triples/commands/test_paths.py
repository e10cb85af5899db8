"""`manage.py paths`: the best paths between two terms, in a shell."""

import csv
import io
from typing import Any

import orjson
import pytest

from tests.support.database import in_orm
from tests.support.facts import store
from tests.triples.commands.runs import Inside
from tests.triples.store.inferred.derived import program, run

pytestmark = pytest.mark.both


@pytest.fixture
def graph(database: None) -> Inside:
    """From dog to cat by a heavy path of three facts, and by a light one of one."""
    in_orm(
        store,
        ("dog", "is_a", "canine", 1.0),
        ("canine", "is_a", "carnivore", 0.5),
        ("cat", "is_a", "carnivore", 1.0),
        ("dog", "chases", "cat", 0.25),
    )
    return Inside()


def steps(graph: Inside, *arguments: str) -> list[list[str]]:
    """Each path as the subjects, predicates and objects of its facts."""
    done = graph.run("paths", *arguments, "--json")
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    paths: list[dict[str, Any]] = orjson.loads(done.stdout)["paths"]
    return [["{subject} {predicate} {object}".format_map(fact) for fact in path["facts"]] for path in paths]


HEAVIEST = ["dog is_a canine", "canine is_a carnivore", "cat is_a carnivore"]
SHORTEST = ["dog chases cat"]


@pytest.mark.once
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], [HEAVIEST]),
        (["--k", "3"], [HEAVIEST, SHORTEST]),
        (["--k", "3", "--order", "length"], [SHORTEST, HEAVIEST]),
        (["--max-length", "2"], [SHORTEST]),
        (["--k", "3", "--predicate", "is_a"], [HEAVIEST]),
        (["--k", "3", "--predicate", "is_a", "--predicate", "chases"], [HEAVIEST, SHORTEST]),
        (["--k", "3", "--direction", "out"], [SHORTEST]),
        (["--k", "3", "--direction", "in"], []),
        (["--k", "3", "--min-weight", "0.5"], [HEAVIEST]),
        (["--predicate", "unknown"], []),
    ],
)
def test_the_best_paths_come_first(graph: Inside, options: list[str], expected: list[list[str]]) -> None:
    done = graph.run("paths", "dog", "cat", *options)
    assert done.returncode == 0
    assert (done.stderr == b"There is no path.\n") is not bool(expected)
    if expected:
        assert steps(graph, "dog", "cat", *options) == expected


@pytest.mark.once
def test_a_table_has_a_row_for_each_fact(graph: Inside) -> None:
    done = graph.run("paths", "dog", "cat")
    assert done.stdout.decode().splitlines() == [
        "path  weight  step  subject  predicate  object     fact weight  kind      walked",
        "1     0.5     1     dog      is_a       canine     1            asserted  forwards",
        "1     0.5     2     canine   is_a       carnivore  0.5          asserted  forwards",
        "1     0.5     3     cat      is_a       carnivore  1            asserted  backwards",
    ]
    rows = csv.DictReader(io.StringIO(graph.run("paths", "dog", "cat", "--format", "csv").stdout.decode()))
    assert [row["fact weight"] for row in rows] == ["1.0", "0.5", "1.0"]


def test_inferred_facts_can_be_left_out(graph: Inside) -> None:
    rule = {"name": "kin", "head": ["?x", "is_a", "?z"], "body": [["?x", "is_a", "?y"], ["?y", "is_a", "?z"]]}
    in_orm(lambda: run(program(rule)))
    assert b"inferred" in graph.run("paths", "dog", "carnivore").stdout
    assert steps(graph, "dog", "carnivore", "--asserted-only") == [HEAVIEST[:2]]


def test_when_the_time_is_over_it_says_what_is_complete(graph: Inside) -> None:
    for order, sentence in (
        ("weight", b"Every path heavier than 1.0 is here"),
        ("length", b"Every path of at most 0 "),
    ):
        done = graph.run("paths", "dog", "cat", "--timeout", "0", "--order", order)
        assert (done.returncode, done.stdout) == (0, b"")
        assert sentence in done.stderr


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["dog"], b"the following arguments are required: TO"),
        (["dog", " dog"], b"CommandError: TO: must be another term than FROM."),
        (["", "cat"], b"CommandError: FROM: must not be empty."),
        (["dog", "cat", "--predicate", "p" * 501], b"CommandError: --predicate 1: must have at most 500 characters"),
        (["dog", "cat", "--max-length", "11"], b"argument --max-length: must be a whole number from 1 to 10"),
        (["dog", "cat", "--order", "size"], b"argument --order: invalid choice"),
    ],
)
def test_what_cannot_be_asked_is_said_with_its_place(graph: Inside, arguments: list[str], sentence: bytes) -> None:
    done = graph.run("paths", *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert sentence in done.stderr


def test_a_term_is_taken_as_it_is_given(graph: Inside) -> None:
    in_orm(store, ("?x", "?p", "dog", 1.0))
    assert steps(graph, "?x", "dog", "--predicate", "?p") == [["?x ?p dog"]]
