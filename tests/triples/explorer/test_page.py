"""The explorer's page, open to all, and its reader of questions in lines."""

import ast
import json
import re
import shlex

import httpx
import pytest

from tests.conftest import StartService
from tests.triples.explorer.conftest import VIEW, LogIn

QUESTION = '?c colleague_of ?p\n?p won "Nobel Prize"\nfilter ?c != ?p'
DOCUMENT = {
    "patterns": [["?c", "colleague_of", "?p"], ["?p", "won", "Nobel Prize"]],
    "filter": [["?c", "!=", "?p"]],
    "k": 5,
}


async def test_the_page_is_open_and_says_how_to_see_the_graph(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/explorer?open=Ulm&open=%3Cb%3E")
    assert answer.status_code == 200
    assert 'data-session="no"' in answer.text
    assert 'href="/admin/login/?next=%2Fexplorer%3Fopen%3DUlm%26open%3D%253Cb%253E"' in answer.text
    assert "Read key" in answer.text
    assert "<b>Ask</b>" in answer.text
    assert "style=" not in answer.text
    assert all("src=" in script for script in re.findall(r"<script[^>]*>", answer.text))
    assert (await anonymous.post("/explorer")).status_code == 403
    assert (await anonymous.get("/explorer/nothing")).status_code == 404


@pytest.mark.parametrize(("permissions", "session"), [(VIEW, "yes"), (("view_triple",), "yes"), (("view_term",), "no")])
async def test_users_who_may_view_facts_need_no_key(log_in: LogIn, permissions: tuple[str, ...], session: str) -> None:
    text = (await log_in(*permissions).get("/explorer")).text
    assert f'data-session="{session}"' in text
    assert ("who may not view facts" in text) == (session == "no")


async def test_a_question_in_lines_becomes_a_body_and_calls(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/explorer/question", params={"text": QUESTION, "k": 5})
    assert answer.status_code == 200
    read = answer.json()
    assert read["document"] == DOCUMENT
    words = shlex.split(read["curl"].replace("\\\n", " "))
    assert words[:4] == ["curl", "-X", "POST", "http://testserver/query/patterns"]
    assert json.loads(words[words.index("-d") + 1]) == DOCUMENT
    program = ast.parse(read["python"])
    [question] = [node.value for node in program.body if isinstance(node, ast.Assign)][:1]
    assert ast.literal_eval(question) == DOCUMENT


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("?x p", "Line 1: must have three places: subject, predicate and object; here are 2."),
        ('?x p ?y\n?x "p', "Line 2: "),
        ("?x p ?y\nselect ?z", "Line 2: "),
        ("?x p \u202e\u0000", "Line 1, object: "),
    ],
)
async def test_a_faulty_question_is_refused_with_its_lines(
    anonymous: httpx.AsyncClient, text: str, sentence: str
) -> None:
    answer = await anonymous.get("/explorer/question", params={"text": text})
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert any(one["msg"].startswith(sentence) for one in answer.json()["errors"]), answer.text


async def test_the_reader_takes_no_more_than_a_question(anonymous: httpx.AsyncClient) -> None:
    for query in ("", "text=", f"text={'a' * 20_001}", "text=?x+p+?y&k=0", "text=?x+p+?y&more=1"):
        assert (await anonymous.get(f"/explorer/question?{query}")).status_code == 422
    assert (await anonymous.post("/explorer/question")).status_code == 403


def test_the_explorer_can_be_turned_off(service: StartService) -> None:
    with service(enable_explorer=False).client() as client:
        for path in ("/explorer", "/explorer/question?text=a", "/explorer/data/terms?search=a"):
            answer = client.get(path)
            assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
