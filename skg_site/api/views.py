"""Base of all views of the API door: DRF's viewset with a native async dispatch, and its JSON responses."""

import asyncio
from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import update_wrapper
from typing import Any, ClassVar, Never, TypeVar

import orjson
from django.http import HttpResponse
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSetMixin

from skg_site.api.bodies import ClientGone
from skg_site.api.headers import accepts
from skg_site.api.json_answers import JSONAnswer
from skg_site.api.problems import Unavailable, problem_from
from skg_site.api.request import APIRequest

Result = TypeVar("Result")

# How often it is seen whether a request that lasts may go on.
LOOK_AGAIN_SECONDS = 1.0


class APIViewRequest(Request):
    """DRF's request without parsers: `skg_site.api.reading` reads bodies."""

    def __init__(self, request: APIRequest, authenticators: Sequence[BaseAuthentication]) -> None:
        # The parent is not called: it makes a negotiator and checks encodings for every request.
        self._request = request
        self.authenticators = authenticators


class APIViewSet(ViewSetMixin, APIView):
    """Actions are coroutines that return a finished `HttpResponse`.

    The order is DRF's: authentication, permissions, throttles, the action, and the exception handler for the exceptions
    of all of them. Authentication and throttles are awaited; permissions decide at once. The body is read after them,
    so that only bodies of authorised requests take memory.
    """

    # The scope that each action needs, for `HasScope`; "" means any valid key.
    scopes: ClassVar[Mapping[str, str]] = {}
    # The actions with an optional body, for OpenAPI.
    optional_bodies: ClassVar[frozenset[str]] = frozenset()
    # The actions that read the body themselves, piece by piece.
    streamed_bodies: ClassVar[frozenset[str]] = frozenset()
    # The media type of responses other than problems; empty if each action has its own, and checks it.
    media_type: ClassVar[str] = "application/json"
    request: Request
    action: str
    action_map: dict[str, str]
    # Not of DRF's type: these are awaited.
    _throttles: list[Any]

    @classmethod
    def as_view(cls, actions: dict[str, Any] | None = None, **initkwargs: Any) -> Any:
        """DRF's view function with a shorter way to `dispatch`: it binds only the method that it calls."""
        template = super().as_view(actions, **initkwargs)
        action_map = {"head": actions["get"], **actions} if actions and "get" in actions else dict(actions or ())

        def view(request: APIRequest, *args: Any, **kwargs: Any) -> Awaitable[HttpResponse]:
            self = cls(**initkwargs)
            self.action_map = action_map
            return self.dispatch(request, *args, **kwargs)

        return update_wrapper(view, template)

    async def dispatch(self, request: APIRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]  # async is the purpose of this class
        self.request = drf_request = APIViewRequest(request, self.get_authenticators())
        self.args, self.kwargs = args, kwargs
        try:
            # From the map, not by name: a view can have a method `query`, and HTTP has a method QUERY.
            action = self.action_map.get(str(request.method).lower())
            if action is None:
                self.refuse_method(request)
            if self.media_type:
                check_accept(request, self.media_type)
            self.action = action
            await self.authenticate(drf_request)
            self.check_permissions(drf_request)
            await self.check_throttles(drf_request)
            if action not in self.streamed_bodies:
                await request.read_body()
            response: HttpResponse = await getattr(self, action)(drf_request, *args, **kwargs)
        except ClientGone:
            raise
        except Exception as error:
            response = self.handle_exception(error)
        return response

    async def authenticate(self, request: Request) -> None:
        """Set the user that the first authenticator finds."""
        # The stubs of DRF lack its private names.
        inner: Any = request
        for authenticator in inner.authenticators:
            found = await authenticator.authenticate(request)
            if found is not None:
                inner._authenticator = authenticator
                request.user, request.auth = found
                return
        # Otherwise DRF would call the authenticators again, without awaiting them, when `user` is read.
        inner._not_authenticated()

    async def check_throttles(self, request: Request) -> None:  # type: ignore[override]  # `dispatch` awaits it
        """Count the request, on another host if there is a Valkey."""
        throttles: list[Any] = self.get_throttles()
        self._throttles = throttles
        for throttle in throttles:
            if not await throttle.allow_request(request, self):
                raise exceptions.Throttled(throttle.wait(), throttle.reason)

    async def charge(self, request: Request, tokens: int) -> None:
        """Take further tokens for a request that costs more than one; 429 if there are not enough."""
        for throttle in self._throttles if tokens else ():
            if not await throttle.charge(request, self, tokens):
                raise exceptions.Throttled(throttle.wait(), throttle.reason)

    async def while_allowed(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The result of work that may last. It is ended, and the request refused, when the key is revoked meanwhile."""
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=LOOK_AGAIN_SECONDS))[0]:
                await self.check_again(self.request)
            return task.result()
        finally:
            task.cancel()

    async def check_again(self, request: Request) -> None:
        """Refuse a request that lasts if its key has been revoked meanwhile.

        If the key cannot be checked just now, the request goes on: it was allowed when it began.
        """
        with suppress(Unavailable):
            await self.authenticate(request)
        self.check_permissions(request)

    def get_exception_handler(self) -> Any:
        return problem_from

    def refuse_method(self, request: APIRequest) -> Never:
        error = exceptions.MethodNotAllowed(str(request.method))
        error.allowed = sorted(method.upper() for method in self.action_map)  # type: ignore[attr-defined]  # for the Allow header
        raise error


def check_accept(request: APIRequest, media_type: str) -> None:
    """Refuse a client that does not accept the media type of the responses."""
    accept = request.list_header(b"accept")
    if accept is not None and accept != b"*/*" and not accepts(accept, media_type):
        raise exceptions.NotAcceptable(f"Answers are {media_type}; the Accept header refuses it.")


def json_answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """A response with `content` as JSON; an `orjson.Fragment` in it is JSON already."""
    answer = JSONAnswer(orjson.dumps(content), status)
    for name, value in (headers or {}).items():
        answer.headers[name] = value
    return answer


def empty_answer(status: int = 204, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """A response without content."""
    response = HttpResponse(status=status, headers=headers)
    del response["Content-Type"]
    return response
