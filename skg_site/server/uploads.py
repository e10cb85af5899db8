"""Uploads in the admin: a file of any size, from a user who may import.

The site reads a body before it knows the sender, so connections take only small ones for it. Here the session alone
tells the sender, before the body is read. Django then has the body on disk, not in memory, and checks the token of the
form as ever.
"""

import asyncio
from collections.abc import Awaitable, Callable
from http.cookies import CookieError, SimpleCookie
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

from skg_site.api.asgi_types import Message, Receive, Scope, Send
from skg_site.api.door import send_answer
from skg_site.api.problems import BodyTimeout, BodyTooLarge, Problem, problem_from
from skg_site.api.request import STREAMED, APIRequest
from skg_site.api.threads import in_thread

PATH = "/admin/triples/importrun/import/"
PERMISSION = "triples.add_triple"


Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Uploads:
    """The site's application, to which a user who may import can send a body of up to SKG_IMPORT_DISK."""

    def __init__(self, site: Application) -> None:
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST" or scope["path"] != PATH or not await in_thread(_may_import, scope):
            await self._site(scope, receive, send)
            return
        scope[STREAMED] = True
        body = _Body(receive)
        await self._site(scope, body.receive, send)
        if body.problem is not None:
            request = APIRequest(scope, receive)
            await send_answer(problem_from(body.problem, {"request": request}), request, send)


class _Body:
    """The body as it arrives. If `problem` ends it, Django is told that the client has gone, and answers nothing."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._bytes = 0
        self._is_read = False
        self.problem: Problem | None = None

    async def receive(self) -> Message:
        if self._is_read:
            # What comes now tells that the client has gone, for which there is no hurry.
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), settings.ENV.body_timeout)
        except TimeoutError:
            return self._end(BodyTimeout(settings.ENV.body_timeout))
        self._bytes += len(message.get("body", b""))
        if self._bytes > settings.ENV.import_disk << 20:
            return self._end(BodyTooLarge(settings.ENV.import_disk << 20))
        self._is_read = not message.get("more_body")
        return message

    def _end(self, problem: Problem) -> Message:
        self.problem = problem
        return {"type": "http.disconnect"}


def _may_import(scope: Scope) -> bool:
    """True if the session of the request is that of a user of the admin who may import."""
    cookies = SimpleCookie()
    try:
        for name, value in scope["headers"]:
            if name == b"cookie":
                cookies.load(value.decode("latin-1"))
    except CookieError:
        return False
    if settings.SESSION_COOKIE_NAME not in cookies:
        return False
    request = HttpRequest()
    store = import_module(settings.SESSION_ENGINE).SessionStore
    request.session = store(cookies[settings.SESSION_COOKIE_NAME].value)
    user = get_user(request)
    return bool(user.is_active and getattr(user, "is_staff", False) and user.has_perm(PERMISSION))
