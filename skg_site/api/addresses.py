"""Internet addresses and networks, each in the one form in which they are compared, counted and logged."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# No address is written with more characters, but for the name of a zone; a cache must not grow by what clients send.
MAX_LENGTH = 64
# Longer than any network is written.
_MAX_SHOWN = 100
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


def parse_address(text: str) -> Address | None:
    """The address, an IPv4 one for `::ffff:192.0.2.7` (RFC 4291, 2.5.5.2); None for what is none."""
    return _parse_address(text) if len(text) <= MAX_LENGTH else None


@lru_cache(maxsize=4096)
def _parse_address(text: str) -> Address | None:
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return None
    # A server that listens on both families sees an IPv4 client so.
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, ipaddress.IPv6Address) else parsed


def parse_network(text: str) -> Network:
    """A network such as `10.0.0.0/8`, or one address; ValueError for what is none."""
    if "%" in text:
        # Any text can follow it, and no other machine knows what it names.
        raise ValueError(f"{text[:_MAX_SHOWN]!r} names an interface after %, which a network cannot have here")
    if len(text) > _MAX_SHOWN:
        raise ValueError(f"{text[:_MAX_SHOWN]!r}… does not appear to be an IPv4 or IPv6 network")
    network = ipaddress.ip_network(text, strict=False)
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
        first = network.network_address.ipv4_mapped
        return ipaddress.IPv4Network((int(first or 0), network.prefixlen - _MAPPED.prefixlen))
    return network


def is_within(address: str, networks: Iterable[Network]) -> bool:
    """Whether an address is in one of these networks; what is no address (a socket's path) is in none."""
    parsed = parse_address(address)
    return parsed is not None and any(parsed in network for network in networks)
