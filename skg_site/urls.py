"""The site door's URLs; the API's are in `skg_site.api_urls`."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, path
from django.views.generic import RedirectView

from skg_site.site import Redoc, Schema, Swagger, home, login

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/login/", login),
    path("admin/", admin.site.urls),
]

if settings.ENV.enable_docs:
    urlpatterns += [
        path("openapi.json", Schema.as_view(), name="openapi"),
        path("docs", Swagger.as_view(url_name="openapi"), name="docs"),
        path("redoc", Redoc.as_view(url_name="openapi"), name="redoc"),
    ]
