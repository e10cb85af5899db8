"""Conditional requests (RFC 9110, section 13): entity tags, If-Match and If-None-Match."""

from django.http import HttpResponse
from rest_framework.request import Request

from skg_site.api.headers import elements, entity_tags
from skg_site.api.problems import BadRequest
from skg_site.api.request import http_of
from skg_site.api.views import empty_answer


def entity_tag(version: str) -> str:
    return f'"{version}"'


def versions_to_match(request: Request) -> frozenset[str] | None:
    """The versions that If-Match names; None if it is absent or `*`. Weak tags match nothing."""
    tags = _tags(request, "If-Match")
    return None if tags is None or tags == ["*"] else frozenset(tag[1:-1] for tag in tags if tag.startswith('"'))


def unless_known(request: Request, answer: HttpResponse) -> HttpResponse:
    """The answer, or 304 in its place if the client has it already: If-None-Match names its entity tag, or is `*`."""
    tags = _tags(request, "If-None-Match")
    tag = answer.headers["ETag"]
    if tags is None or (tags != ["*"] and tag not in [known.removeprefix("W/") for known in tags]):
        return answer
    return empty_answer(304, {"ETag": tag})


def _tags(request: Request, header: str) -> list[str] | None:
    """The entity tags in a header, or `["*"]`; None if it is absent."""
    value = http_of(request).list_header(header.lower().encode())
    if value is None:
        return None
    if set(elements(value.decode("latin-1"))) == {"*"}:
        return ["*"]
    tags = entity_tags(value)
    if tags is None:
        raise BadRequest(f'{header} must be * or a list of entity tags such as "3f2a".')
    return tags
