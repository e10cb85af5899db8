"""Which service is loaded, and whether it is on this machine."""

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit


class BadTarget(ValueError):
    """The message is a sentence for whoever named it."""


def parse_target(text: str) -> str:
    """The base of the service's URLs, without a slash at its end."""
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  # raises for a number that is no port
    except ValueError as error:
        raise BadTarget(f"{text} is no URL: {error}.") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadTarget(f"{text} is no URL such as http://127.0.0.1:7777.")
    if parts.username is not None or parts.query or parts.fragment:
        raise BadTarget("The URL may hold a host, a port and a path only.")
    return text.rstrip("/")


def is_on_this_machine(url: str) -> bool:
    """Whether all addresses of its host are loopback ones; BadTarget where it has none."""
    host = urlsplit(url).hostname or ""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise BadTarget(f"{host} cannot be found: {error.strerror}.") from None
    return all(_is_loopback(str(address[0])) for *_, address in found)


def _is_loopback(text: str) -> bool:
    # An address of a link may end with the name of that link.
    address = ip_address(text.partition("%")[0])
    # ::ffff:127.0.0.1 is 127.0.0.1 (RFC 4291, 2.5.5.2).
    return ((address.version == 6 and address.ipv4_mapped) or address).is_loopback
