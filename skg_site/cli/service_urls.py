"""URLs of services, as they are given on a command line."""

import socket
from urllib.parse import urlsplit

from skg_site.api.addresses import parse_address


class BadURL(ValueError):
    """The message is a sentence for the user who gave the URL."""


def parse_service_url(text: str) -> str:
    """The base of a service's URLs, without a slash at its end."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadURL(f"{text} is no URL: {error}.") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise BadURL(f"{text} is no URL of a service, such as http://127.0.0.1:7777 or https://api.example.com.")
    if parts.username is not None or parts.query or parts.fragment:
        raise BadURL("The URL may hold a host, a port and a path only.")
    return text.rstrip("/")


def local_url(port: int, host: str = "127.0.0.1") -> str:
    """The URL of a service on this machine."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(host: str) -> bool:
    """True for `localhost` and loopback addresses. Other names are not looked up."""
    # The address of an interface may end with the name of that interface.
    address = parse_address(host.partition("%")[0])
    return host == "localhost" if address is None else address.is_loopback


def is_open_to_listeners(url: str) -> bool:
    """True if a key that is sent to this URL travels through a network unencrypted."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def is_on_this_machine(url: str) -> bool:
    """True if all addresses of the URL's host are loopback addresses. Raises BadURL if it has none."""
    host = urlsplit(url).hostname or ""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise BadURL(f"{host} cannot be found: {error.strerror}.") from None
    return all(is_loopback(str(address[0])) for *_, address in found)
