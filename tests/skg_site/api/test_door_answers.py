"""What every answer of the door has, whatever it answers."""

import re
from typing import Any

import pytest
from pytest_django import Settings
from structlog.typing import EventDict

from skg_site.api.door import APIDoor
from tests.support.asgi import Exchange, Headers, exchange, http_scope


async def ask(door: APIDoor, path: str = "/echo", method: str = "GET", headers: Headers = ()) -> Exchange:
    return await exchange(door, http_scope(method, path, headers=headers))


def without_host(scope: dict[str, Any], *hosts: bytes) -> dict[str, Any]:
    return scope | {"headers": [(b"host", host) for host in hosts]}


@pytest.mark.parametrize("path", ["/echo", "/nothing", "/broken", "/thing"])
async def test_a_browser_is_told_what_it_must_not_do(door: APIDoor, path: str) -> None:
    headers = (await ask(door, path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers


async def test_a_secure_answer_asks_to_stay_secure(door: APIDoor) -> None:
    one = await exchange(door, http_scope(path="/echo") | {"scheme": "https"})
    assert one.headers["strict-transport-security"].startswith("max-age=63072000")


@pytest.mark.parametrize("path", ["/echo", "/nothing"])
async def test_the_length_is_the_bodys(door: APIDoor, path: str) -> None:
    one = await ask(door, path)
    assert int(one.headers["content-length"]) == len(one.body)


@pytest.mark.parametrize(
    "path", ["/", "", "*", "/nothing", "/thing/", "//thing", "/THING", "/thing?", "/\0", "/\ufffd"]
)
async def test_an_unknown_path_is_a_problem(door: APIDoor, path: str) -> None:
    one = await ask(door, path)
    assert (one.status, one.headers["content-type"]) == (404, "application/problem+json")
    assert one.content == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": f"There is nothing at {path}.",
        "instance": path,
        "request_id": one.headers["x-request-id"],
    }


async def test_a_long_unknown_path_is_not_repeated_in_full(door: APIDoor) -> None:
    assert len((await ask(door, "/" + "x" * 10_000)).content["detail"]) < 250


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "OPTIONS", "TRACE", "QUERY", "DISPATCH", "QUERYX"])
async def test_a_method_that_a_path_does_not_take_is_answered_with_those_it_takes(door: APIDoor, method: str) -> None:
    one = await ask(door, "/thing", method)
    assert (one.status, one.headers["allow"]) == (405, "DELETE, GET, HEAD")


@pytest.mark.parametrize(("method", "did"), [("GET", "query"), ("HEAD", "query"), ("DELETE", "remove")])
async def test_a_method_that_a_path_takes_leads_to_its_action(door: APIDoor, method: str, did: str) -> None:
    one = await ask(door, "/thing", method)
    assert (one.status, one.content) == (200, {"did": did})


@pytest.mark.parametrize("sent", ["a", "4bf92f3577b34da6a3ce929d0e0e4736", "A.b_c~d+e/f=g-h", "x" * 128])
async def test_a_request_id_is_echoed(door: APIDoor, sent: str, log: list[EventDict]) -> None:
    one = await ask(door, "/nothing", headers=[(b"x-request-id", sent.encode())])
    assert one.headers["x-request-id"] == one.content["request_id"] == sent
    assert [line["request_id"] for line in log] == [sent]


@pytest.mark.parametrize("sent", [b"", b" ", b"x" * 129, b"a b", b"a\nb", b'"', b"{}", b"\xff", b"<script>"])
async def test_a_request_id_that_could_do_harm_is_replaced(door: APIDoor, sent: bytes) -> None:
    one = await ask(door, headers=[(b"x-request-id", sent)])
    assert re.fullmatch("[0-9a-f]{32}", one.headers["x-request-id"])


async def test_every_request_gets_an_id_of_its_own(door: APIDoor) -> None:
    ids = {(await ask(door)).headers["x-request-id"] for _ in range(100)}
    assert len(ids) == 100


async def test_an_unforeseen_failure_tells_the_log_why_and_the_client_where_to_look(
    door: APIDoor, log: list[EventDict]
) -> None:
    one = await ask(door, "/broken", headers=[(b"x-request-id", b"the-one")])
    assert (one.status, one.headers["content-type"]) == (500, "application/problem+json")
    assert one.content["detail"] == "The service failed to answer this request; the log has the reason."
    for inner in (b"RuntimeError", b"a-local-variable", b"Traceback", b"door_urls"):
        assert inner not in one.body
    [failure] = [line for line in log if line["event"] == "uncaught_error"]
    assert failure["request_id"] == one.content["request_id"] == "the-one"
    assert isinstance(failure["exc_info"], RuntimeError)


@pytest.mark.parametrize(
    "host", [b"testserver", b"testserver:7777", b"localhost", b"127.0.0.1:80", b"[::1]:80", b"LOCALHOST"]
)
async def test_the_services_hosts_are_served(door: APIDoor, host: bytes) -> None:
    assert (await exchange(door, without_host(http_scope(path="/thing"), host))).status == 200


@pytest.mark.parametrize(
    "host", [b"evil.example", b"testserver.evil.example", b"", b"testserver:x", b"a b", b"\xff", b"[::1"]
)
async def test_another_host_is_not_served(door: APIDoor, host: bytes) -> None:
    one = await exchange(door, without_host(http_scope(path="/thing"), host))
    assert one.status == 400
    assert "SKG_ALLOWED_HOSTS" in one.content["detail"]


@pytest.mark.parametrize(
    ("version", "hosts", "status"),
    [
        ("1.1", [b"testserver", b"testserver"], 400),
        ("1.0", [b"testserver", b"testserver"], 400),
        ("1.1", [], 400),
        ("2.0", [], 400),
        ("1.0", [], 200),
        ("1.0", [b"evil.example"], 400),
        ("1.1", [b"x" * 10_000 + b".testserver"], 400),
    ],
)
async def test_a_request_names_one_host(door: APIDoor, version: str, hosts: list[bytes], status: int) -> None:
    scope = without_host(http_scope(path="/thing"), *hosts)
    scope["http_version"] = version
    assert (await exchange(door, scope)).status == status


@pytest.mark.parametrize(
    ("hosts", "status"), [([b"10.1.2.3:7777"], 200), ([b"any.example"], 200), ([b"a b"], 400), ([b""], 400), ([], 400)]
)
async def test_a_probe_comes_by_address(door: APIDoor, settings: Settings, hosts: list[bytes], status: int) -> None:
    settings.PROBE_PATHS = frozenset({"/thing"})
    assert (await exchange(door, without_host(http_scope(path="/thing"), *hosts))).status == status


@pytest.mark.parametrize(
    "accept",
    [
        b"*/*",
        b"application/json",
        b"application/*",
        b"text/html, application/json;q=0.9",
        b"text/html;q=1, */*;q=0.1",
        b"Application/JSON; charset=utf-8",
    ],
)
async def test_a_client_that_takes_json_is_answered(door: APIDoor, accept: bytes) -> None:
    assert (await ask(door, "/thing", headers=[(b"accept", accept)])).status == 200


@pytest.mark.parametrize(
    "accept", [b"text/html", b"application/json;q=0", b"*/*;q=0.000", b"application/jsonp", b"image/*", b"\xff", b"*"]
)
async def test_a_client_that_takes_no_json_is_told_so(door: APIDoor, accept: bytes) -> None:
    one = await ask(door, "/thing", headers=[(b"accept", accept)])
    assert (one.status, one.headers["content-type"]) == (406, "application/problem+json")


async def test_a_refusal_of_json_counts_more_than_a_general_welcome(door: APIDoor) -> None:
    refusing = [(b"accept", b"application/json;q=0, */*")]
    assert (await ask(door, "/thing", headers=refusing)).status == 406
