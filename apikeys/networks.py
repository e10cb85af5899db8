"""From which addresses a key may be used."""

import ipaddress

from skg_site.api.addresses import Network, parse_address, parse_network


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read networks such as `10.0.0.0/8, 2001:db8::/32, 192.0.2.7`; ValueError names the one that is wrong."""
    return tuple(parse_network(part.strip()) for part in text.split(",") if part.strip())


def client_network(address: str) -> str:
    """What counts as one client: an IPv4 address, an IPv6 network of 64 bits, or whatever else it is known by."""
    parsed = parse_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed or address)
