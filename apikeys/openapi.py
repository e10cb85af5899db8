"""The operations on keys in the OpenAPI document."""

from drf_spectacular.utils import OpenApiResponse, extend_schema

from apikeys.request_models import IssueKey, KeyListParameters, RevokeKey, RotateKey
from apikeys.responses import (
    ISSUED_KEY,
    KEY,
    KEY_PAGE,
    REVOKED_KEY,
    SUCCESSOR,
    IssuedKeyOut,
    KeyOut,
    KeyPageOut,
    RevokedKeyOut,
)
from skg_site.api.openapi import problems, request_example, response_example

_SHOWN_ONCE = "The answer is the only place where the new key is ever shown."
_GRACE = (
    f"{_SHOWN_ONCE} It may do what the old one may and expires when that would have. "
    "Both work until the grace period ends."
)


_rotate_examples = [
    request_example("An hour to change over", {"grace_seconds": 3600}),
    response_example("The successor", SUCCESSOR),
]

me = extend_schema(
    summary="Show the key that is used",
    responses={200: OpenApiResponse(KeyOut, "The key of this request."), **problems(404)},
    examples=[response_example("A key", KEY)],
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
    examples=[response_example("The only page", KEY_PAGE)],
)

issue = extend_schema(
    summary="Issue a key",
    description=f"{_SHOWN_ONCE} A key hands on no more than it has: the new one has no scope that the key that asks "
    "lacks, expires no later, and may be used from no other networks (403 otherwise).",
    request=IssueKey,
    responses={201: OpenApiResponse(IssuedKeyOut, "The new key.")},
    examples=[
        request_example(
            "For 90 days, from one network",
            {
                "name": "nightly import",
                "scopes": ["read", "write"],
                "expires_in_seconds": 7_776_000,
                "rate": "100/s",
                "allowed_networks": ["10.0.0.0/8"],
            },
        ),
        response_example("The key, this once", ISSUED_KEY),
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
        request_example("With all that replaced it", {"lineage": True}),
        response_example("Revoked", REVOKED_KEY),
    ],
)

rotate = extend_schema(
    summary="Replace a key",
    description=f"{_GRACE} A key that may do more than the one that asks, or for longer, is not given out to it (403).",
    request=RotateKey,
    responses={201: OpenApiResponse(IssuedKeyOut, "The new key."), **problems(409)},
    examples=_rotate_examples,
)
