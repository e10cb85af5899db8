"""What is remembered by clients' words: never more than a known number of short ones."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from types import ModuleType

import pytest

from skg_site.api import addresses, forwarding, headers, hosts
from skg_site.api.problems import BadHost
from triples.exchange import fields

LONG = "a" * 60_000


def caches(*modules: ModuleType) -> Iterator[Callable[..., object]]:
    for module in modules:
        yield from (value for value in vars(module).values() if hasattr(value, "cache_info"))


def check_host(word: str) -> None:
    scope = {"headers": [(b"host", word.encode())], "http_version": "1.1", "path": "/stats"}
    with suppress(BadHost):
        hosts.check_host(scope)


@pytest.mark.parametrize(
    "read",
    [
        check_host,
        lambda word: headers.accepts(word.encode(), "application/json"),
        lambda word: headers.is_json(word.encode()),
        addresses.parse_address,
        lambda word: forwarding._is_trusted(word, ("127.0.0.1",)),
        lambda word: fields._number(f"0.{len(word)}{'0' * len(word)}"),
    ],
)
def test_what_is_long_is_not_remembered(read: Callable[[str], object]) -> None:
    modules = (hosts, headers, addresses, forwarding, fields)
    before = [cache.cache_info() for cache in caches(*modules)]  # type: ignore[attr-defined]  # they have it
    assert all(info.maxsize is not None for info in before)
    read(LONG)
    after = [cache.cache_info() for cache in caches(*modules)]  # type: ignore[attr-defined]  # as above
    assert [info.misses for info in after] == [info.misses for info in before]
    read("b")
    assert [cache.cache_info() for cache in caches(*modules)] != before  # type: ignore[attr-defined]  # as above
