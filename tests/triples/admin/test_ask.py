"""The page "Ask": a question in lines, answered in a table, with its plan and the call of the API that asks it."""

import asyncio
import shlex
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode

import httpx
import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.conftest import ChangeSettings
from tests.support.asgi import Exchange, http_scope
from tests.support.database import in_orm
from tests.support.facts import store
from tests.triples.store.inferred.derived import program, run
from triples.http.questions.answering import Asked
from triples.models import Term, Triple
from triples.query.blocks import OutOfTime
from triples.query.finding_answers import Answers, Expired
from triples.query.graph_facts import GraphFacts
from triples.services import questions

pytestmark = pytest.mark.both

Read = Callable[[Asked, GraphFacts, Expired], Answers]
ASK = "/admin/triples/triple/ask/"
COLLEAGUES = '?c colleague_of ?p\n?p won "Nobel Prize"\nfilter ?c != ?p'
RULE = {"name": "back", "head": ["?y", "teacher_of", "?x"], "body": [["?x", "colleague_of", "?y"]]}


@pytest.fixture
def winners(database: None) -> None:
    store(
        ("Grossmann", "colleague_of", "Einstein", 0.5),
        ("Besso", "colleague_of", "Einstein", 0.25),
        ("Einstein", "colleague_of", "Einstein", 1.0),
        ("Hahn's <i>", "colleague_of", "Meitner", 1.0),
        ("Einstein", "won", "Nobel Prize", 1.0),
        ("Meitner", "won", "Nobel Prize", 0.125),
        ("Einstein", "born_in", "Ulm", 0.5),
    )


def ask(client: Client, question: str, **more: Any) -> Any:
    return client.get(f"{ASK}?{urlencode({'question': question, **more})}")


def answers(response: Any) -> list[tuple[list[str | None], float]]:
    return [([cell.text for cell in terms], weight) for terms, weight, _ in response.context["answers"]]


def reader(*models: str) -> Client:
    """A client of somebody who may only look at these."""
    user = User.objects.create_user("reader", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=[f"view_{model}" for model in models]))
    client = Client()
    client.force_login(user)
    return client


def _count_on(_asked: Asked, source: GraphFacts, _expired: Expired) -> Answers:
    """A single statement, which would take minutes."""
    source.fetch(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500000000) SELECT count(*) FROM n", ()
    )
    raise AssertionError("it was not interrupted")


def _give_up(_asked: Asked, _source: GraphFacts, _expired: Expired) -> Answers:
    raise OutOfTime


@pytest.mark.once
def test_the_overview_and_the_list_of_facts_lead_to_it(admin: Client) -> None:
    for page in ("/admin/", "/admin/triples/triple/"):
        assert f'<a href="{ASK}">' in admin.get(page).content.decode()
    empty = admin.get(ASK)
    assert empty.status_code == 200
    assert "Answers</h2>" not in empty.content.decode()


@pytest.mark.usefixtures("winners")
class TestAnswers:
    def test_the_heaviest_come_first_with_links_to_terms_and_facts(self, admin: Client) -> None:
        response = ask(admin, COLLEAGUES)
        assert answers(response) == [
            (["Grossmann", "Einstein"], 0.5),
            (["Besso", "Einstein"], 0.25),
            (["Hahn's <i>", "Meitner"], 0.125),
        ]
        content = response.content.decode()
        term = Term.objects.get(text="Hahn's <i>")
        fact = Triple.objects.get(subject=term)
        assert f'<a href="/admin/triples/term/{term.pk}/change/">Hahn&#x27;s &lt;i&gt;</a>' in content
        linked = f'<a href="/admin/triples/triple/{fact.pk}/change/">Hahn&#x27;s &lt;i&gt; colleague_of Meitner</a>'
        assert linked in content

    @pytest.mark.once
    def test_what_does_not_match_is_nothing(self, admin: Client) -> None:
        response = ask(admin, "?p won ?w\noptional ?p born_in ?b\nselect ?p ?b")
        assert answers(response) == [(["Einstein", "Ulm"], 1.0), (["Meitner", None], 0.125)]
        assert "Nothing matches." in ask(admin, "?p won nothing").content.decode()

    def test_pages_follow_each_other(self, admin: Client) -> None:
        whole = answers(ask(admin, COLLEAGUES))
        found: list[Any] = []
        response = ask(admin, COLLEAGUES, k=1, min_weight=0.125)
        while True:
            found += answers(response)
            following = response.context["following"]
            if not following:
                break
            assert {**parse_qs(following), "cursor": []} == {
                "question": [COLLEAGUES],
                "k": ["1"],
                "min_weight": ["0.125"],
                "cursor": [],
            }
            response = admin.get(f"{ASK}?{following}")
        assert found == whole

    def test_the_plan_is_shown(self, admin: Client) -> None:
        response = ask(admin, COLLEAGUES)
        assert [pattern for pattern, _ in response.context["steps"]] == ['?p won "Nobel Prize"', "?c colleague_of ?p"]
        assert "The heaviest facts of the first pattern were joined" in response.content.decode()

    def test_an_inferred_fact_leads_to_its_proof(self, admin: Client) -> None:
        run(program(RULE))
        response = ask(admin, "Einstein teacher_of ?x")
        assert [text for [text], _ in answers(response)] == ["Einstein", "Grossmann", "Besso"]
        proof = response.context["answers"][1][2][0].url
        assert proof.startswith("/admin/triples/inferredtriple/")
        assert admin.get(proof).status_code == 200

    @pytest.mark.once
    def test_only_those_who_may_see_the_facts(self) -> None:
        run(program(RULE))
        assert Client().get(ASK).status_code == 302
        facts = reader("triple")
        response = ask(facts, "Einstein teacher_of ?x")
        assert answers(response) == []
        assert "inferred ones are left out" in response.content.decode()
        assert "/admin/triples/term/" not in ask(facts, COLLEAGUES).content.decode()
        assert ASK in facts.get("/admin/").content.decode()

    @pytest.mark.once
    def test_whoever_may_see_no_facts_is_refused(self) -> None:
        terms = reader("term")
        assert terms.get(ASK).status_code == 403
        assert ASK not in terms.get("/admin/").content.decode()

    def test_when_the_time_is_over_it_says_what_is_complete(
        self, admin: Client, change_settings: ChangeSettings
    ) -> None:
        change_settings(query_timeout=-1.0)
        content = ask(admin, COLLEAGUES).content.decode()
        assert "The time was over. Every answer heavier than 1.0 is here" in content
        assert "Nothing matches." not in content

    @pytest.mark.parametrize("read", [_count_on, _give_up])
    def test_a_question_that_takes_too_long_is_ended(
        self, admin: Client, change_settings: ChangeSettings, monkeypatch: pytest.MonkeyPatch, read: Read
    ) -> None:
        change_settings(query_timeout=-1.0)
        monkeypatch.setattr(questions, "WATCH_SECONDS", 0.01)
        monkeypatch.setattr(questions, "GRACE_SECONDS", 0.0)
        monkeypatch.setattr(Asked, "find_answers", read)
        response = ask(admin, COLLEAGUES)
        assert response.status_code == 200
        [fault] = response.context["form"].errors["question"]
        assert fault.startswith("This took too long.")


@pytest.mark.once
@pytest.mark.parametrize(
    ("asked", "field", "sentence"),
    [
        ({"question": "?c p", "k": "0"}, "k question", "Line 1: must have three places"),
        ({"question": ""}, "question", "This field is required."),
        ({"question": "\n?c colleague_of"}, "question", "Line 2: must have three places"),
        ({"question": "?c p ?d\nfilter ?x = 1"}, "question", "Line 2, left side: ?x is in no pattern."),
        ({"question": "?c p ?d\n?e q ?f"}, "question", "Line 2: shares no variable with the other patterns"),
        ({"question": "?c p ?d", "cursor": "00"}, "question", "The page: "),
        ({"question": "?c p ?d", "k": "0"}, "k", "greater than or equal to 1"),
        ({"question": "?c p ?d", "min_weight": "2"}, "min_weight", "less than or equal to 1"),
    ],
)
def test_what_cannot_be_asked_is_said_at_its_field(
    admin: Client, asked: dict[str, str], field: str, sentence: str
) -> None:
    response = admin.get(f"{ASK}?{urlencode(asked)}")
    assert response.status_code == 200
    assert response.context["form"].errors.keys() == set(field.split())
    assert sentence in unescape(response.content.decode())
    assert "Answers</h2>" not in response.content.decode()


@pytest.mark.once
async def test_the_call_asks_the_same(api: httpx.AsyncClient) -> None:
    def page() -> tuple[Any, str]:
        store(("it's", "p", "?why", 0.5), ("\u202e", "p", "?why", 0.25))
        client = Client()
        client.force_login(User.objects.create_superuser("somebody"))
        response = ask(client, '?x p "?why"\nfilter ?x != "it\'s"', k=5, min_weight=0.1)
        return answers(response), response.context["curl"]

    shown, curl = in_orm(page)
    program_, *words = shlex.split(curl.replace("\\\n", ""))
    assert (program_, words[:2], words[3::2]) == ("curl", ["-X", "POST"], ["-H", "-H", "-d"])
    assert words[4:8:2] == ["Authorization: Bearer $API_KEY", "Content-Type: application/json"]
    answer = await api.post(words[2], content=words[-1], headers={"Content-Type": "application/json"})
    results = answer.raise_for_status().json()["results"]
    assert [([*result["bindings"].values()], result["weight"]) for result in results] == shown
    assert shown == [(["\u202e"], 0.25)]
    assert "\u202e" not in curl


@pytest.mark.in_process
async def test_a_question_ends_when_nobody_waits_for_it(database: None, change_settings: ChangeSettings) -> None:
    from skg_site.asgi import application

    change_settings(query_timeout=600)
    # From each to each, so that there are ways without end, and none that ends.
    in_orm(store, *((f"n{one}", "p", f"n{other}") for one in range(30) for other in range(30)))
    ways = [f"?n{number} p ?n{number + 1}" for number in range(7)]
    question = urlencode({"question": "\n".join([*ways, "absent ?n7 p ?n8"])}).encode()
    client = Client(HTTP_HOST="testserver")
    in_orm(lambda: client.force_login(User.objects.create_superuser("somebody")))
    cookie = f"sessionid={client.cookies['sessionid'].value}".encode()
    asked = Exchange(application, http_scope(path=ASK, query=question, headers=[(b"cookie", cookie)]))
    asked.arrive(b"")
    ended, _ = await asyncio.wait([asked.task], timeout=0.5)
    assert not ended, asked.body.decode()
    asked.disconnect()
    ended, _ = await asyncio.wait([asked.task], timeout=30)
    assert ended
    assert asked.sent == []
