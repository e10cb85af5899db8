"""Requests and answers as values: what is sent and how an answer is read, whoever does the sending."""

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

from .answers import Problem
from .errors import (
    ClientError,
    Conflict,
    Incomplete,
    NotFound,
    RateLimited,
    Refused,
    ServiceUnavailable,
    UnexpectedAnswer,
)
from .rate_limits import retry_after
from .waits import OnWait

# What a problem has at least; a proxy's may have less than the service's.
_PROBLEM: Problem = {
    "type": "about:blank",
    "title": "",
    "status": 0,
    "detail": "",
    "instance": "",
    "request_id": "",
}

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")
Scalar = str | int | float | bool

# Statuses of servers in front of the service that cannot reach it, or got no answer in time.
_OF_PROXIES = {502, 503, 504}
_KINDS: dict[int, type[Refused]] = {
    404: NotFound,
    409: Conflict,
    412: Conflict,
    429: RateLimited,
    503: ServiceUnavailable,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T_co]):
    """One request. The type is that of its answer."""

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    # As /openapi.json has it: `/rules/{name}`.
    route: str
    names: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    # Nothing goes wrong if it is sent again, even if the service has carried it out.
    repeatable: bool = True
    # Statuses whose answer is content, too, and no problem: /ready is 503 where the service is not ready.
    also_good: frozenset[int] = frozenset()
    on_wait: OnWait | None = None

    @property
    def path(self) -> str:
        return self.route.format_map({name: _segment(value) for name, value in self.names.items()})

    @property
    def endpoint(self) -> str:
        """The name by which the service counts requests against a key's limit."""
        return f"{self.method} {self.route}"


def _segment(name: str) -> str:
    """The name as a part of a path. httpx would take out one that consists of points, and ask for another path."""
    return quote(name, safe="") if name.strip(".") else name.replace(".", "%2E")


@dataclass(frozen=True, slots=True)
class Pause:
    """A step that only waits."""

    seconds: float


# A task of several steps: each is done by the client, which sends its answer in, or throws its error.
Steps = Generator[Call[Any] | Pause, Any, T]


@dataclass(frozen=True, slots=True)
class Pages(Generic[T_co]):
    """A list that comes page by page: the first request, and the name of the list in its answers."""

    first: Call[Any]
    name: str

    def after(self, page: Mapping[str, Any]) -> Call[Any] | None:
        """The request for the page that follows; None after the last one. Raises Incomplete if time ended the list."""
        cursor = page["next_cursor"]
        if cursor is None:
            if (complete_above := page.get("complete_above")) is not None:
                raise Incomplete(complete_above)
            return None
        if self.first.body is None:
            return replace(self.first, parameters={**self.first.parameters, "cursor": cursor})
        return replace(self.first, body=json_bytes({**json.loads(self.first.body), "cursor": cursor}))


@dataclass(frozen=True, slots=True)
class Response:
    """A response as it came over the wire."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def json_body(members: Mapping[str, object]) -> bytes:
    return json_bytes({name: value for name, value in members.items() if value is not None})


def json_bytes(value: object) -> bytes:
    """Compact JSON in UTF-8. Raises TypeError or ValueError for what JSON does not have."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def parameters(members: Mapping[str, Scalar | None]) -> dict[str, Scalar]:
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in members.items()
        if value is not None
    }


def read(call: Call[T], response: Response, *, sent_before: bool) -> T:
    """The content of an answer. Raises ClientError for any answer that is none of success."""
    if response.status == 404 and call.method == "DELETE" and sent_before:
        # The first attempt has deleted it, although its answer was lost.
        return None  # type: ignore[return-value]  # as what is deleted answers
    content = _json(response)
    if 200 <= response.status < 300 or response.status in call.also_good:
        if not isinstance(content, dict) and response.status != 204:
            raise UnexpectedAnswer(f"The answer to {call.endpoint} is none of an SKG API.", response.status)
        return content  # type: ignore[no-any-return]  # what the document says of this call
    raise _error(call, response, content)


def _json(response: Response) -> Any:
    try:
        return json.loads(response.content)
    except ValueError:
        return None


def _error(call: Call[Any], response: Response, content: Any) -> ClientError:
    pause = retry_after(response.headers)
    if not (isinstance(content, dict) and "detail" in content):
        again = response.status == 429 or (response.status in _OF_PROXIES and call.repeatable)
        sentence = f"{call.endpoint} gave {response.status}, and no problem of an SKG API."
        error = UnexpectedAnswer(sentence, response.status, may_pass=again)
        error.retry_after = pause
        return error
    problem: Problem = {**_PROBLEM, **content, "status": response.status}
    refused = _KINDS.get(response.status, Refused)(problem, retry_after=pause)
    refused.may_pass = response.status == 429 or (response.status == 503 and call.repeatable)
    return refused
