"""The graph as a Django application."""

from django.apps import AppConfig


class TriplesConfig(AppConfig):
    name = "triples"
    verbose_name = "Graph"
