"""Inferred facts in the admin: to look through, with what each rests on."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from rest_framework.exceptions import APIException

from triples import ids
from triples.admin.shown import rule_html
from triples.http.request_models import CURSOR
from triples.models import InferredTriple, Rule
from triples.query.explanations import Node, explain_now, own_connection
from triples.query.fact_rows import InferredRow
from triples.query.reads import Wanted, page
from triples.query.statements import Position
from triples.recursion.programs import Key
from triples.store.operations import NoSuchFact
from triples.text import MAX_PREDICATE_LENGTH, TermError, clean_term

PAGE = 50
# A proof that goes deeper is continued on the page of the fact where it is cut.
DEPTH = 20


class PatternForm(forms.Form):
    """Which facts to list: exact terms, or anything where a place is left empty."""

    subject = forms.CharField(required=False)
    predicate = forms.CharField(required=False)
    object = forms.CharField(required=False)
    min_weight = forms.FloatField(
        required=False, min_value=0, max_value=1, widget=forms.NumberInput(attrs={"step": "any"})
    )

    def clean_subject(self) -> str | None:
        return self._term("subject")

    def clean_predicate(self) -> str | None:
        return self._term("predicate", MAX_PREDICATE_LENGTH)

    def clean_object(self) -> str | None:
        return self._term("object")

    @property
    def wanted(self) -> Wanted:
        chosen = self.cleaned_data
        pattern = (chosen["subject"], chosen["predicate"], chosen["object"])
        return Wanted(pattern, chosen["min_weight"] or 0.0, asserted=False)

    def _term(self, place: str, *limit: int) -> str | None:
        text: str = self.cleaned_data[place]
        try:
            return clean_term(text, *limit) if text else None
        except TermError as error:
            raise forms.ValidationError(f"This cannot be a term: it {error}.") from None


@admin.register(InferredTriple)
class InferredTripleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """The facts are in no table of Django's, so its lists and forms have nothing to do with them."""

    class Media:
        css = {"all": ["triples/recursion.css"]}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("", view(self.list_view), name="triples_inferredtriple_changelist"),
            path("<uuid:id>/", view(self.proof_view), name="triples_inferredtriple_proof"),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def list_view(self, request: HttpRequest) -> HttpResponse:
        """Heaviest first, a page at a time."""
        self._check_permission(request)
        form = PatternForm(request.GET, label_suffix="")
        rows: list[InferredRow] = []
        following = ""
        total: int | None = None
        if form.is_valid():
            rows, total = _listed(form.wanted, _position(request.GET.get("after", "")))
            if len(rows) > PAGE:
                rows = rows[:PAGE]
                asked = {name: value for name, value in request.GET.items() if name in form.fields and value}
                after = CURSOR.encode(rows[-1].weight, True, *rows[-1].key)
                following = urlencode(asked | {"after": after})
        facts = [(row, ids.pack_inferred(*row.key)) for row in rows]
        context = {"form": form, "facts": facts, "following": following, "total": total}
        return self._page(request, "list", "Inferred facts", **context)

    def proof_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """The proof of one, as a tree."""
        self._check_permission(request)
        root = _proof(id)
        if root is None:
            self.message_user(request, "This fact is not derived, or not any more.", messages.WARNING)
            return redirect("admin:triples_inferredtriple_changelist")
        rules = dict(Rule.objects.values_list("name", "id"))
        return self._page(request, "proof", "Proof", root=_shown(root, rules))

    def _check_permission(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _page(self, request: HttpRequest, name: str, title: str, **context: Any) -> HttpResponse:
        site = self.admin_site.each_context(request)
        shared = {**site, "opts": self.opts, "title": title, "media": self.media}
        return TemplateResponse(request, f"admin/triples/inferredtriple/{name}.html", {**shared, **context})


def _listed(wanted: Wanted, after: Position | None) -> tuple[list[InferredRow], int | None]:
    """A page and one fact more where there is one, and how many inferred facts there are; None before the first run."""
    with own_connection() as (session, dialect, shown):
        if shown is None:
            return [], None
        rows = page(session.rows, dialect, shown, wanted, limit=PAGE + 1, after=after)
        return [row for row in rows if isinstance(row, InferredRow)], shown.state.facts


def _proof(id: UUID) -> Node | None:
    key = ids.unpack_inferred(id)
    try:
        return None if key is None else explain_now(Key(*key), depth=DEPTH)
    except NoSuchFact:
        return None


def _position(cursor: str) -> Position | None:
    if not cursor:
        return None
    try:
        weight, _, *key = CURSOR.decode(cursor)
    except (APIException, ValueError):
        raise BadRequest("a cursor that no page has given") from None
    return Position(weight, key=Key(*key))


def _shown(node: Node, rules: dict[str, int]) -> dict[str, Any]:
    """A node as the template walks through it."""
    row = node.row
    content: dict[str, Any] = {"row": row, "premises": [_shown(premise, rules) for premise in node.premises]}
    if not isinstance(row, InferredRow):
        return content | {"asserted": True, "url": reverse("admin:triples_triple_change", args=[row.id])}
    public_id = ids.pack_inferred(*row.key)
    number = rules.get(row.rule)
    return content | {
        "id": public_id,
        "url": reverse("admin:triples_inferredtriple_proof", args=[public_id]),
        "rule_text": rule_html(node.rule) if node.rule else "",
        "rule_url": reverse("admin:triples_rule_change", args=[number]) if number is not None else "",
        "without": node.without,
    }
