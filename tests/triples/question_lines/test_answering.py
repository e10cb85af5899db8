"""What is answered in this thread is what the API answers."""

from typing import Any

import httpx
import pytest
from django.conf import settings

from tests.support.database import in_orm
from tests.support.facts import store
from tests.triples.store.inferred.derived import program, run
from triples.question_lines.answering import answer, answer_paths, read_question
from triples.question_lines.lines import read_lines, split_lines

pytestmark = pytest.mark.both

FACTS = [
    ("Grossmann", "colleague_of", "Einstein", 0.5),
    ("Besso", "colleague_of", "Einstein", 0.25),
    ("Hahn", "colleague_of", "Meitner", 1.0),
    ("Einstein", "won", "Nobel Prize", 1.0),
    ("Meitner", "won", "Nobel Prize", 0.125),
    ("Einstein", "born_in", "Ulm", 0.5),
]
RULE = {"name": "back", "head": ["?y", "colleague_of", "?x"], "body": [["?x", "colleague_of", "?y"]]}
TEXT = """
?c colleague_of ?p
?p won "Nobel Prize"
optional ?p born_in ?b
absent ?c born_in Ulm
filter ?c in Grossmann Hahn Einstein
select ?c ?b
"""


def never() -> bool:
    return False


@pytest.fixture
def graph(database: None) -> None:
    def make() -> None:
        store(*FACTS)
        run(program(RULE))

    in_orm(make)


@pytest.mark.parametrize(
    "members",
    [
        {"count": True, "explain": True, "include_facts": True},
        {"k": 1, "min_weight": 0.01, "include_inferred": False},
        {"group_by": ["?b"], "explain": True},
    ],
)
async def test_a_question(api: httpx.AsyncClient, graph: None, members: dict[str, Any]) -> None:
    document, names = read_lines(split_lines(TEXT))
    body = {**document, **members}
    told = (await api.post("/query/patterns", json=body)).raise_for_status().json()
    content = in_orm(lambda: answer(read_question(body, names), never))
    assert content["results"]
    assert {**content, "query_time_ms": 0} == {**told, "query_time_ms": 0}


async def test_paths(api: httpx.AsyncClient, graph: None) -> None:
    body = {"from": "Besso", "to": "Grossmann", "k": 3}
    answer = (await api.post("/query/paths", json=body)).raise_for_status().json()
    content = in_orm(lambda: answer_paths(body, {}, never))
    assert len(content["paths"]) == 3
    assert {**content, "query_time_ms": 0} == {**answer, "query_time_ms": 0}


def test_a_shell_has_the_time_of_the_service() -> None:
    from django.core.management import load_command_class

    parser = load_command_class("triples", "query").create_parser("manage.py", "query")
    assert parser.parse_args(["?x p ?y"]).timeout == settings.ENV.query_timeout
