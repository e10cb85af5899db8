"""Columns of lists and lines of forms that show something of a row."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib import admin
from django.db import models

Row = TypeVar("Row", bound=models.Model)


def column(
    _model: type[Row], description: str, show: Callable[[Row], str], ordering: str | None = None
) -> Callable[[Any, Row], str]:
    """An attribute of a `ModelAdmin`, for its `list_display` and `readonly_fields`."""

    @admin.display(description=description, ordering=ordering)
    def shown(_admin: Any, row: Row) -> str:
        return show(row)

    return shown
