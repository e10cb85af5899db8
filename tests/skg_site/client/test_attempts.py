"""What is sent again and what is not, against a server that answers what the test has written down."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from skg_site.client import (
    AsyncClient,
    Client,
    ClientError,
    Incomplete,
    NoAnswer,
    Options,
    RateLimited,
    Refused,
    ServiceUnavailable,
    UnexpectedAnswer,
    Wait,
)
from skg_site.client.calls import Call, Pause
from skg_site.client.rule_calls import recurse
from tests.support.scripted_server import ScriptedServer, serving
from tests.support.service import free_port

BUSY = orjson.dumps({"type": "about:blank", "title": "Busy", "status": 503, "detail": "Too busy."})


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    with serving() as server:
        yield server


def asked_with(server: ScriptedServer, patience: float, waits: list[Wait]) -> Client:
    return Client(server.url, "key", options=Options(patience=patience, on_wait=waits.append))


def test_what_the_service_asks_for_is_waited_for(scripted: ScriptedServer) -> None:
    scripted.answers = [
        (503, {"Retry-After": "1"}, BUSY),
        (429, {"Retry-After": "0"}, b""),
        (502, {}, b"<html>"),
        (200, {}, b'{"results": []}'),
    ]
    waits: list[Wait] = []
    with asked_with(scripted, 30, waits) as client:
        assert client.query("a")["results"] == []
    assert len(scripted.requests) == 4
    kinds = [(type(wait.error), getattr(wait.error, "status", None)) for wait in waits]
    assert kinds == [(ServiceUnavailable, 503), (UnexpectedAnswer, 429), (UnexpectedAnswer, 502)]
    assert 1 <= waits[0].seconds <= 1.25
    assert waits[1].seconds <= 0.25


def test_a_list_that_ends_as_the_time_is_over_is_told_from_one_that_is_complete(scripted: ScriptedServer) -> None:
    one = {"bindings": {"?x": "a"}, "weight": 0.5}
    pages: list[dict[str, Any]] = [
        {"results": [one], "next_cursor": "0" * 32, "complete_above": 0.5},
        {"results": [], "next_cursor": None, "complete_above": 0.25},
        {"results": [one], "next_cursor": "0" * 32, "complete_above": 0.5},
        {"results": [one], "next_cursor": None},
    ]
    scripted.answers = [(200, {}, orjson.dumps(page)) for page in pages]
    with Client(scripted.url, "key") as client:
        answers = client.all_answers([["?x", "p", "b"]])
        assert next(answers) == one
        with pytest.raises(Incomplete, match=r"heavier than 0\.25 are sure") as caught:
            next(answers)
        assert caught.value.complete_above == 0.25
        assert list(client.all_answers([["?x", "p", "b"]])) == [one, one]


def test_a_wait_beyond_the_patience_is_not_begun(scripted: ScriptedServer) -> None:
    scripted.answers = [(503, {"Retry-After": "60"}, BUSY)]
    waits: list[Wait] = []
    with asked_with(scripted, 30, waits) as client, pytest.raises(ServiceUnavailable, match=r"503 Busy: Too busy\."):
        client.query("a")
    assert (len(scripted.requests), waits) == (1, [])


LIMITED = orjson.dumps({"type": "about:blank", "title": "Too Many Requests", "status": 429, "detail": "Used up."})


def test_an_export_is_asked_for_again_until_it_begins(scripted: ScriptedServer) -> None:
    scripted.answers = [
        (503, {"Retry-After": "0"}, BUSY),
        (429, {"Retry-After": "0"}, LIMITED),
        (200, {}, b"a\tp\to\n"),
    ]
    waits: list[Wait] = []
    with asked_with(scripted, 30, waits) as client:
        assert b"".join(client.export("tsv")) == b"a\tp\to\n"
    assert [type(wait.error) for wait in waits] == [ServiceUnavailable, RateLimited]


async def test_so_is_one_of_the_async_client(scripted: ScriptedServer) -> None:
    scripted.answers = [(429, {"Retry-After": "0"}, LIMITED), (200, {}, b"a\tp\to\n")]
    async with AsyncClient(scripted.url, "key") as client:
        assert b"".join([piece async for piece in client.export("tsv")]) == b"a\tp\to\n"
    assert len(scripted.requests) == 2


def test_after_its_patience_the_client_says_how_often_it_has_tried(scripted: ScriptedServer) -> None:
    scripted.answers = [(429, {"Retry-After": "0"}, LIMITED), (429, {"Retry-After": "60"}, LIMITED)]
    with asked_with(scripted, 30, []) as client, pytest.raises(RateLimited) as limited:
        client.query("a")
    assert re.fullmatch(
        r"429 Too Many Requests: Used up\. It was sent 2 times in 0\.\d s: the client's patience is 30 s\.",
        str(limited.value),
    )
    assert limited.value.retry_after == 60


def test_a_file_is_not_kept_back_for_longer_than_the_patience(scripted: ScriptedServer, tmp_path: Path) -> None:
    file = tmp_path / "facts.ndjson"
    file.write_text("{}")
    scripted.answers = [(429, {"Retry-After": "1800"}, LIMITED)]
    with asked_with(scripted, 1, []) as client, pytest.raises(RateLimited, match="It was sent once: "):
        client.import_file(file)
    assert len(scripted.requests) == 1


def test_what_would_be_done_twice_is_not_sent_again(scripted: ScriptedServer) -> None:
    scripted.answers = [(503, {"Retry-After": "0"}, BUSY), (504, {}, b"")]
    with asked_with(scripted, 30, []) as client:
        with pytest.raises(ServiceUnavailable):
            client.issue_key("new", ["read"])
        with pytest.raises(UnexpectedAnswer):
            client.rotate_key()
    assert [path for path, _ in scripted.requests] == ["/keys", "/keys/me/rotate"]


@pytest.mark.parametrize(
    ("status", "content", "kind", "message"),
    [
        (301, b"", UnexpectedAnswer, "POST /query gave 301"),
        (200, b"OK", UnexpectedAnswer, "is none of an SKG API"),
        (200, b"[]", UnexpectedAnswer, "is none of an SKG API"),
        (400, b'{"detail": "No JSON."}', Refused, "400: No JSON."),
        (500, b"", UnexpectedAnswer, "POST /query gave 500"),
    ],
)
def test_an_answer_that_will_not_change_is_told_at_once(
    scripted: ScriptedServer, status: int, content: bytes, kind: type[Exception], message: str
) -> None:
    scripted.answers = [(status, {}, content)]
    with asked_with(scripted, 30, []) as client, pytest.raises(kind, match=message):
        client.query("a")
    assert len(scripted.requests) == 1


def test_nobody_there_is_tried_until_patience_ends() -> None:
    waits: list[Wait] = []
    options = Options(patience=1, on_wait=waits.append)
    with Client(f"http://127.0.0.1:{free_port()}", options=options) as client, pytest.raises(NoAnswer):
        client.issue_key("new", ["read"])
    # Not even what would be done twice if it had arrived: it cannot have.
    assert waits
    assert sum(wait.seconds for wait in waits) < 1


@pytest.mark.parametrize("url", ["127.0.0.1:7777", "localhost:7777", "ftp://localhost"])
def test_a_url_of_another_protocol_is_not_tried_again(url: str) -> None:
    waits: list[Wait] = []
    with (
        Client(url, options=Options(on_wait=waits.append)) as client,
        pytest.raises(NoAnswer, match=r"protocol[^.]*\.$"),
    ):
        client.stats()
    assert waits == []


def test_a_key_is_sent_without_the_line_end_of_its_file(scripted: ScriptedServer) -> None:
    scripted.answers = [(200, {}, b'{"results": []}')]
    with Client(scripted.url, "skg_key\n") as client:
        client.query("a")
    assert scripted.headers[0]["Authorization"] == "Bearer skg_key"


@pytest.mark.parametrize("key", ["skg\nkey", "skg_kéy", "skg_\x00"])
def test_a_key_that_no_request_can_carry_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ClientError) as caught:
        Client("http://127.0.0.1:7777", key)
    assert key[:3] not in str(caught.value)


def test_a_run_is_asked_for_until_it_ends() -> None:
    def run(status: str) -> dict[str, Any]:
        return {"run_id": "one", "status": status}

    steps = recurse(wait=True)
    started = next(steps)
    assert isinstance(started, Call)
    assert started.headers == {"Prefer": "wait=20"}
    seconds = []
    pause = steps.send(run("queued"))
    for _ in range(7):
        assert isinstance(pause, Pause)
        seconds.append(pause.seconds)
        asked = steps.send(None)
        assert isinstance(asked, Call)
        assert asked.path == "/recurse/one"
        pause = steps.send(run("running"))
    assert seconds == sorted(seconds)
    assert max(seconds) == 5
    steps.send(None)
    with pytest.raises(StopIteration) as end:
        steps.send(run("succeeded"))
    assert end.value.value == run("succeeded")


def test_a_run_is_not_waited_for_longer_than_wanted() -> None:
    steps = recurse(wait=0.1)
    next(steps)
    with pytest.raises(StopIteration) as end:
        steps.send({"run_id": "one", "status": "running"})
    assert end.value.value["status"] == "running"
