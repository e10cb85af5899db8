"""A load goes where it was meant to go."""

import pytest

from skg_site.cli.service_urls import BadURL, is_on_this_machine, parse_service_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://127.0.0.1:7777", "http://127.0.0.1:7777"),
        ("https://graph.example.org/skg/", "https://graph.example.org/skg"),
        ("http://[::1]:7777/", "http://[::1]:7777"),
    ],
)
def test_a_url_may_have_a_host_a_port_and_a_path(text: str, url: str) -> None:
    assert parse_service_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1:7777",
        "ftp://127.0.0.1",
        "http://",
        "http://:7777",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://@127.0.0.1",
        "http://127.0.0.1:port",
        "http://[::1",
        "http://me:secret@127.0.0.1",
        "http://127.0.0.1/?a=b",
        "http://127.0.0.1/#here",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadURL):
        parse_service_url(text)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
def test_loopback_addresses_are_this_machine(host: str) -> None:
    assert is_on_this_machine(f"http://{host}:7777")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "[2001:db8::1]", "127.0.0.1.0", "[::ffff:192.0.2.7]"])
def test_other_addresses_are_not(host: str) -> None:
    try:
        assert not is_on_this_machine(f"http://{host}:7777")
    except BadURL as error:
        assert "cannot be found" in str(error)  # noqa: PT017  # not every machine can read every address


def test_a_host_that_has_no_address_is_refused() -> None:
    with pytest.raises(BadURL, match=r"nowhere\.invalid cannot be found"):
        is_on_this_machine("http://nowhere.invalid")
