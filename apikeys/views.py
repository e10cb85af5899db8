"""Keys over HTTP: the caller's own, and all of them for a key with the scope `admin`."""

from datetime import timedelta
from typing import ClassVar

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request

from apikeys import openapi
from apikeys.callers import actor_of, caller_of
from apikeys.delegation import BeyondIssuer
from apikeys.keys import is_public_id
from apikeys.lineages import revoke
from apikeys.models import ApiKey
from apikeys.request_models import CURSOR, IssueKey, KeyListParameters, RevokeKey, RotateKey
from apikeys.responses import (
    IssuedKeyOut,
    KeyOut,
    KeyPageOut,
    RevokedKeyOut,
    issued_content,
    key_content,
    revocation_content,
)
from apikeys.services import NotRotatable, key_issue, key_rotate
from skg_site.api.problems import Conflict
from skg_site.api.reading import json_body, query_parameters
from skg_site.api.threads import in_thread
from skg_site.api.views import APIViewSet, json_answer


class KeyViewSet(APIViewSet):
    scopes: ClassVar[dict[str, str]] = {
        "me": "",
        "rotate_me": "",
        "list": "admin",
        "issue": "admin",
        "revoke": "admin",
        "rotate": "admin",
    }
    optional_bodies = frozenset({"revoke", "rotate", "rotate_me"})

    @openapi.me
    async def me(self, request: Request) -> HttpResponse:
        return json_answer(await in_thread(_show, _own_id(request)))

    @openapi.rotate_me
    async def rotate_me(self, request: Request) -> HttpResponse:
        return await self.rotate(request, _own_id(request))

    @openapi.list_keys
    async def list(self, request: Request) -> HttpResponse:
        wanted = query_parameters(request, KeyListParameters)
        before = None if wanted.cursor is None else CURSOR.decode(wanted.cursor)[0]
        return json_answer(await in_thread(_page, wanted.limit, before))

    @openapi.issue
    async def issue(self, request: Request) -> HttpResponse:
        wanted = await json_body(request, IssueKey)
        return json_answer(await in_thread(_issue, wanted, _issuer_id(request), actor_of(request)), 201)

    @openapi.revoke
    async def revoke(self, request: Request, id: str) -> HttpResponse:
        wanted = await json_body(request, RevokeKey, optional=True)
        return json_answer(await in_thread(_revoke, id, wanted, actor_of(request)))

    @openapi.rotate
    async def rotate(self, request: Request, id: str) -> HttpResponse:
        wanted = await json_body(request, RotateKey, optional=True)
        grace = timedelta(seconds=wanted.grace_seconds)
        return json_answer(await in_thread(_rotate, id, grace, _issuer_id(request), actor_of(request)), 201)


def _issuer_id(request: Request) -> str | None:
    """The id of the caller's key; None if authentication is off."""
    caller = caller_of(request)
    return None if caller is None else caller.key_id


def _own_id(request: Request) -> str:
    own_id = _issuer_id(request)
    if own_id is None:
        raise NotFound("Authentication is turned off, so there is no key to speak of.")
    return own_id


def _find(public_id: str) -> ApiKey:
    keys = ApiKey.objects.select_related("rotated_from", "successor")
    # Checked first: a path can hold texts that a database does not take.
    key = keys.filter(public_id=public_id).first() if is_public_id(public_id) else None
    if key is None:
        raise NotFound("There is no key with this id.")
    return key


def _show(public_id: str) -> KeyOut:
    return key_content(_find(public_id))


def _page(limit: int, before: int | None) -> KeyPageOut:
    """Keys, newest first, whose row ids are below `before`."""
    rows = ApiKey.objects.select_related("rotated_from", "successor").order_by("-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    # One more than is shown: if it is there, there is another page.
    keys = list(rows[: limit + 1])
    more = CURSOR.encode(keys[limit - 1].id) if len(keys) > limit else None
    return {"keys": [key_content(key) for key in keys[:limit]], "next_cursor": more}


def _issue(wanted: IssueKey, issuer_id: str | None, actor: str) -> IssuedKeyOut:
    seconds = wanted.expires_in_seconds
    try:
        issued = key_issue(
            name=wanted.name,
            scopes=wanted.scopes,
            expires_at=None if seconds is None else timezone.now() + timedelta(seconds=seconds),
            rate=wanted.rate or "",
            allowed_networks=",".join(wanted.allowed_networks),
            actor=actor,
            issuer=_find(issuer_id) if issuer_id else None,
        )
    except BeyondIssuer as error:
        raise PermissionDenied(str(error)) from None
    return issued_content(issued)


def _revoke(public_id: str, wanted: RevokeKey, actor: str) -> RevokedKeyOut:
    return revocation_content(revoke(key=_find(public_id), lineage=wanted.lineage, actor=actor))


def _rotate(public_id: str, grace: timedelta, issuer_id: str | None, actor: str) -> IssuedKeyOut:
    issuer = _find(issuer_id) if issuer_id else None
    try:
        return issued_content(key_rotate(key=_find(public_id), grace=grace, actor=actor, issuer=issuer))
    except NotRotatable as error:
        raise Conflict(str(error)) from None
    except BeyondIssuer as error:
        raise PermissionDenied(str(error)) from None
