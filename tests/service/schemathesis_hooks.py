"""Keeps schemathesis from ending the key that it calls with, after which it would see nothing but refusals.

And from waiting: a busy machine takes long to begin each run that it asks for.
"""

import re
from functools import cache
from typing import Any

import httpx
import schemathesis

from tests.support.service import KEY

# The old key goes on working for so long after a rotation: longer than a run.
GRACE_SECONDS = 3600
NO_KEY = "00000000"


@schemathesis.hook
def before_call(_context: schemathesis.HookContext, case: schemathesis.Case[Any], _kwargs: dict[str, Any]) -> None:
    # A case that is to be refused counts as another one once it is changed, and waits for no run anyway.
    is_refused = case.meta is not None and case.meta.generation.mode.is_negative
    if not is_refused and (prefer := case.headers.get("Prefer")):
        case.headers["Prefer"] = re.sub(r"\bwait=\d+", "wait=1", str(prefer))
    id = case.path_parameters.get("id")
    is_own = case.path == "/keys/me/rotate" or (
        case.path.startswith("/keys/{id}") and id == own_id(str(case.operation.base_url))
    )
    if not is_own:
        return
    if case.path == "/keys/{id}/revoke":
        case.path_parameters["id"] = NO_KEY
    elif isinstance(case.body, dict) and is_short(case.body.get("grace_seconds")):
        case.body["grace_seconds"] = GRACE_SECONDS


@cache
def own_id(base_url: str) -> str:
    """The public id of the key that the calls are made with."""
    answer = httpx.get(f"{base_url.rstrip('/')}/keys/me", headers={"Authorization": f"Bearer {KEY}"})
    answer.raise_for_status()
    id: str = answer.json()["id"]
    return id


def is_short(seconds: Any) -> bool:
    """True if this is a valid period of grace that the run would outlast; what is invalid must stay so."""
    return type(seconds) in {int, float} and 0 <= seconds < GRACE_SECONDS and seconds == int(seconds)
