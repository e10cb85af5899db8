"""What all pages of facts, terms and keys have: plain headings, labels, and a way on where there is nothing."""

import re

import pytest
from django.test import Client

from triples.models import Triple

pytestmark = pytest.mark.both

ONCE = pytest.mark.once

FACTS = "/admin/triples/triple/"


def text_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.once
@pytest.mark.parametrize(
    ("path", "name"),
    [
        (FACTS, "Triples"),
        ("/admin/triples/term/", "Terms"),
        ("/admin/triples/rule/", "Rules"),
        ("/admin/apikeys/apikey/", "API keys"),
        ("/admin/apikeys/keyevent/", "Key events"),
        ("/admin/auth/user/", "Users"),
    ],
)
def test_a_list_is_headed_by_its_plain_name(admin: Client, path: str, name: str) -> None:
    page = text_of(admin, path)
    assert f"<h1>{name}</h1>" in page
    assert f"<title>{name} | SKG API</title>" in page
    assert "to change</" not in page


@pytest.mark.once
@pytest.mark.parametrize("path", [FACTS, "/admin/triples/term/", "/admin/apikeys/apikey/", "/admin/auth/user/"])
def test_search_boxes_have_labels_that_can_be_read(admin: Client, path: str) -> None:
    assert '<label for="searchbar">Find</label>' in text_of(admin, path)


@pytest.mark.once
@pytest.mark.parametrize(
    ("path", "told"),
    [
        (FACTS, 'href="/admin/triples/triple/add/">Add the first one'),
        (f"{FACTS}?q=x%22y", 'href="/admin/triples/term/?q=x%22y">terms'),
        ("/admin/triples/term/", "Add a fact"),
        ("/admin/triples/term/?q=nothing", "Show all terms"),
        ("/admin/apikeys/apikey/", 'href="/admin/apikeys/apikey/add/">Issue one'),
        ("/admin/apikeys/apikey/?q=nothing", "Show all"),
        ("/admin/apikeys/keyevent/", "issued, rotated or revoked"),
        ("/admin/triples/triple/ask/?question=%3Fx+%3Fp+%3Fy", "Nothing matches. Make one of the lines optional"),
    ],
)
def test_where_there_is_nothing_it_is_said_what_to_do(admin: Client, path: str, told: str) -> None:
    assert told in text_of(admin, path)


@pytest.mark.once
@pytest.mark.parametrize("path", ["/admin/apikeys/apikey/add/", "/admin/auth/user/1/change/"])
def test_every_date_and_time_has_a_label(admin: Client, path: str) -> None:
    from django.contrib.auth.models import User

    page = text_of(admin, path.replace("/1/", f"/{User.objects.get().pk}/"))
    inputs = re.findall(r'id="(id_\w+_[01])"', page)
    assert inputs
    assert all(f'<label for="{one}">' in page for one in inputs)


@pytest.mark.parametrize("model", ["triples/rule", "triples/triple", "apikeys/apikey", "auth/user", "auth/group"])
@pytest.mark.parametrize("key", ["9" * 30, "\x00", *(pytest.param(key, marks=ONCE) for key in ("x", "-1", ""))])
def test_an_action_on_a_key_that_no_row_can_have_is_refused(admin: Client, model: str, key: str) -> None:
    sent = {"action": "delete_selected", "_selected_action": [key], "post": "yes"}
    assert admin.post(f"/admin/{model}/", sent).status_code == 400


@pytest.mark.once
@pytest.mark.parametrize(
    ("fields", "faulty"),
    [
        ({"subject": "", "predicate": "p", "object": "", "weight": "1"}, "subject"),
        ({"subject": "s", "predicate": "p", "object": "o", "weight": "7"}, "weight"),
        ({"subject": "s", "predicate": "p", "object": "o", "weight": "7", "metadata": "["}, "weight"),
        ({"subject": "s", "predicate": "p", "object": "o", "weight": "1", "metadata": "["}, "metadata"),
    ],
)
def test_the_focus_is_on_the_first_faulty_field(admin: Client, fields: dict[str, str], faulty: str) -> None:
    page = admin.post(f"{FACTS}add/", fields).content.decode()
    [focused] = re.findall(r"<[^>]* autofocus[^>]*>", page)
    assert f'name="{faulty}"' in focused
    assert 'aria-invalid="true"' in focused
    assert f'aria-describedby="id_{faulty}_helptext id_{faulty}_error"' in focused
    assert f'id="id_{faulty}_error"' in page
    # This script would move the focus to the first field.
    assert "change_form.js" not in page


@pytest.mark.once
def test_a_fresh_form_has_no_fault(admin: Client) -> None:
    page = text_of(admin, f"{FACTS}add/?subject=dog")
    assert "autofocus" not in page
    assert "change_form.js" in page
    assert re.search(r'<input[^>]*name="subject"[^>]*value="dog"', page) or re.search(
        r'<input[^>]*value="dog"[^>]*name="subject"', page
    )


@pytest.mark.once
def test_inputs_for_terms_offer_existing_ones_and_are_plain_without_a_script(
    admin: Client, animals: list[Triple]
) -> None:
    page = text_of(admin, f"{FACTS}add/")
    for place in ("subject", "predicate", "object"):
        [found] = re.findall(rf'<input[^>]*name="{place}"[^>]*>', page)
        assert 'type="text"' in found
        assert 'data-terms="/admin/triples/term/complete/"' in found
        assert f'data-place="{place}"' in found
    assert re.search(r'<script[^>]*src="/static/triples/terms[^"]*\.js"[^>]*defer', page) or "triples/terms" in page


@pytest.mark.once
def test_a_faulty_search_has_the_focus_as_well(admin: Client) -> None:
    page = text_of(admin, "/admin/triples/inferredtriple/?min_weight=2")
    [focused] = re.findall(r"<[^>]* autofocus[^>]*>", page)
    assert 'name="min_weight"' in focused


@pytest.mark.once
def test_counts_have_separators(admin: Client) -> None:
    from apikeys.models import KeyEvent, Kind
    from apikeys.services import key_issue

    key_issue(name="ann", scopes=["read"], actor="tests")
    key = key_issue(name="bob", scopes=["read"], actor="tests").key
    KeyEvent.objects.bulk_create(KeyEvent(key=key, kind=Kind.CHANGED, actor="tests", detail={}) for _ in range(1_233))
    page = text_of(admin, "/admin/apikeys/keyevent/?q=bob")
    assert "1,234 key events" in page
    assert "1,234 results" in page
