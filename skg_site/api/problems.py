"""Errors as RFC 9457 problem details, with one shape for all of them."""

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, NotRequired, Protocol

import orjson
import structlog
from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpResponse
from pydantic import Field
from rest_framework.exceptions import APIException, MethodNotAllowed, Throttled
from typing_extensions import TypedDict  # Pydantic needs this one before Python 3.12

from skg_site.host.unfit_database import UnfitDatabase

log = structlog.get_logger("skg.api")

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 1
# At most this many faults of an input are reported.
MAX_REPORTED = 100
# Names and messages are cut after this many characters, since they can repeat the input.
MAX_TEXT = 200


class Answered(Protocol):
    """The members of a request that a problem repeats."""

    path: str
    request_id: str


class FieldError(TypedDict):
    """One fault in the input: where it stands, what is wrong with it, and its kind."""

    loc: list[str | int]
    msg: str
    type: str


class ProblemOut(TypedDict):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    instance: Annotated[str, Field(description="The path of the request.")]
    request_id: Annotated[str, Field(description="The same id stands in the log and in X-Request-ID.")]
    errors: NotRequired[
        Annotated[list[FieldError] | None, Field(default=None, description="For bad input: what is wrong where.")]
    ]
    more_errors: NotRequired[
        Annotated[
            int | None,
            Field(
                default=None,
                description=f"The number of faults that are not listed; at most {MAX_REPORTED} are.",
            ),
        ]
    ]


class Problem(APIException):
    """An error with its status and, for bad input, the faults and their places."""

    status_code = 500

    def __init__(
        self, detail: str, *, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None, **extra: Any
    ) -> None:
        super().__init__(detail)
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.extra = extra


class BadRequest(Problem):
    status_code = 400


class BadHost(BadRequest):
    def __init__(self, host: str) -> None:
        super().__init__(f"The host {host[:200]!r} is not served here; SKG_ALLOWED_HOSTS lists those that are.")


class TwiceSent(BadRequest):
    def __init__(self, name: bytes) -> None:
        super().__init__(f"The header {name.decode()} came more than once.")


class BodyTimeout(Problem):
    status_code = 408

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The body did not arrive within {seconds:g} seconds.", headers={"Connection": "close"})


class HeadTimeout(Problem):
    status_code = 408

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The request did not arrive within {seconds:g} seconds.")


class HeadTooLarge(Problem):
    status_code = 431

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request's line and headers, or its trailers, are larger than {limit:,} bytes.")


class Conflict(Problem):
    status_code = 409


class PreconditionFailed(Problem):
    status_code = 412


class BodyTooLarge(Problem):
    status_code = 413

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is larger than {limit:,} bytes.", headers={"Connection": "close"})


class UnsupportedEncoding(Problem):
    status_code = 415

    def __init__(self) -> None:
        super().__init__(
            "The body must be sent as it is, without a Content-Encoding.", headers={"Accept-Encoding": "identity"}
        )


class Invalid(Problem):
    """Well-formed JSON that is not valid input, with its first faults and the number of others."""

    status_code = 422

    def __init__(self, errors: Sequence[FieldError], *, more: int = 0, stopped: bool = False) -> None:
        """`more` is the number of faults besides `errors`; `stopped` means that the rest was not checked."""
        places = len(errors) + more
        shown = [shortened(error) for error in errors[:MAX_REPORTED]]
        omitted = places - len(shown)
        detail = f"The input is not valid in {places:,} place{'s' if places > 1 else ''}"
        if omitted or stopped:
            detail += f"; the first {len(shown)} are listed"
        if stopped:
            detail += ", and what comes after them was not looked at"
        super().__init__(f"{detail}.", errors=shown)
        if omitted:
            self.extra["more_errors"] = omitted


def shortened(error: FieldError) -> FieldError:
    """The fault with long names and messages cut, since both can repeat the input."""
    loc = [part if isinstance(part, int) else shorten(part) for part in error["loc"]]
    return {"loc": loc, "msg": shorten(error["msg"]), "type": error["type"]}


def shorten(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"


class Unavailable(Problem):
    """The service cannot answer now; a retry can succeed."""

    status_code = 503

    def __init__(self, detail: str, retry_after: int = RETRY_AFTER_SECONDS) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


def problem_from(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """DRF's exception handler: every exception becomes a response; unexpected ones are logged with their traceback."""
    request = context["request"]
    request = getattr(request, "_request", request)
    if isinstance(error, APIException):
        return _answer_for(error, request)
    if isinstance(error, SuspiciousOperation):
        # Input beyond one of Django's limits, such as 1,000 parameters in a query string.
        return _answer_for(BadRequest(str(error)), request)
    if isinstance(error, UnfitDatabase):
        log.error("unfit_database", request_id=request.request_id, error=str(error))
        return _answer_for(Unavailable(str(error), error.retry_after_seconds), request)
    if isinstance(error, (OperationalError, InterfaceError)):
        log.warning("database_unavailable", request_id=request.request_id, error=type(error).__name__)
        return _answer_for(Unavailable("The database cannot be reached or is busy; try again."), request)
    if isinstance(error, OSError):
        # A full disk, or a missing or unreadable file of the service.
        log.error("file_unavailable", request_id=request.request_id, file=error.filename, error=error.strerror)
        return _answer_for(Unavailable("The service cannot use one of its own files; its log has the reason."), request)
    log.error(
        "uncaught_error",
        request_id=request.request_id,
        database=isinstance(error, DatabaseError),
        exc_info=error,
    )
    return _answer_for(Problem("The service failed to answer this request; the log has the reason."), request)


def _answer_for(error: APIException, request: Answered) -> HttpResponse:
    content = content_of(error, request)
    extra: dict[str, Any] = {}
    headers: dict[str, str] = {}
    if isinstance(error, Problem):
        if error.errors:
            content["errors"] = error.errors
        extra, headers = error.extra, error.headers
    elif isinstance(error, Throttled):
        wait: float | None = error.wait  # type: ignore[attr-defined]  # the stubs leave it out
        headers = {"Retry-After": str(max(1, math.ceil(wait or 0)))}
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if isinstance(error, MethodNotAllowed) and (allowed := getattr(error, "allowed", None)):
        headers["Allow"] = ", ".join(allowed)
    body = orjson.dumps({**content, **extra}, option=orjson.OPT_NON_STR_KEYS)
    return HttpResponse(body, status=error.status_code, content_type=MEDIA_TYPE, headers=headers)


def content_of(error: APIException, request: Answered) -> ProblemOut:
    """The members of every problem."""
    status = error.status_code
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": str(error.detail),
        "instance": request.path,
        "request_id": request.request_id,
    }
