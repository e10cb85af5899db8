from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "skg_site"

    def ready(self) -> None:
        from skg_site import checks  # noqa: F401, PLC0415  # importing them registers them
