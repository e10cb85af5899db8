from django.apps import AppConfig
from django.conf import settings


class SiteConfig(AppConfig):
    name = "skg_site"

    def ready(self) -> None:
        from skg_site import checks  # noqa: F401, PLC0415  # the import registers them

        if settings.ENV.is_traced:
            from skg_site.observe import tracing  # noqa: PLC0415  # loads a lot, so only if it is used

            tracing.start()
