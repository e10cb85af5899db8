"""The base of the commands for rules and keys, which check the settings and the clock before they begin."""

from django.core.checks import Tags
from django.core.management import BaseCommand


class ServiceCommand(BaseCommand):
    """Begins without the checks of URLs and of the admin, which load whatever answers requests: most of a second."""

    requires_system_checks = [Tags.compatibility]
