"""The explorer as an application of Django, which finds its static files so."""

from django.apps import AppConfig


class ExplorerConfig(AppConfig):
    name = "triples.explorer"
    label = "explorer"
