"""The certificates that httpx trusts, read once: they take 50 ms of processor time of each client and lone request."""

from functools import cache

import httpx
import httpx._transports.default as transports


def read_once() -> None:
    """For the whole run: clients share what tells whom they trust."""
    transports.create_ssl_context = cache(httpx.create_ssl_context)  # type: ignore[attr-defined]  # looked up there
