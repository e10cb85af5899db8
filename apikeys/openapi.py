"""What the documentation says of the operations on keys."""

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from apikeys.request_models import IssueKey, KeyListParameters, RevokeKey, RotateKey
from apikeys.responses import IssuedKeyOut, KeyOut, KeyPageOut, RevokedKeyOut
from skg_site.api.openapi import problems

_KEY = {
    "id": "4Xk0vT2a",
    "name": "nightly import",
    "environment": "prod",
    "scopes": ["read", "write"],
    "rate": "100/s",
    "allowed_networks": ["10.0.0.0/8"],
    "state": "active",
    "created_at": "2026-01-15T10:30:00Z",
    "expires_at": "2026-04-15T10:30:00Z",
    "revoked_at": None,
    "last_used_at": "2026-01-16T08:01:00Z",
    "rotated_from": None,
    "successor": None,
}
_ISSUED = {"key": "skg_prod_4Xk0vT2aExampleExampleExampleExamp0kD93x", **_KEY, "last_used_at": None}
_SUCCESSOR = {**_ISSUED, "rotated_from": "9bQz81Lm"}

_REVOKED = {
    **_KEY,
    "state": "revoked",
    "revoked_at": "2026-01-16T09:00:00Z",
    "successor": "9bQz81Lm",
    "also_revoked": ["9bQz81Lm"],
    "still_working": [],
    "issued_still_working": [],
}

_SHOWN_ONCE = "The answer is the only place where the new key is ever shown."
_GRACE = (
    f"{_SHOWN_ONCE} It may do what the old one may and expires when that would have. "
    "Both work until the grace period ends."
)


def _answer(name: str, content: object) -> OpenApiExample:
    return OpenApiExample(name, content, response_only=True)


_rotate_examples = [
    OpenApiExample("An hour to change over", {"grace_seconds": 3600}, request_only=True),
    _answer("The successor", _SUCCESSOR),
]

me = extend_schema(
    summary="Show the key that is used",
    responses={200: OpenApiResponse(KeyOut, "The key of this request."), **problems(404)},
    examples=[_answer("A key", _KEY)],
)

rotate_me = extend_schema(
    summary="Replace the key that is used",
    description=_GRACE,
    request=RotateKey,
    responses={201: OpenApiResponse(IssuedKeyOut, "The new key."), **problems(404, 409)},
    examples=_rotate_examples,
)

list_keys = extend_schema(
    summary="List keys",
    description="Newest first, in pages; revoked and expired keys too.",
    parameters=[KeyListParameters],  # type: ignore[list-item]  # its Pydantic extension takes models here too
    responses={200: OpenApiResponse(KeyPageOut, "A page.")},
    examples=[_answer("The only page", {"keys": [_KEY], "next_cursor": None})],
)

issue = extend_schema(
    summary="Issue a key",
    description=f"{_SHOWN_ONCE} A key hands on no more than it has: the new one has no scope that the key that asks "
    "lacks, expires no later, and may be used from no other networks (403 otherwise).",
    request=IssueKey,
    responses={201: OpenApiResponse(IssuedKeyOut, "The new key.")},
    examples=[
        OpenApiExample(
            "For 90 days, from one network",
            {
                "name": "nightly import",
                "scopes": ["read", "write"],
                "expires_in_seconds": 7_776_000,
                "rate": "100/s",
                "allowed_networks": ["10.0.0.0/8"],
            },
            request_only=True,
        ),
        _answer("The key, this once", _ISSUED),
    ],
)

revoke = extend_schema(
    summary="Revoke a key",
    description="Final, and effective on every worker within a second. A key that is revoked already stays so. Whoever "
    "has a key can have rotated it: `still_working` names the keys of its row of rotations that go on working, and "
    "`lineage` ends them too.",
    request=RevokeKey,
    responses={200: OpenApiResponse(RevokedKeyOut, "The key as it is now.")},
    examples=[
        OpenApiExample("With all that replaced it", {"lineage": True}, request_only=True),
        _answer("Revoked", _REVOKED),
    ],
)

rotate = extend_schema(
    summary="Replace a key",
    description=f"{_GRACE} A key that may do more than the one that asks, or for longer, is not given out to it (403).",
    request=RotateKey,
    responses={201: OpenApiResponse(IssuedKeyOut, "The new key."), **problems(409)},
    examples=_rotate_examples,
)
