"""Previews of the rule in a form: on the form's page, or alone for a script that shows them while one types."""

from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse

from triples.admin.rule_forms import PREVIEW, RuleForm
from triples.admin.shown import rule_html
from triples.runs.previews import NoPreview, Preview, preview
from triples.services.missing_predicates import missing_predicates
from triples.store.backend import backend

# The value of the member that asks for the preview alone.
ALONE = "alone"
# What a preview shows.
_SHOWN = ("triples.view_triple", "triples.view_inferredtriple")
_NOT_SHOWN = "What it would derive is shown to those who may view both facts and inferred facts; your account may not."


def with_preview(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The form as it was read and checked, and what its rule would derive.

    That is worked out here, when the transaction in which Django reads a form has ended: on SQLite nobody else could
    write meanwhile.
    """
    if not isinstance(response, TemplateResponse) or response.context_data is None:
        return response
    form = response.context_data["adminform"].form
    if not isinstance(form, RuleForm):
        return response
    found = {"faults": _faults(form)} if form.errors else _previewed(request, form)
    if request.POST[PREVIEW] == ALONE:
        return render(request, "admin/triples/rule/preview.html", found)
    response.context_data |= found
    return response


def _faults(form: RuleForm) -> list[tuple[str, str]]:
    """The label of each faulty field, and what is wrong there."""
    return [
        (str(form[name].label) if name in form.fields else "", str(fault))
        for name, faults in form.errors.items()
        for fault in faults
    ]


def _previewed(request: HttpRequest, form: RuleForm) -> dict[str, Any]:
    """The template's variables for the rule in the form."""
    departed = getattr(request, "departed", None)
    rule = form.draft.rule
    text = rule_html(rule)
    if not request.user.has_perms(_SHOWN):
        # A rule can be written so that it derives whatever somebody wants to know.
        return {"previewed_text": text, "no_preview": _NOT_SHOWN}
    missing = missing_predicates([rule])
    told: dict[str, Any] = {"previewed_text": text, "missing": missing}
    if missing:
        # Nothing can follow from it, so no process need find that out.
        return told | {"preview": Preview(count=0, exact=True, examples=[], rounds=1, in_time=True)}
    if backend().pools_connections:
        # To the pool, for others meanwhile.
        connection.close()
    try:
        found = preview(rule, asker=f"user-{request.user.pk}", departed=departed or (lambda: False))
    except NoPreview as none:
        return told | {"no_preview": str(none)}
    return told | {"preview": found}
