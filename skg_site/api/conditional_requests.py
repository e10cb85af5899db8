"""Conditional requests (RFC 9110, section 13): entity tags and If-Match."""

from rest_framework.request import Request

from skg_site.api.headers import elements, entity_tags
from skg_site.api.problems import BadRequest
from skg_site.api.request import http_of


def entity_tag(version: str) -> str:
    return f'"{version}"'


def versions_to_match(request: Request) -> frozenset[str] | None:
    """The versions that If-Match names; None if it is absent or `*`. Weak tags match nothing."""
    header = http_of(request).list_header(b"if-match")
    if header is None or set(elements(header.decode("latin-1"))) == {"*"}:
        return None
    tags = entity_tags(header)
    if tags is None:
        raise BadRequest('If-Match must be * or a list of entity tags such as "3f2a".')
    return frozenset(tag[1:-1] for tag in tags if tag.startswith('"'))
