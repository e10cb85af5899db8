"""The ASGI application: two doors share one port, and the path chooses.

The site door is Django's own handler, for the admin, the documentation and static files. All other
paths belong to the API door, so an unknown path gets the API's 404.
"""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skg_site.settings")
site_door = get_asgi_application()
# The first request would load the admin on the event loop, and hold up all others meanwhile.
get_resolver().url_patterns  # noqa: B018  # reading it loads them

from skg_site.api.asgi_types import Receive, Scope, Send  # noqa: E402  # needs Django to be set up
from skg_site.api.door import APIDoor, is_site  # noqa: E402
from skg_site.api.forwarding import settle_client  # noqa: E402
from skg_site.observe.masking import guard_request  # noqa: E402
from skg_site.server.lifespan import lifespan  # noqa: E402
from skg_site.server.uploads import Uploads  # noqa: E402

site = Uploads(site_door)  # type: ignore[arg-type]  # Django types the same protocol its own way
api_door = APIDoor("skg_site.api_urls")
# SKG_METRICS_PORT, if it is not SKG_PORT, serves the metrics only.
metrics_door = APIDoor("skg_site.observe.urls")
METRICS_PORT = None if settings.ENV.metrics_port == settings.ENV.port else settings.ENV.metrics_port


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        guard_request(scope["headers"])
        settle_client(scope)
        path = scope["path"]
        if METRICS_PORT is not None and scope["server"][1] == METRICS_PORT:
            await metrics_door(scope, receive, send)
        elif is_site(path):
            await site(scope, receive, send)
        else:
            await api_door(scope, receive, send)
    elif scope["type"] == "lifespan":
        await lifespan(receive, send)
    else:
        # A WebSocket handshake, refused as the protocol defines it.
        await receive()
        await send({"type": "websocket.close", "code": 1000})
