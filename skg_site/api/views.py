"""The base of every view on the API door: DRF's viewset with a native async dispatch."""

from collections.abc import Awaitable, Mapping, Sequence
from functools import update_wrapper
from typing import Any, ClassVar, Never

from django.http import HttpResponse
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSetMixin

from skg_site.api.bodies import ClientGone
from skg_site.api.headers import accepts
from skg_site.api.problems import problem_from
from skg_site.api.request import APIRequest


class APIViewRequest(Request):
    """DRF's request without what it parses bodies by: the API reads them with `skg_site.api.reading`."""

    def __init__(self, request: APIRequest, authenticators: Sequence[BaseAuthentication]) -> None:
        # Not calling the parent is the point: it makes a negotiator and looks for encodings, for every request.
        self._request = request
        self.authenticators = authenticators


class APIViewSet(ViewSetMixin, APIView):
    """Actions are coroutines that return a finished `HttpResponse`.

    What DRF does in between is the same, in the same order: authentication, permissions, throttles,
    the action, and the exception handler for whatever any of them raises. Authentication and
    throttles are awaited; permissions decide without waiting for anything. The body is read after them,
    so that only bodies of requests that may be answered take memory.
    """

    # The scope that each action needs; "" is for any valid key. `HasScope` reads it.
    scopes: ClassVar[Mapping[str, str]] = {}
    # The actions whose request may leave its body out; the documentation reads it.
    optional_bodies: ClassVar[frozenset[str]] = frozenset()
    # What the answers are, problems aside.
    media_type: ClassVar[str] = "application/json"
    request: Request
    action: str
    action_map: dict[str, str]

    @classmethod
    def as_view(cls, actions: dict[str, Any] | None = None, **initkwargs: Any) -> Any:
        """DRF's view function with a shorter way to `dispatch`: no method is bound that will not be called."""
        template = super().as_view(actions, **initkwargs)
        action_map = {"head": actions["get"], **actions} if actions and "get" in actions else dict(actions or ())

        def view(request: APIRequest, *args: Any, **kwargs: Any) -> Awaitable[HttpResponse]:
            self = cls(**initkwargs)
            self.action_map = action_map
            return self.dispatch(request, *args, **kwargs)

        return update_wrapper(view, template)

    async def dispatch(self, request: APIRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]  # that it is async is what this class is for
        self.request = drf_request = APIViewRequest(request, self.get_authenticators())
        self.args, self.kwargs = args, kwargs
        try:
            check_accept(request, self.media_type)
            # Not by the method's name: a view may have a method `query` and HTTP has a method QUERY.
            action = self.action_map.get(str(request.method).lower())
            if action is None:
                self.refuse_method(request)
            self.action = action
            await self.authenticate(drf_request)
            self.check_permissions(drf_request)
            await self.check_throttles(drf_request)
            await request.read_body()
            response: HttpResponse = await getattr(self, action)(drf_request, *args, **kwargs)
        except ClientGone:
            raise
        except Exception as error:
            response = self.handle_exception(error)
        return response

    async def authenticate(self, request: Request) -> None:
        """Let the first authenticator that knows the caller say who it is."""
        # Stubs for DRF leave out its private names, of which this is the one use.
        inner: Any = request
        for authenticator in inner.authenticators:
            found = await authenticator.authenticate(request)
            if found is not None:
                inner._authenticator = authenticator
                request.user, request.auth = found
                return
        # Or else DRF would ask the authenticators again, without awaiting them, when `user` is read.
        inner._not_authenticated()

    async def check_throttles(self, request: Request) -> None:  # type: ignore[override]  # `dispatch` awaits it
        """Count the request, which may mean to ask another host."""
        # Not DRF's throttles, which are not awaited.
        throttles: list[Any] = self.get_throttles()
        for throttle in throttles:
            if not await throttle.allow_request(request, self):
                raise exceptions.Throttled(throttle.wait(), throttle.reason)

    def get_exception_handler(self) -> Any:
        return problem_from

    def refuse_method(self, request: APIRequest) -> Never:
        error = exceptions.MethodNotAllowed(str(request.method))
        error.allowed = sorted(method.upper() for method in self.action_map)  # type: ignore[attr-defined]  # for the Allow header
        raise error


def check_accept(request: APIRequest, media_type: str) -> None:
    """Refuse a client that says it does not take what the answers are."""
    accept = request.list_header(b"accept")
    if accept is not None and accept != b"*/*" and not accepts(accept, media_type):
        raise exceptions.NotAcceptable(f"Answers are {media_type}; the Accept header refuses it.")
