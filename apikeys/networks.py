"""From which addresses a key may be used."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read networks such as `10.0.0.0/8, 2001:db8::/32, 192.0.2.7`; ValueError names the one that is wrong."""
    return tuple(ipaddress.ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def is_allowed(address: str, networks: Iterable[Network]) -> bool:
    """Whether an address is in one of these networks; what is no IP address (a socket's path) is in none."""
    parsed = _parse_address(address)
    return parsed is not None and any(parsed in network for network in networks)


@lru_cache(maxsize=4096)
def _parse_address(address: str) -> Address | None:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    # A server that listens on both families sees an IPv4 client as ::ffff:192.0.2.7.
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, ipaddress.IPv6Address) else parsed


def client_network(address: str) -> str:
    """What counts as one client: an IPv4 address, an IPv6 network of 64 bits, or whatever else it is known by."""
    parsed = _parse_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed or address)
