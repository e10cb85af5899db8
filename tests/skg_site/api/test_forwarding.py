"""Who sent a request, as the connection and trusted proxies say."""

from typing import Any

import pytest

from skg_site.api.forwarding import settle_client
from tests.conftest import ChangeSettings
from tests.support.asgi import http_scope


def settled(peer: str | None, *forwarded: str, proto: str | None = None) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    if proto is not None:
        headers.append((b"x-forwarded-proto", proto.encode()))
    scope = http_scope(headers=headers) | {"client": None if peer is None else (peer, 50_000)}
    settle_client(scope)
    return scope


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["10.1.2.3"], "10.1.2.3"),
        ("::ffff:127.0.0.1", ["10.1.2.3"], "10.1.2.3"),
        ("::ffff:127.0.0.1", ["::ffff:10.1.2.3"], "10.1.2.3"),
        ("127.0.0.1", ["10.1.2.3, ::ffff:127.0.0.1"], "10.1.2.3"),
        ("127.0.0.1", ["198.51.100.1, 10.1.2.3,192.0.2.9"], "10.1.2.3"),
        ("127.0.0.1", ["198.51.100.1", "10.1.2.3, 192.0.2.9"], "10.1.2.3"),
        ("127.0.0.1", ["10.1.2.3:4711"], "10.1.2.3"),
        ("127.0.0.1", ["[2001:DB8::0:1]:4711"], "2001:db8::1"),
        ("127.0.0.1", ["[::ffff:10.1.2.3]"], "10.1.2.3"),
        ("127.0.0.1", ["2001:db8::1, 2001:db8:ffff::7"], "2001:db8::1"),
        ("127.0.0.1", [", ,10.1.2.3,, "], "10.1.2.3"),
        # All of them are proxies: the first has the request from itself.
        ("127.0.0.1", ["192.0.2.8, 192.0.2.9"], "192.0.2.8"),
        # What is no address says nothing of the client.
        ("127.0.0.1", ["unknown"], "127.0.0.1"),
        ("127.0.0.1", ["10.1.2.3, unknown, 192.0.2.9"], "192.0.2.9"),
        ("127.0.0.1", ["skg_prod_" + "x" * 40], "127.0.0.1"),
        ("127.0.0.1", ["[" * 60_000], "127.0.0.1"),
        ("127.0.0.1", [""], "127.0.0.1"),
        # Others are not believed, and yet have one name only.
        ("192.0.3.1", ["10.1.2.3"], "192.0.3.1"),
        ("::ffff:192.0.3.1", ["10.1.2.3"], "192.0.3.1"),
        ("2001:DB8::1", [], "2001:db8::1"),
        ("/run/socket", ["10.1.2.3"], "/run/socket"),
    ],
)
def test_the_client_is_who_the_last_trusted_proxy_says(
    change_settings: ChangeSettings, peer: str, forwarded: list[str], client: str
) -> None:
    change_settings(trusted_proxies=["127.0.0.1", "192.0.2.0/24", "2001:db8:ffff::/48"])
    assert settled(peer, *forwarded)["client"][0] == client


@pytest.mark.parametrize("proxy", ["127.0.0.1", "::ffff:127.0.0.1", "::ffff:127.0.0.0/104", "127.0.0.0/8"])
def test_a_trusted_proxy_may_be_written_in_either_way(change_settings: ChangeSettings, proxy: str) -> None:
    change_settings(trusted_proxies=[proxy])
    for peer in ("127.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1"):
        assert settled(peer, "10.1.2.3")["client"][0] == "10.1.2.3"


def test_nobody_is_believed_unless_a_setting_says_so(change_settings: ChangeSettings) -> None:
    change_settings(trusted_proxies=[])
    scope = settled("127.0.0.1", "10.1.2.3", proto="https")
    assert (scope["client"], scope["scheme"]) == (("127.0.0.1", 50_000), "http")


def test_a_trusted_proxy_says_whether_it_was_reached_over_tls(change_settings: ChangeSettings) -> None:
    change_settings(trusted_proxies=["127.0.0.1"])
    assert settled("::ffff:127.0.0.1", proto="https")["scheme"] == "https"
    assert settled("127.0.0.1", proto="gopher")["scheme"] == "http"
    assert settled("10.1.2.3", proto="https")["scheme"] == "http"


def test_a_connection_without_an_address_has_none(change_settings: ChangeSettings) -> None:
    change_settings(trusted_proxies=["127.0.0.1"])
    assert settled(None, "10.1.2.3")["client"] is None
