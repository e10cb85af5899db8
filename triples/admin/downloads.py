"""Downloads of the admin, which begin before they are answered: what fails at once is a page, and no file."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, cast

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from skg_site.api.asgi_types import Scope
from skg_site.api.problems import Problem
from skg_site.api.request import STREAMED
from skg_site.error_pages import error_page
from triples.exchange.formats.media_types import ARCHIVES, MEDIA_TYPES
from triples.files.parameters import ExportParameters
from triples.files.uploads import exported

View = Callable[[HttpRequest], HttpResponseBase]


class Download(StreamingHttpResponse):
    """An export as a file."""

    def __init__(self, request: HttpRequest, parameters: ExportParameters) -> None:
        compress = "none" if parameters.format in ARCHIVES else parameters.compress or "none"
        if isinstance(request, ASGIRequest):
            # The connection leaves the time of an export to its own limit.
            cast("Scope", request.scope)[STREAMED] = True
        self._pieces = exported(parameters.command(compress))
        super().__init__(
            self._pieces,
            content_type=MEDIA_TYPES[parameters.format] if compress == "none" else "application/octet-stream",
            headers={"Content-Disposition": parameters.disposition(compress)},
        )

    async def begin(self) -> HttpResponseBase:
        """This response, once there is something to send; else the page that says why there is none."""
        try:
            await anext(self._pieces)
        except Problem as problem:
            found = HTTPStatus(problem.status_code)
            status = HTTPStatus.BAD_REQUEST if found is HTTPStatus.UNPROCESSABLE_ENTITY else found
            return error_page(status, detail=str(problem.detail), headers=problem.headers)
        return self


def beginning(view: View) -> Callable[[HttpRequest], Coroutine[Any, Any, HttpResponseBase]]:
    """The view, whose downloads have begun when they are answered."""

    async def begin(request: HttpRequest) -> HttpResponseBase:
        response = await sync_to_async(view)(request)
        return await response.begin() if isinstance(response, Download) else response

    return begin
