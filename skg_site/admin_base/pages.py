"""Bases of the admin's classes: pages beside Django's lists and forms, and rows that nobody changes."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse


class PagesAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    def own_page(self, request: HttpRequest, name: str, title: str, **context: Any) -> TemplateResponse:
        """A page of the model's, from the template of this name."""
        template = f"admin/{self.opts.app_label}/{self.opts.model_name}/{name}.html"
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "media": self.media}
        return TemplateResponse(request, template, {**shared, **context})


class ReadOnlyAdmin(PagesAdmin):
    """Rows that nobody fills in, edits or deletes by Django's forms."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
