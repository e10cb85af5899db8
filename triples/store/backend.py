"""What the service asks of a database. `triples.store.sqlite` and `triples.store.postgresql` do it.

The settings choose one of the two at start-up: the package of Django's engine is the backend's too.
"""

from abc import ABC
from functools import cache
from importlib import import_module
from typing import ClassVar

from django.conf import settings

from triples.store.dialect import Dialect
from triples.store.term_index import TermIndex


class Backend(ABC):
    # As traces and the operator's commands call the database's kind.
    name: ClassVar[str]
    dialect: ClassVar[Dialect]
    term_index: TermIndex


@cache
def backend() -> Backend:
    """The backend of the database that the settings name."""
    package = settings.DATABASES["default"]["ENGINE"].removesuffix(".engine")
    chosen: Backend = import_module(f"{package}.backend").BACKEND
    return chosen
