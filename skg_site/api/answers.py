"""Successful answers: JSON, rendered at once."""

from collections.abc import Mapping
from typing import Any

import orjson
from django.http import HttpResponse


def json_answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """`content` as JSON; `orjson.Fragment` inside it is taken as JSON that is ready."""
    return HttpResponse(orjson.dumps(content), status=status, content_type="application/json", headers=headers)


def empty_answer() -> HttpResponse:
    """204: done, and there is nothing to say."""
    response = HttpResponse(status=204)
    del response["Content-Type"]
    return response
