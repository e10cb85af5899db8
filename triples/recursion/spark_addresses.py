"""Addresses of servers that speak Spark Connect. It needs no library, so that settings can be checked without one."""

import re
from typing import NamedTuple

_REMOTE = re.compile(r"sc://(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s/:;\[\]]+)(:(?P<port>\d{1,5}))?(/\S*)?")
_DEFAULT_PORT = 15002
_MOST_PORT = 65_535


class Address(NamedTuple):
    host: str
    port: int

    def __str__(self) -> str:
        """The address for people, without what may follow it in a remote: options, of which one is a token."""
        return f"sc://[{self.host}]:{self.port}" if ":" in self.host else f"sc://{self.host}:{self.port}"


def address_of(remote: str) -> Address | None:
    """Return the address in a text such as sc://spark:15002; None if it is none."""
    found = _REMOTE.fullmatch(remote)
    if found is None:
        return None
    address = Address(found["host"].strip("[]"), int(found["port"] or _DEFAULT_PORT))
    return address if 0 < address.port <= _MOST_PORT and _can_be_looked_up(address.host) else None


def _can_be_looked_up(host: str) -> bool:
    try:
        # As the library of sockets does it, which raises this error, and no OSError.
        host.encode("idna")
    except UnicodeError:
        return False
    return True
