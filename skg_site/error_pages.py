"""The site door's answers to what went wrong: pages that need neither a session nor the database."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


class Page(NamedTuple):
    title: str
    text: str
    advice: str


_PAGES = {
    HTTPStatus.BAD_REQUEST: Page(
        "This request cannot be read",
        "The address or the form is not one that this site knows.",
        "Go back, and try again.",
    ),
    HTTPStatus.FORBIDDEN: Page(
        "You may not do this",
        "Your account does not have the permission for it.",
        "Ask whoever manages the users here, or log in as somebody else.",
    ),
    HTTPStatus.NOT_FOUND: Page(
        "There is nothing here",
        "No page has this address. It may be mistyped, or what it showed has been deleted.",
        "The overview leads to all that there is.",
    ),
    HTTPStatus.TOO_MANY_REQUESTS: Page(
        "Too many requests", "Your address asks for more than this site allows.", "Wait for a minute, then try again."
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: Page(
        "Something went wrong",
        "This is a fault of the service, not yours.",
        "Try again. If it happens again, tell whoever runs the service; its log has the reason.",
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: Page(
        "The service cannot answer now",
        "It is busy, or something that it needs is out of reach.",
        "Try again in a moment.",
    ),
}
_OLD_FORM = Page(
    "This form is out of date",
    "It does not belong to your present session. Perhaps you have logged in again since, or your browser takes no"
    " cookies. Nothing was changed.",
    "Go back, load the page again, and fill in the form once more.",
)


def error_page(
    status: HTTPStatus, *, page: Page | None = None, detail: str = "", headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """The page of this status, or another one for it; `detail` says what has happened in its place."""
    context = {"status": int(status), "page": page or _PAGES[status], "detail": detail}
    return HttpResponse(render_to_string("error.html", context), status=status, headers=headers)


def bad_request(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  # passed by its name
    return error_page(HTTPStatus.BAD_REQUEST)


def forbidden(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  # as above
    return error_page(HTTPStatus.FORBIDDEN)


def not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  # as above
    return error_page(HTTPStatus.NOT_FOUND)


def failed(_request: HttpRequest) -> HttpResponse:
    return error_page(HTTPStatus.INTERNAL_SERVER_ERROR)


def too_many(_request: HttpRequest, _exception: Exception) -> HttpResponse:
    """Called by django-ratelimit's middleware."""
    return error_page(HTTPStatus.TOO_MANY_REQUESTS, headers={"Retry-After": "60"})


def csrf_failure(_request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001  # as above
    """`reason` is in the log."""
    return error_page(HTTPStatus.FORBIDDEN, page=_OLD_FORM)
