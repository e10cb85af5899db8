"""Addresses of Spark Connect servers."""

import pytest

from triples.recursion.spark_addresses import Address, address_of


@pytest.mark.parametrize(
    ("remote", "address", "told"),
    [
        ("sc://spark", ("spark", 15002), "sc://spark:15002"),
        ("sc://spark:443/;use_ssl=true;token=a-secret", ("spark", 443), "sc://spark:443"),
        ("sc://[2001:db8::1]:15002", ("2001:db8::1", 15002), "sc://[2001:db8::1]:15002"),
        ("sc://spärk.example:1", ("spärk.example", 1), "sc://spärk.example:1"),
    ],
)
def test_an_address_is_read_and_told_without_options(remote: str, address: Address, told: str) -> None:
    found = address_of(remote)
    assert (found, str(found)) == (address, told)


@pytest.mark.parametrize(
    "remote",
    [
        "",
        "spark:15002",
        "sc://",
        "sc://a b",
        "sc://h:0",
        "sc://h:65536",
        "sc://h:99999",
        "sc://a..b",
        f"sc://{'x' * 64}",
    ],
)
def test_what_is_no_address_is_known_before_it_is_looked_up(remote: str) -> None:
    assert address_of(remote) is None
