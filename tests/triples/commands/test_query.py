"""`manage.py query`: the answers of the API, in a shell."""

import csv
import io
from typing import Any

import orjson
import pytest
from django.db import connection

from tests.support.database import in_orm
from tests.support.facts import store
from tests.triples.commands.runs import Inside
from tests.triples.store.inferred.derived import program, run

pytestmark = pytest.mark.both

COLLEAGUES = "?c colleague_of ?p"
QUESTION = [COLLEAGUES, '?p won "Nobel Prize"', "--filter", "?c != ?p", "--select", "?c,?p"]
ORDER = "pattern, in the order of joining"


@pytest.fixture
def graph(database: None) -> Inside:
    in_orm(
        store,
        ("Grossmann", "colleague_of", "Einstein", 0.5),
        ("Besso", "colleague_of", "Einstein", 0.25),
        ("Einstein", "colleague_of", "Einstein", 1.0),
        ("Hahn", "colleague_of", "Meitner", 1.0),
        ("Ada", "colleague_of", "Charles", 1.0),
        ("Einstein", "won", "Nobel Prize", 1.0),
        ("Meitner", "won", "Nobel Prize", 0.125),
        ("Einstein", "born_in", "Ulm", 0.5),
        ("=1+1", "says, aloud", '"\u202eabc', 0.5),
    )
    return Inside()


def asked(graph: Inside, *arguments: str) -> dict[str, Any]:
    done = graph.run("query", *arguments, "--json")
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    content: dict[str, Any] = orjson.loads(done.stdout)
    return content


def test_the_heaviest_answers_stand_in_a_table(graph: Inside) -> None:
    done = graph.run("query", *QUESTION)
    assert done.stdout.decode().splitlines() == [
        "?c         ?p        weight",
        "Grossmann  Einstein  0.5",
        "Besso      Einstein  0.25",
        "Hahn       Meitner   0.125",
    ]
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.once
def test_what_does_not_match_is_empty_and_what_must_not_match_is_left_out(graph: Inside) -> None:
    more = ["--optional", "?p born_in ?b", "--absent", "?c won ?y"]
    done = graph.run("query", COLLEAGUES, *more, "--select", "?c,?b", "--format", "csv")
    rows = list(csv.reader(io.StringIO(done.stdout.decode())))
    assert rows[0] == ["?c", "?b", "weight"]
    assert sorted(rows[1:]) == [
        ["Ada", "", "1.0"],
        ["Besso", "Ulm", "0.25"],
        ["Grossmann", "Ulm", "0.5"],
        ["Hahn", "", "1.0"],
    ]


def test_pages_follow_each_other(graph: Inside) -> None:
    first = graph.run("query", *QUESTION, "--k", "1", "--count", "--format", "tsv")
    assert first.stdout == b"?c\t?p\tweight\nGrossmann\tEinstein\t0.5\n"
    answers, more = first.stderr.decode().splitlines()
    assert answers == "Answers: 3."
    cursor = more.removeprefix("More with --cursor ")
    last = graph.run("query", *QUESTION, "--cursor", cursor, "--format", "tsv")
    assert last.stdout.decode().splitlines()[1:] == ["Besso\tEinstein\t0.25", "Hahn\tMeitner\t0.125"]
    assert last.stderr == b""
    other = graph.run("query", COLLEAGUES, "--select", "?c", "--cursor", cursor)
    assert (other.returncode, other.stderr) == (2, b"CommandError: --cursor: this is the cursor of another question.\n")


@pytest.mark.once
def test_the_weight_narrows_the_answers(graph: Inside) -> None:
    content = asked(graph, *QUESTION, "--min-weight", "0.25", "--count")
    assert ([result["weight"] for result in content["results"]], content["total"]) == ([0.5, 0.25], 2)


def test_answers_are_counted_in_groups(graph: Inside) -> None:
    done = graph.run("query", COLLEAGUES, "--group-by", "?p", "--format", "csv")
    assert done.stdout.decode().splitlines()[:2] == ["?p,weight,count", "Einstein,1.0,3"]
    assert asked(graph, COLLEAGUES, "--group-by", "?p")["results"][0] == {
        "bindings": {"?p": "Einstein"},
        "weight": 1.0,
        "count": 3,
    }


@pytest.mark.once
def test_the_plan_is_told_and_the_answers_stay_apart_from_it(graph: Inside) -> None:
    done = graph.run("query", *QUESTION, "--explain", "--format", "csv")
    assert done.stdout.decode().splitlines()[0] == "?c,?p,weight"
    header, *steps, found = done.stderr.decode().splitlines()
    assert header.split("  ")[0] == ORDER
    assert [step.split("  ")[0] for step in steps] == ['?p won "Nobel Prize"', COLLEAGUES]
    assert found.endswith(", part by part, as far as needed. Facts read: 8.")
    assert asked(graph, *QUESTION, "--explain")["plan"]["way"] == "in parts"


def test_inferred_facts_can_be_left_out_and_facts_be_named(graph: Inside) -> None:
    rule = {"name": "back", "head": ["?y", "teacher_of", "?x"], "body": [["?x", "colleague_of", "?y"]]}
    in_orm(lambda: run(program(rule)))
    content = asked(graph, "Einstein ?p Grossmann", "--facts")
    assert [(result["bindings"], len(result["facts"])) for result in content["results"]] == [({"?p": "teacher_of"}, 1)]
    table = graph.run("query", "Einstein ?p Grossmann", "--facts").stdout.decode().split()
    assert table == ["?p", "weight", "facts", "teacher_of", "0.5", *content["results"][0]["facts"]]
    done = graph.run("query", "Einstein ?p Grossmann", "--asserted-only")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"Nothing matches.\n")


@pytest.mark.once
def test_terms_stay_what_they_are_in_files_and_show_what_they_are_in_tables(graph: Inside) -> None:
    pattern = '=1+1 "says, aloud" ?x'
    assert list(csv.reader(io.StringIO(graph.run("query", pattern, "--format", "csv").stdout.decode())))[1:] == [
        ['"\u202eabc', "0.5"]
    ]
    assert graph.run("query", pattern, "--format", "tsv").stdout.decode().splitlines()[1] == '"\u202eabc\t0.5'
    assert b"\\u202e" in graph.run("query", pattern).stdout
    assert b"\\u202e" in graph.run("query", pattern, "--json").stdout


def test_when_the_time_is_over_it_says_what_is_complete(graph: Inside) -> None:
    done = graph.run("query", *QUESTION, "--timeout", "0", "--count")
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.decode().splitlines() == [
        "The time was over before all were counted.",
        "The time was over. Every answer heavier than 1.0 is here; lighter ones may be missing.",
    ]
    grouped = graph.run("query", COLLEAGUES, "--group-by", "?p", "--timeout", "0")
    assert (grouped.returncode, grouped.stdout) == (1, b"")
    assert b"raise --timeout" in grouped.stderr


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], b"the following arguments are required: PATTERN"),
        (["?c colleague_of"], b"CommandError: pattern: must have three places"),
        ([COLLEAGUES, '?c "p'], b"CommandError: pattern 2: a quotation must end"),
        (
            [COLLEAGUES, "?u p ?v"],
            b"CommandError: pattern 2: shares no variable with the other patterns; --allow-cross-product lets it",
        ),
        ([COLLEAGUES, "--filter", "?c ~ ?p"], b"CommandError: --filter, operator: input should be '='"),
        ([COLLEAGUES, "--select", "?c,?x"], b"CommandError: --select 2: ?x is in no pattern."),
        ([COLLEAGUES, "--select", "c"], b"CommandError: --select 1: must be a variable."),
        ([COLLEAGUES, "--group-by", "?c", "--count"], b"--count: cannot be asked for together with --group-by,"),
        ([COLLEAGUES, "--k", "0"], b"argument --k: must be a whole number from 1 to 1000"),
        ([COLLEAGUES, "--min-weight", "2"], b"argument --min-weight: must be a number from 0 to 1"),
        ([COLLEAGUES, "--timeout", "-1"], b"argument --timeout: must be a number of seconds"),
        ([COLLEAGUES, "--json", "--format", "csv"], b"not allowed with argument --json"),
    ],
)
def test_what_cannot_be_asked_is_said_with_its_place(graph: Inside, arguments: list[str], sentence: bytes) -> None:
    done = graph.run("query", *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert sentence in done.stderr


@pytest.mark.once
def test_a_cross_product_is_there_for_whoever_wants_it(graph: Inside) -> None:
    arguments = ["Einstein ?p ?o", "Meitner ?q ?r", "--allow-cross-product", "--count"]
    assert asked(graph, *arguments)["total"] == 3


def test_no_connection_is_left_open(graph: Inside) -> None:
    pool = getattr(connection, "pool", None)
    if pool is None:
        pytest.skip("each thread has a connection of its own")

    def in_use() -> int:
        statistics = pool.get_stats()
        return int(statistics["pool_size"] - statistics["pool_available"])

    asked(graph, *QUESTION)
    before = in_use()
    for _ in range(3):
        asked(graph, *QUESTION)
    assert in_use() == before
