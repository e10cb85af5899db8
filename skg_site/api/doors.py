"""Which paths are the site's: the admin, the documentation and static files. All others are the API's."""

from django.conf import settings

_DOCS_PATHS = {"/docs", "/redoc", "/openapi.json"} if settings.ENV.enable_docs else set()
_SITE_PATHS = frozenset({"/", "/admin", *_DOCS_PATHS})
_SITE_PREFIXES = ("/admin/", "/static/")


def is_site(path: str) -> bool:
    return path in _SITE_PATHS or path.startswith(_SITE_PREFIXES)
