"""Who sees the explorer's data, with a key or without one, and what it says when something is in the way."""

import json

import httpx
from playwright.sync_api import Browser, StorageState, expect

from tests.browser.conftest import PASSWORD, USER, fresh_page
from tests.browser.explored import Explorer
from tests.support.service import KEY, Service


def refusal(status: int) -> tuple[str, str]:
    """The complaints that an answer of this status makes."""
    return f"{status}: ", f"error: Failed to load resource: the server responded with a status of {status}"


def test_without_login_and_key_the_page_explains_both_ways(chromium: Browser, explored: Service) -> None:
    with fresh_page(chromium, explored) as page:
        page.goto("/explorer?open=bicycle&node=bicycle")
        expect(page.get_by_role("heading", name="See your graph")).to_be_visible()
        expect(page.get_by_label("Find a term")).to_be_disabled()
        page.get_by_role("link", name="Log in").click()
        page.get_by_label("Username").fill(USER)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("/explorer?open=bicycle&node=bicycle")
        expect(page.locator("#details h2")).to_have_text("bicycle")


def test_a_key_is_kept_in_memory_alone(chromium: Browser, explored: Service) -> None:
    with fresh_page(chromium, explored, expected=refusal(401)) as page:
        page.goto("/explorer?open=bicycle&node=bicycle")
        page.get_by_label("Read key").fill("skg_prod_nothing")
        page.get_by_role("button", name="Use it").click()
        expect(page.get_by_role("alert")).to_contain_text("This key does not work.")
        page.get_by_label("Read key").fill(KEY)
        with page.expect_request("**/query/neighbours") as asked:
            page.get_by_role("button", name="Use it").click()
        assert asked.value.url == f"{explored.url}/query/neighbours"
        assert asked.value.headers["authorization"] == f"Bearer {KEY}"
        expect(page.locator("#details h2")).to_have_text("bicycle")
        assert KEY not in page.url
        assert KEY not in page.content()
        assert KEY not in json.dumps(page.context.storage_state())
        assert KEY not in page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}, history.state])")
        page.get_by_role("button", name="Forget the key").click()
        expect(page.get_by_role("heading", name="See your graph")).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name="See your graph")).to_be_visible()


def test_a_rate_limit_makes_it_wait_and_say_so(chromium: Browser, explored: Service) -> None:
    body = {"name": "slow", "scopes": ["read"], "rate": "1/s"}
    with explored.client() as client:
        key = client.post("/keys", json=body).raise_for_status().json()["key"]
    with fresh_page(chromium, explored, expected=refusal(429)) as page:
        page.goto("/explorer?open=bicycle&open=wheel&open=spoke")
        page.get_by_label("Read key").fill(key)
        page.get_by_role("button", name="Use it").click()
        expect(page.locator("#message")).to_have_text("The rate limit is used up for now. Going on in 1 s …")
        expect(page.get_by_text("7 of 7 loaded facts are drawn")).to_be_visible()
        expect(page.locator("#message")).to_be_hidden()


def test_an_ended_session_is_told(chromium: Browser, explored: Service, explorer_cookies: StorageState) -> None:
    with fresh_page(chromium, explored, explorer_cookies, expected=refusal(401)) as page:
        explorer = Explorer(page).open("?open=bicycle")
        page.context.clear_cookies(name="sessionid")
        page.get_by_label("Find a term").fill("wheel")
        page.get_by_label("Find a term").press("Enter")
        expect(page.locator("#message")).to_contain_text("You are not logged in any more.")
        assert "bicycle" in explorer.terms()


def test_a_service_out_of_reach_is_told(chromium: Browser, explored: Service, explorer_cookies: StorageState) -> None:
    with fresh_page(chromium, explored, explorer_cookies, expected=("error: Failed to load resource: net::",)) as page:
        Explorer(page).open("?open=bicycle")
        page.context.set_offline(True)
        page.get_by_label("Find a term").fill("wheel")
        page.get_by_label("Find a term").press("Enter")
        expect(page.locator("#message")).to_have_text(
            "The service cannot be reached. Check your connection, then try again."
        )


def test_a_faulty_question_is_told(chromium: Browser, explored: Service, explorer_cookies: StorageState) -> None:
    with fresh_page(chromium, explored, explorer_cookies, expected=refusal(422)) as page:
        explorer = Explorer(page).open()
        explorer.show("Ask")
        page.get_by_label("Patterns").fill("?part part_of")
        explorer.button("Ask and draw").click()
        expect(page.locator("#message")).to_have_text(
            "Line 1: must have three places: subject, predicate and object; here are 2."
        )
        page.goto("/explorer?from=Köln&to=Köln&tab=path")
        expect(page.locator("#message")).to_have_text("Must be another term than `from`.")


def test_a_deep_link_to_what_is_gone_says_what_to_do(
    chromium: Browser, explored: Service, explorer_cookies: StorageState
) -> None:
    fact = {"subject": "passing", "predicate": "is", "object": "fancy"}
    with explored.client() as client:
        id_ = client.post("/triples/add", json=fact).raise_for_status().json()["id"]
        assert client.delete(f"/triples/{id_}").status_code == httpx.codes.NO_CONTENT
    with fresh_page(chromium, explored, explorer_cookies, expected=refusal(404)) as page:
        page.goto(f"/explorer?fact={id_}")
        expect(page.locator("#details")).to_have_text(
            "This fact is not there any more. Undo, or search for one of its terms."
        )
