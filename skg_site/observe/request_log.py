"""The record of every API request: its id, its log line, its count and its duration."""

import asyncio
import re
import secrets
from itertools import count
from time import perf_counter

import structlog
from django.http import HttpResponse

from skg_site.api.bodies import ClientGone
from skg_site.api.door import Handler
from skg_site.api.request import APIRequest
from skg_site.observe.masking import masked_value
from skg_site.observe.metrics import count_request, time_request

log = structlog.get_logger("skg.request")

# Ids need to be unique, not secret: a random start for the process, then a number for each request.
_PROCESS = secrets.token_hex(10)
_count = count()

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._~+/=-]{1,128}")
# The greatest length of a rejected id in the log.
MAX_REPLACED = 128
CLIENT_CLOSED_REQUEST = 499
# Set in the scope of a request that the connection has answered in place of the application.
ANSWERED = "skg.answered"
METHOD_NOT_ALLOWED = 405


class RequestRecord:
    """The outermost middleware of the API door."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    async def __call__(self, request: APIRequest) -> HttpResponse:
        start = perf_counter()
        request.request_id = request_id_for(request)
        try:
            response = await self.handler(request)
        except (ClientGone, asyncio.CancelledError):
            # If the connection has answered itself, as for a malformed body, it has logged that.
            if not request.scope.get(ANSWERED):
                log_answer(request, CLIENT_CLOSED_REQUEST, start)
            raise
        request.answer_headers.append((b"X-Request-ID", request.request_id.encode("ascii")))
        log_answer(request, response.status_code, start)
        return response


def log_answer(request: APIRequest, status: int, start: float) -> None:
    """Count an answer and log it; `start` is the arrival of the request by `perf_counter`."""
    seconds = perf_counter() - start
    method = request.method if request.method in _METHODS else "OTHER"
    # Methods that a route does not take count as one, or clients could make eight times as many series.
    counted = method if status != METHOD_NOT_ALLOWED else "OTHER"
    count_request(counted, request.route, status).inc()
    time_request(counted, request.route).observe(seconds)
    # The id that the client sent, if it could not be used.
    replaced = {"client_request_id": request.replaced_id} if request.replaced_id else {}
    log.info(
        "request",
        request_id=request.request_id,
        **replaced,
        key_id=request.key_id,
        ip=request.client_address,
        method=method,
        endpoint=request.route,
        status=status,
        duration_ms=round(seconds * 1000, 3),
    )


# A client can send any word as its method; only these become labels.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def request_id_for(request: APIRequest) -> str:
    """The client's id for the request, or a new one if the client sent none, an invalid one or a key."""
    headers: list[tuple[bytes, bytes]] = request.scope["headers"]
    for name, value in headers if request.has_header(b"x-request-id") else ():
        if name == b"x-request-id":
            # Of several, the first valid one counts.
            if _REQUEST_ID.fullmatch(value) and masked_value(value, headers) == value:
                return value.decode("ascii")
            request.replaced_id = masked_value(value, headers)[:MAX_REPLACED].decode("ascii", "backslashreplace")
    return f"{_PROCESS}{next(_count):012x}"
