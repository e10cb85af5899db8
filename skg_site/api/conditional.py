"""Conditional requests (RFC 9110, section 13): entity tags out, If-Match in."""

import re

from rest_framework.request import Request

from skg_site.api.door import http_of
from skg_site.api.problems import BadRequest

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]*"')
_TAGS = re.compile(rf"{_TAG.pattern}(?:\s*,\s*{_TAG.pattern})*")


def entity_tag(version: str) -> str:
    return f'"{version}"'


def versions_to_match(request: Request) -> frozenset[str] | None:
    """The versions that If-Match names, or None when it is absent or `*`. Weak tags match nothing."""
    header = http_of(request).header(b"if-match")
    if header is None or header.strip() == b"*":
        return None
    tags = header.decode("latin-1").strip()
    if not _TAGS.fullmatch(tags):
        raise BadRequest('If-Match must be * or a list of entity tags such as "3f2a".')
    return frozenset(tag[1:-1] for tag in _TAG.findall(tags) if tag.startswith('"'))
