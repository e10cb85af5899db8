"""Previews that take long: they hold up nobody, take turns, and end with those who wait for them."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from asgi_lifespan import LifespanManager
from django.contrib.auth.models import User
from django.test import Client

from tests.support.asgi import Exchange, http_scope
from tests.support.database import in_orm
from tests.triples.admin.test_rules import NEW, RULES
from triples.models import Rule, Source
from triples.store.group_commit import write_now
from triples.store.operations import AddMany, Fact

pytestmark = [pytest.mark.both, pytest.mark.in_process, pytest.mark.process]

# Every fact with every other, three times over: hours.
CROSS_PRODUCT = NEW | {"body": "?x p ?y\n?u p ?v\n?w p ?z", "head": "?x q ?z", "distinct": ""}
# Less than a preview may take with the start of its process.
PATIENCE = 30


def _command_line(process: str) -> bytes:
    return Path(f"/proc/{process}/cmdline").read_bytes()


def previewing() -> list[int]:
    """The processes that work out previews for this one."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        # Threads and processes end meanwhile.
        with suppress(FileNotFoundError, ProcessLookupError):
            children = (task / "children").read_text().split()
            found += [int(child) for child in children if b"rules\0preview" in _command_line(child)]
    return found


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.02)


class Browser:
    """A person's browser, whose clicks are requests that nobody has to wait for."""

    def __init__(self, application: Any, client: Client) -> None:
        self._application = application
        form = client.get(f"{RULES}add/")
        self._token = form.cookies["csrftoken"].value
        cookies = {"sessionid": client.cookies["sessionid"].value, "csrftoken": self._token}
        self._headers = [
            (b"cookie", "; ".join(f"{name}={value}" for name, value in cookies.items()).encode()),
            (b"content-type", b"application/x-www-form-urlencoded"),
        ]

    def click(self, **members: str) -> Exchange:
        form = CROSS_PRODUCT | members | {"_preview": "1", "csrfmiddlewaretoken": self._token}
        body = urlencode(form).encode()
        headers = [*self._headers, (b"content-length", str(len(body)).encode())]
        click = Exchange(self._application, http_scope("POST", f"{RULES}add/", headers=headers))
        click.arrive(body)
        return click


NewBrowser = Callable[[str], Browser]


@pytest.fixture
async def new_browser(database: None) -> AsyncIterator[NewBrowser]:
    """A function that gives somebody a browser."""
    from skg_site.asgi import application

    facts = [Fact(f"s{number}", "p", f"o{number}", 1.0, None, Source.API) for number in range(2000)]
    in_orm(write_now, [AddMany(facts)])

    def browser(name: str) -> Browser:
        def logged_in() -> Client:
            client = Client(HTTP_HOST="testserver")
            client.force_login(User.objects.create_superuser(name))
            return client

        return in_orm(lambda: Browser(application, logged_in()))

    async with LifespanManager(application):  # type: ignore[arg-type]  # the same protocol, typed in other words
        yield browser


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    assert previewing() == []


@pytest.fixture
def endless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has previews take longer than a test waits for anything."""
    program = tmp_path / "python"
    program.write_text(f"#!{sys.executable}\nimport signal\n\nsignal.pause()\n")
    program.chmod(0o700)
    monkeypatch.setattr("triples.runs.previews.sys.executable", str(program))


async def finish_soon(click: Exchange) -> None:
    ended, _ = await asyncio.wait([click.task], timeout=PATIENCE)
    assert ended


async def test_writes_go_on_while_previews_are_under_way(new_browser: NewBrowser, api: httpx.AsyncClient) -> None:
    browser = new_browser("somebody")
    clicks = [browser.click(weight=f"0.{number}") for number in range(1, 9)]
    await until(previewing)

    async with asyncio.timeout(PATIENCE):
        for number in range(20):
            answer = await api.post("/triples/add", json={"subject": "a", "predicate": "b", "object": f"{number}"})
            assert answer.status_code == 201
        assert previewing() or not all(click.task.done() for click in clicks)

    for click in clicks:
        click.disconnect()
    await asyncio.gather(*(click.finish() for click in clicks))


@pytest.mark.once
async def test_a_click_ends_the_preview_that_it_replaces(new_browser: NewBrowser) -> None:
    browser = new_browser("somebody")
    first = browser.click()
    await until(previewing)
    [worked_out] = previewing()

    second = browser.click(body="?x p ?z", weight="0.5")
    await asyncio.gather(first.finish(), second.finish())

    assert "Another preview that you asked for has taken the place of this one." in first.body.decode()
    # On a busy machine its five seconds may not suffice.
    ends = ("Now this would derive <strong>2,000 facts</strong> by itself", "could not be worked out within 5 seconds")
    assert any(end in second.body.decode() for end in ends)
    assert worked_out not in previewing()
    assert not in_orm(lambda: Rule.objects.exists())  # noqa: PLW0108  # looked up in that thread


@pytest.mark.once
@pytest.mark.usefixtures("endless")
async def test_one_preview_is_worked_out_at_a_time(new_browser: NewBrowser) -> None:
    first = new_browser("somebody").click()
    await until(previewing)
    [worked_out] = previewing()

    second = new_browser("somebody else").click()
    await asyncio.sleep(0.3)
    assert previewing() == [worked_out]
    first.disconnect()
    await finish_soon(first)
    await until(lambda: second.task.done() or previewing() not in ([], [worked_out]))
    assert not second.task.done(), second.body.decode()
    second.disconnect()
    await finish_soon(second)


@pytest.mark.usefixtures("endless")
async def test_a_preview_ends_when_nobody_waits_for_it_any_more(new_browser: NewBrowser) -> None:
    click = new_browser("somebody").click()
    await until(previewing)
    click.disconnect()
    await finish_soon(click)

    assert click.sent == []


@pytest.mark.once
async def test_a_preview_that_fails_says_so(new_browser: NewBrowser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triples.runs.previews.sys.executable", "/bin/false")
    click = await new_browser("somebody").click().finish()
    assert click.status == 200
    assert "could not be worked out; the service&#x27;s log says why" in click.body.decode()
