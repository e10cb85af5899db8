"""Addresses of servers that speak Spark Connect. It needs no library, so that settings can be checked without one."""

import re
from typing import NamedTuple

_REMOTE = re.compile(r"sc://(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s/:;\[\]]+)(:(?P<port>\d{1,5}))?(/\S*)?")
_DEFAULT_PORT = 15002


class Address(NamedTuple):
    host: str
    port: int


def address_of(remote: str) -> Address | None:
    """Return the address in a text such as sc://spark:15002; None if it is none."""
    found = _REMOTE.fullmatch(remote)
    return None if found is None else Address(found["host"].strip("[]"), int(found["port"] or _DEFAULT_PORT))
