"""How people write what belongs to a key, and the one form in which it is kept."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apikeys.cleaning import clean_name, clean_networks, clean_rate
from apikeys.scopes import LEGAL_SCOPE_TEXTS, Scope, scope_text
from skg_site.api.addresses import client_network, is_within, parse_networks
from skg_site.cli.durations import parse_duration


@given(st.lists(st.sampled_from(list(Scope)), min_size=1))
def test_equal_sets_of_scopes_are_equal_texts(scopes: list[Scope]) -> None:
    text = scope_text(scopes)
    assert text in LEGAL_SCOPE_TEXTS
    assert set(text.split()) == set(scopes)
    assert text == scope_text(reversed(scopes))


def test_there_are_fifteen_sets_of_scopes() -> None:
    assert len(set(LEGAL_SCOPE_TEXTS)) == 15


@pytest.mark.parametrize("scopes", [[], ["fly"], ["read", ""], ["READ"], ["read write"]])
def test_other_scopes_are_refused(scopes: list[str]) -> None:
    with pytest.raises(ValueError, match="scope"):
        scope_text(scopes)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        ("  ", ""),
        ("100", "100/m"),
        ("100/s", "100/s"),
        (" 5/h ", "5/h"),
        ("0", "0"),
        ("0/s", "0"),
        ("007", "7/m"),
    ],
)
def test_a_rate_is_kept_in_one_form(text: str, kept: str) -> None:
    assert clean_rate(text) == kept


@pytest.mark.parametrize("text", ["-1", "1.5", "100/d", "1e3", "/s", "100 /s", "1000000000", "\u0661\u0660", "100/s\0"])
def test_other_rates_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="the rate must be"):
        clean_rate(text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("bob", "bob"),
        ("  nightly import\n", "nightly import"),
        ("Zoë 🔑", "Zoë 🔑"),
        ("a\u00adb", "a\u00adb"),
        (" e\u0301", "\u00e9"),
    ],
)
def test_a_name_is_kept_without_outer_space(text: str, kept: str) -> None:
    assert clean_name(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "a\nb",
        "a\0b",
        "a\x7fb",
        "a\x85b",
        "a\u2028b",
        "a\u202eb",
        "a\u200eb",
        "a\u061cb",
        "a\u2067b",
        "a\ud800b",
        "x" * 101,
    ],
)
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="the name must"):
        clean_name(text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        (" , ", ""),
        ("192.0.2.7", "192.0.2.7/32"),
        ("2001:db8::/32, 10.1.0.0/16,10.0.0.0/8", "10.0.0.0/8,10.1.0.0/16,2001:db8::/32"),
        ("10.0.0.0/8,10.0.0.0/8", "10.0.0.0/8"),
        ("10.1.2.3/8", "10.0.0.0/8"),
    ],
)
def test_networks_are_kept_sorted_and_once(text: str, kept: str) -> None:
    assert clean_networks(text) == kept


@pytest.mark.parametrize(
    "text", ["localhost", "10.0.0.0/33", "10.0.0", "10.0.0.0/8;10.1.0.0/16", "::/129", "10.0.0.01"]
)
def test_other_networks_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        clean_networks(text)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("10.255.0.1", True),
        ("11.0.0.1", False),
        ("::ffff:10.0.0.1", True),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("", False),
        ("/run/skg.sock", False),
    ],
)
def test_an_address_is_in_a_network_or_not(address: str, *, allowed: bool) -> None:
    assert is_within(address, parse_networks("10.0.0.0/8,2001:db8::/32")) is allowed


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_a_client_is_an_address_or_an_ipv6_network(address: str, client: str) -> None:
    assert client_network(address) == client


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("12h", timedelta(hours=12)),
        ("30d", timedelta(30)),
    ],
)
def test_lengths_of_time_are_read(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1.5h", "1w", "1 d", "100000d", "\u0661d"])
def test_other_lengths_of_time_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no length of time"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("::/0", "::/0"),
    ],
)
def test_an_ipv4_network_written_as_ipv6_is_one(text: str, kept: str) -> None:
    assert clean_networks(text) == kept
    assert is_within("::ffff:192.0.2.7", parse_networks("::ffff:0:0/96"))


@pytest.mark.parametrize("text", ["fe80::1%eth0", "fe80::1%\0", "fe80::1%<b>", "fe80::/10%eth0"])
def test_a_network_names_no_interface(text: str) -> None:
    with pytest.raises(ValueError, match="names an interface"):
        clean_networks(text)


def test_a_name_is_the_same_however_its_letters_are_written() -> None:
    assert clean_name("pe\u0300re") == clean_name("p\u00e8re") == "p\u00e8re"
    assert len(clean_name("e\u0300" * 100)) == 100
