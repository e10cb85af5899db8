"""Who is calling: `Authorization: Bearer <key>`, checked for every request without waiting for anything.

A key that this process knows costs a hash and a look-up. Only one that it does not know, or has not
looked at for most of a second, is looked up in the database.
"""

from functools import partial
from time import time
from typing import Never

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from apikeys import audit
from apikeys.callers import ANONYMOUS, Caller
from apikeys.failure_limit import FailureLimit
from apikeys.key_cache import KnownKey, KnownKeys
from apikeys.keys import configured_digest, digest_of, parse_key, same_digest
from apikeys.last_used import LastUsed
from apikeys.refusals import REFUSED, Reason, Refusal
from skg_site.api.addresses import is_within
from skg_site.api.request import APIRequest, http_of

known_keys = KnownKeys()
failures = FailureLimit()
last_used = LastUsed()


class BearerKey(BaseAuthentication):
    """DRF's authentication, awaited by `skg_site.api.views`."""

    async def authenticate(self, request: Request) -> tuple[Caller, Caller] | None:  # type: ignore[override]  # the API's views await it
        """The caller, or None when no key was sent.

        Raises 401 for a key that is not good, or 429 where the address has sent too many such; 403 for one that may
        not be used from this address; and 503 when the key cannot be checked.
        """
        if not settings.ENV.enable_auth:
            return ANONYMOUS, ANONYMOUS
        http = http_of(request)
        header = http.header(b"authorization")
        if header is None:
            return None
        token = bearer_token(header)
        digest = digest_of(token)
        key = known_keys.fresh(digest) or await found_key(http, token, digest)
        if key.expires_at <= time():
            await refuse(http, Refusal(Reason.EXPIRED, key.caller.key_id))
        if key.networks and not is_within(http.client_address, key.networks):
            audit.address_refused(http, key.caller.key_id)
            raise PermissionDenied("This key may not be used from this address.")
        http.key_id = key.caller.key_id
        return key.caller, key.caller

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def bearer_token(header: bytes) -> bytes:
    """The token in an Authorization header, empty when there is none."""
    scheme, _, token = header.partition(b" ")
    return token.strip(b" ") if scheme.lower() == b"bearer" else b""


async def found_key(request: APIRequest, token: bytes, digest: bytes) -> KnownKey:
    """The key by its row, or a refusal; the database is not asked for what cannot be a key."""
    public_id = None
    if not (token and _is_configured(digest)):
        parsed = parse_key(token)
        if parsed.fault:
            await refuse(request, Refusal(Reason.MALFORMED, parsed.public_id))
        public_id = parsed.public_id
    look_up = partial(known_keys.read, digest, public_id)
    found = await (look_up() if digest in known_keys else failures.in_turn(request, look_up))
    if isinstance(found, Refusal):
        await refuse(request, found)
    last_used.note(found)
    return found


async def refuse(request: APIRequest, refusal: Refusal) -> Never:
    await failures.count(request)
    audit.auth_failure(request, refusal.reason, refusal.key_id)
    raise AuthenticationFailed(REFUSED)


def _is_configured(digest: bytes) -> bool:
    """Whether this is the key of SKG_API_KEY_HASH, which may be any text."""
    configured = configured_digest(settings.ENV.api_key_hash)
    return configured is not None and same_digest(configured, digest)
