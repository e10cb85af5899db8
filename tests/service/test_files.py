"""Files over the wire: larger than a body may be otherwise, broken off and gone on with, slow, and taken back."""

import random
import socket
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import StartService
from tests.support.service import KEY, Service

LINES = "".join(f"subject {number}\tp\tobject {number % 100}\t0.5\n" for number in range(20_000)).encode()


def send(service: Service, query: str, body: bytes, share: float, *, pause: float = 0.0) -> None:
    """Send a part of a body and break the connection."""
    head = (
        f"POST /import?{query} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        connection.sendall(head.encode())
        connection.sendall(body[: int(len(body) * share)])
        time.sleep(pause)


def ended(client: httpx.Client) -> Any:
    """The newest import, once its process has ended."""
    for _ in range(600):
        found = client.get("/imports?limit=1").json()["imports"]
        if found and found[0]["status"] != "running":
            return found[0]
        time.sleep(0.05)
    raise AssertionError("the import does not end")


@pytest.mark.both
@pytest.mark.process
def test_a_file_that_breaks_off_again_and_again_is_stored_once_and_taken_back(service: StartService) -> None:
    one = service(workers=1, max_body_bytes=2048, body_timeout=5)
    chance = random.Random(7)
    query = "name=facts.tsv&token=broken-off-often"
    with one.client() as client:
        for share in sorted(chance.random() for _ in range(3)):
            send(one, query, LINES, share, pause=2.0)
            state = ended(client)
            assert state["status"] == "broken"
            assert state["duplicates"] == 0
        while (answer := client.post(f"/import?{query}", content=LINES, timeout=60)).status_code == 503:
            # The processes of those that broke off have not all ended yet.
            time.sleep(0.5)
        done = answer.raise_for_status().json()
        assert (done["status"], done["read"], done["inserted"], done["duplicates"]) == ("finished", 20_000, 20_000, 0)
        assert client.get("/stats").json()["total_triples"] == 20_000
        exported = client.get("/export?format=tsv", timeout=60)
        assert sorted(exported.content.splitlines()) == sorted(LINES.splitlines())
        undoing = client.post(f"/import/{done['import_id']}/undo")
        assert undoing.status_code == 202
        for _ in range(600):
            if client.get(f"/import/{done['import_id']}").json()["status"] == "undone":
                break
            time.sleep(0.05)
        assert client.get("/stats").json()["total_triples"] == 0
    assert not [line for line in one.log_lines if line["level"] in {"error", "critical"}]


@pytest.mark.process
def test_a_body_may_take_longer_than_others_if_each_piece_comes_in_time(service: StartService, tmp_path: Path) -> None:
    one = service(workers=1, body_timeout=2)

    def slowly() -> Any:
        for start in range(0, 100_000, 10_000):
            yield LINES[start : start + 10_000]
            time.sleep(0.6)
        yield LINES[100_000:]

    with one.client() as client:
        done = client.post("/import?format=tsv", content=slowly(), timeout=60)
        assert (done.status_code, done.json()["inserted"]) == (200, 20_000)


@pytest.mark.process
def test_a_body_that_goes_on_after_its_import_has_ended_is_answered(service: StartService) -> None:
    one = service(workers=1)

    def slowly() -> Any:
        yield b"a\tp\tb\nbad\n"
        with one.client() as other:
            ended(other)
        for _ in range(3):
            yield LINES
            time.sleep(0.1)

    with one.client() as client:
        refused = client.post("/import?format=tsv&strict=true", content=slowly(), timeout=60)
        assert (refused.status_code, refused.json()["import"]["read"]) == (422, 0)
    assert not [line for line in one.log_lines if line["level"] in {"error", "critical"}]
