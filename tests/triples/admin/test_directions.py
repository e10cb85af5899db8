"""Terms that would turn the direction of a page: none is left in it unescaped, and none comes back changed."""

import re
from html import unescape
from urllib.parse import quote

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.support.facts import store
from tests.triples.admin.test_facts import messages
from tests.triples.admin.test_inferred import INFERRED, derive, proof_url
from tests.triples.admin.test_rules import RULES, change_url, shown_form
from tests.triples.test_visible import DIRECTIONS
from triples.models import RecursionRun, Rule, Term, Triple
from triples.rules.documents import read_document
from triples.services.rules import rules_add

TURNED = "gpj.\u202eexe"
ISOLATED = "a\u2066b\u2069c \u2067d"
HEBREW = "שלום"
UNTURNED = "gpj.\\u202eexe"
DOCUMENT = {
    "name": f"by {TURNED}",
    "head": ["?x", TURNED, "?z"],
    "body": [["?x", "is\u202aa", "?z"], ["?z", {"term": f"?{ISOLATED}"}, f"{HEBREW}\\u202e"]],
    "distinct": [["?x", "?z"]],
    "description": f"Says {TURNED}.\nTwice.",
}


def text_of(client: Client, path: str) -> str:
    """A page, in which nothing that is shown would turn it."""
    response = client.get(path)
    assert response.status_code == 200, path
    content = response.content.decode()
    # What a browser sends back for an option that is chosen is not shown.
    shown = re.sub(r'<option value="[^"]*"', "<option", unescape(content))
    assert not set(DIRECTIONS).intersection(shown), path
    return content


@pytest.fixture
def fact(database: None) -> Triple:
    [stored] = store((TURNED, "is\u202aa", HEBREW, 0.5, f'{{"{TURNED}":"{ISOLATED}"}}'))
    return stored


@pytest.fixture
def rule(database: None) -> Rule:
    return rules_add(drafts=read_document(DOCUMENT))[0]


def test_facts_and_terms_are_shown_in_their_own_direction(admin: Client, fact: Triple) -> None:
    assert UNTURNED in text_of(admin, "/admin/triples/triple/")
    shown = text_of(admin, f"/admin/triples/triple/{fact.pk}/change/")
    assert f"<bdi>{UNTURNED}</bdi>" in shown
    assert f"<bdi>{HEBREW}</bdi>" in shown
    assert UNTURNED in text_of(admin, f"/admin/triples/triple/{fact.pk}/delete/")
    assert f"<bdi>{UNTURNED}</bdi>" in text_of(admin, "/admin/triples/term/")
    term = Term.objects.get(text=TURNED)
    assert f"<bdi>{UNTURNED}</bdi>" in text_of(admin, f"/admin/triples/term/{term.pk}/change/")


def test_metadata_comes_back_as_it_was(admin: Client, fact: Triple) -> None:
    form = admin.get(f"/admin/triples/triple/{fact.pk}/change/").context["adminform"].form
    sent = {name: form[name].value() for name in form.fields}
    assert "\\u202e" in sent["metadata"]
    admin.post(f"/admin/triples/triple/{fact.pk}/change/", sent | {"weight": "0.75"})
    changed = Triple.objects.get()
    assert (changed.weight, changed.metadata) == (0.75, {TURNED: ISOLATED})


def test_a_message_names_a_fact_in_its_own_direction(admin: Client, fact: Triple) -> None:
    again = {"subject": TURNED, "predicate": "is\u202aa", "object": HEBREW, "weight": "1", "metadata": ""}
    [message] = messages(admin.post("/admin/triples/triple/add/", again, follow=True))
    assert message.startswith(f"“{UNTURNED} is\\u202aa {HEBREW}” was there already")


def test_rules_are_shown_in_their_own_direction(admin: Client, rule: Rule) -> None:
    shown = text_of(admin, RULES)
    assert f"<bdi>by {UNTURNED}</bdi>" in shown
    assert "?x <bdi>is</bdi>" not in shown
    assert re.search(r"&quot;gpj\.\\u202eexe&quot; \?z  &lt;-  \?x &quot;is\\u202aa&quot; \?z, \?z ", shown)
    assert f"<bdi>{HEBREW}\\u202e</bdi>" in shown
    assert UNTURNED in text_of(admin, f"{RULES}{rule.pk}/delete/")


def test_a_rule_in_a_form_comes_back_as_it_was(admin: Client, rule: Rule) -> None:
    sent = shown_form(admin, rule)
    assert not set(DIRECTIONS).intersection(sent["body"] + sent["head"] + sent["distinct"])
    admin.post(change_url(rule), sent | {"weight": "0.5"})
    changed = Rule.objects.get()
    assert (changed.weight, changed.head, changed.body) == (0.5, rule.head, rule.body)


def test_who_may_only_read_a_rule_sees_it_in_its_own_direction(rule: Rule) -> None:
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_rule"))
    client = Client()
    client.force_login(reader)
    assert f"<bdi>Says {UNTURNED}.<br>Twice.</bdi>" in text_of(client, change_url(rule))


def test_inferred_facts_and_proofs_are_shown_in_their_own_direction(admin: Client) -> None:
    store((TURNED, "near", HEBREW, 0.5))
    rules_add(drafts=read_document({"symmetric": "near", "name": ISOLATED}))
    derive()
    shown = text_of(admin, INFERRED)
    assert f"<bdi>{HEBREW}</bdi>" in shown
    proof = text_of(admin, proof_url(HEBREW, "near", TURNED))
    assert all(shown in proof for shown in (f"<bdi>{HEBREW}</bdi>", "<em>near</em>", f"<bdi>{UNTURNED}</bdi>"))
    assert TURNED not in proof
    assert "<bdi>a\\u2066b\\u2069c \\u2067d</bdi>" in proof


def test_runs_are_shown_in_their_own_direction(admin: Client, rule: Rule) -> None:
    derive()
    run = RecursionRun.objects.get()
    RecursionRun.objects.filter(pk=run.pk).update(
        options={"rules": [rule.name], "entity_types": [HEBREW, "a"]}, error=f"It met {TURNED}."
    )
    shown = text_of(admin, f"/admin/triples/recursionrun/{run.pk}/change/")
    assert f"<bdi>{HEBREW}</bdi>, a" in shown
    assert f"It met {UNTURNED}." in shown
    assert UNTURNED in text_of(admin, "/admin/triples/recursionrun/run/")


def test_what_was_searched_for_stands_in_the_search_field_alone(admin: Client, fact: Triple) -> None:
    response = admin.get(f"/admin/triples/triple/?q={quote(TURNED)}")
    assert re.sub(r'<input[^>]* value="[^"]*"[^>]*>', "", response.content.decode()).count("\u202e") == 0
