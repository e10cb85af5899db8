"""Check of the Host header against SKG_ALLOWED_HOSTS."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from skg_site.api.problems import BadHost, BadRequest

# A name has at most 253 characters, and a port five digits.
MAX_HOST_BYTES = 260


def check_host(scope: Mapping[str, Any]) -> None:
    """Refuse a request without a Host, with two, or with one that is not allowed (RFC 9112, 3.2).

    Probes use the address of the service, so they can have any host. The ASGI server has put the host of an absolute
    target in the place of the header.
    """
    host: bytes | None = None
    for name, value in scope["headers"]:
        if name == b"host":
            if host is not None:
                raise BadRequest("The header Host came more than once.")
            host = value
    if host is None:
        if scope["http_version"] != "1.0":
            raise BadRequest("The request has no Host header, which HTTP/1.1 demands.")
    elif len(host) > MAX_HOST_BYTES or not (_is_allowed(host) or _is_probe(scope["path"], host)):
        raise BadHost(host.decode("latin-1"))


def is_allowed(host: bytes | None) -> bool:
    """True if `check_host` takes any request that has this Host, once."""
    return host is not None and len(host) <= MAX_HOST_BYTES and _is_allowed(host)


def _is_probe(path: str, host: bytes) -> bool:
    return path in settings.PROBE_PATHS and bool(_domain(host))


@lru_cache(maxsize=1024)
def _is_allowed(host: bytes) -> bool:
    domain = _domain(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def _domain(host: bytes) -> str:
    """The name or the address without its port; empty for any other text."""
    return split_domain_port(host.decode("latin-1"))[0]
