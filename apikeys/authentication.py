"""Authentication: `Authorization: Bearer <key>`, checked for every request.

A key that this process has read from the database within the last second costs a hash and a look-up in memory. Any
other key is read from the database.
"""

from functools import partial
from time import time

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from apikeys import audit
from apikeys.callers import ANONYMOUS, REFUSED, Caller, Reason, Refusal
from apikeys.failure_limit import failure_limit
from apikeys.key_cache import CachedKey, key_cache
from apikeys.keys import configured_digest, digest_of, parse_key, same_digest
from apikeys.last_used import last_used
from skg_site.api.addresses import is_within
from skg_site.api.request import APIRequest, http_of


class BearerKey(BaseAuthentication):
    """DRF's authentication, awaited by `skg_site.api.views`."""

    async def authenticate(self, request: Request) -> tuple[Caller, Caller] | None:  # type: ignore[override]  # the API's views await it
        """The caller, or None if no key was sent.

        Raises 401 for a key that does not work, 429 if the address has sent too many of them, 403 for a key that may
        not be used from this address, and 503 if the key cannot be checked.
        """
        if not settings.ENV.enable_auth:
            return ANONYMOUS, ANONYMOUS
        http = http_of(request)
        header = http.header(b"authorization")
        if header is None:
            return None
        token = bearer_token(header)
        digest = digest_of(token)
        key = key_cache.fresh(digest) or await _read_key(http, token, digest)
        if isinstance(key, CachedKey) and key.expires_at <= time():
            key = Refusal(Reason.EXPIRED, key.caller.key_id)
        if isinstance(key, Refusal):
            await failure_limit.count(http)
            audit.auth_failure(http, key.reason, key.key_id)
            raise AuthenticationFailed(REFUSED)
        if key.networks and not is_within(http.client_address, key.networks):
            audit.address_refused(http, key.caller.key_id)
            raise PermissionDenied("This key may not be used from this address.")
        http.key_id = key.caller.key_id
        return key.caller, key.caller

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def bearer_token(header: bytes) -> bytes:
    """The token in an Authorization header, or an empty one."""
    scheme, _, token = header.partition(b" ")
    return token.strip(b" ") if scheme.lower() == b"bearer" else b""


async def _read_key(request: APIRequest, token: bytes, digest: bytes) -> CachedKey | Refusal:
    """The key by its row. A text that cannot be a key is refused without a query."""
    public_id = None
    if not (token and _is_configured(digest)):
        parsed = parse_key(token)
        if parsed.fault:
            return Refusal(Reason.MALFORMED, parsed.public_id)
        public_id = parsed.public_id
    read = partial(key_cache.read, digest, public_id)
    key = await (read() if digest in key_cache else failure_limit.one_at_a_time(request, read))
    if isinstance(key, CachedKey):
        last_used.note(key)
    return key


def _is_configured(digest: bytes) -> bool:
    """True for the key of SKG_API_KEY_HASH, which can be any text."""
    configured = configured_digest(settings.ENV.api_key_hash)
    return configured is not None and same_digest(configured, digest)
