"""URLs of the site door. Those of the API are in `skg_site.api_urls`."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from skg_site.overview.views import index
from skg_site.site_views import home, login, openapi, redoc, swagger

admin.autodiscover()

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home, name="home"),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/login/", login),
    path("admin/", admin.site.admin_view(index)),
    path("admin/", admin.site.urls),
]

if settings.ENV.enable_docs:
    urlpatterns += [
        path("openapi.json", openapi, name="openapi"),
        path("docs", swagger, name="docs"),
        path("redoc", redoc, name="redoc"),
    ]

if settings.ENV.enable_explorer:
    urlpatterns.append(path("", include("triples.explorer.urls")))

handler400 = "skg_site.error_pages.bad_request"
handler403 = "skg_site.error_pages.forbidden"
handler404 = "skg_site.error_pages.not_found"
handler500 = "skg_site.error_pages.failed"
