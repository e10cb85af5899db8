"""Internet addresses and networks in normal form, in which they are compared, counted and logged."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# The longest form of an address without a zone. Longer texts are not cached: clients choose them.
MAX_LENGTH = 64
# Longer than the text of any network.
_MAX_SHOWN = 100
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


def parse_address(text: str) -> Address | None:
    """The address, as IPv4 for `::ffff:192.0.2.7` (RFC 4291, 2.5.5.2); None if the text is no address."""
    return _parse_address(text) if len(text) <= MAX_LENGTH else None


@lru_cache(maxsize=4096)
def _parse_address(text: str) -> Address | None:
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return None
    # The form of an IPv4 client of a socket that listens on both families.
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, ipaddress.IPv6Address) else parsed


def parse_network(text: str) -> Network:
    """A network such as `10.0.0.0/8`, or one address; ValueError for any other text."""
    if "%" in text:
        # A zone can be any text and has a meaning on its own machine only.
        raise ValueError(f"{text[:_MAX_SHOWN]!r} names an interface after %, which a network cannot have here")
    if len(text) > _MAX_SHOWN:
        raise ValueError(f"{text[:_MAX_SHOWN]!r}… does not appear to be an IPv4 or IPv6 network")
    network = ipaddress.ip_network(text, strict=False)
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
        first = network.network_address.ipv4_mapped
        return ipaddress.IPv4Network((int(first or 0), network.prefixlen - _MAPPED.prefixlen))
    return network


def is_within(address: str, networks: Iterable[Network]) -> bool:
    """True if the address is in one of the networks; a text that is no address (a socket's path) is in none."""
    parsed = parse_address(address)
    return parsed is not None and any(parsed in network for network in networks)


def parse_networks(text: str) -> tuple[Network, ...]:
    """Networks from a text such as `10.0.0.0/8, 2001:db8::/32, 192.0.2.7`; ValueError names the faulty one."""
    return tuple(parse_network(part.strip()) for part in text.split(",") if part.strip())


def client_network(address: str) -> str:
    """The unit that counts as one client: an IPv4 address, an IPv6 network of 64 bits, or any other text as it is."""
    parsed = parse_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed or address)
