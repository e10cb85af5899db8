"""Bases of commands, by how much Django checks before they begin."""

from django.core.checks import Tags
from django.core.management import BaseCommand


class ServiceCommand(BaseCommand):
    """For rules and keys: the settings and the clock are checked.

    The checks of URLs and of the admin, which load whatever answers requests, take most of a second.
    """

    requires_system_checks = [Tags.compatibility]


class UncheckedCommand(BaseCommand):
    """Begins without checks, which load the whole site and are for the start of the service."""

    requires_system_checks = []
