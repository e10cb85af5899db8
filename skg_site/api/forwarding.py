"""The client of a request: the peer of the connection, or the address that trusted proxies forward."""

from collections.abc import Iterator
from functools import lru_cache

from django.conf import settings

from skg_site.api.addresses import MAX_LENGTH, Network, is_within, parse_address, parse_network
from skg_site.api.asgi_types import Scope

SCHEMES = frozenset({b"http", b"https"})


def settle_client(scope: Scope) -> None:
    """Put the client's address and its scheme into the scope of a new request.

    Replaces uvicorn's own middleware, which does not treat `::ffff:127.0.0.1` as 127.0.0.1.
    """
    client = scope.get("client")
    if client is None:
        return
    text, port = client
    # The IPv4 address of a socket has only one form.
    address = _canonical(text) if ":" in text and len(text) <= MAX_LENGTH else text
    if (trusted := settings.ENV.trusted_proxies) and _is_trusted(address, tuple(trusted)):
        for name, value in scope["headers"]:
            if name == b"x-forwarded-proto" and value.strip() in SCHEMES:
                scope["scheme"] = value.strip().decode()
        for hop in _hops(scope):
            # Texts such as `unknown` do not name the client of the last known proxy.
            if hop is None:
                break
            address, port = hop, 0
            if not _is_trusted(address, tuple(trusted)):
                break
    if address != text:
        scope["client"] = (address, port)


def _hops(scope: Scope) -> Iterator[str | None]:
    """The addresses in X-Forwarded-For, the last one first. Each proxy adds the address of its client."""
    for name, value in reversed(scope["headers"]):
        if name == b"x-forwarded-for":
            for hop in reversed(value.decode("latin-1").split(",")):
                if hop := hop.strip():
                    parsed = parse_address(_without_port(hop))
                    yield None if parsed is None else str(parsed)


def _without_port(hop: str) -> str:
    """The address in `192.0.2.7:1234`, `[2001:db8::1]:1234` or without a port."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


@lru_cache(maxsize=4096)
def _canonical(text: str) -> str:
    parsed = parse_address(text)
    return text if parsed is None else str(parsed)


def _is_trusted(address: str, proxies: tuple[str, ...]) -> bool:
    return len(address) <= MAX_LENGTH and _is_trusted_remembered(address, proxies)


@lru_cache(maxsize=4096)
def _is_trusted_remembered(address: str, proxies: tuple[str, ...]) -> bool:
    return is_within(address, _networks(proxies))


@lru_cache(maxsize=16)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(map(parse_network, texts))
