"""Inferred facts in the admin: to look through, with what each rests on."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from skg_site.admin_base.pages import ReadOnlyAdmin
from triples import ids
from triples.admin.fact_lines import FactLines
from triples.admin.kind_tabs import tabs, visible_kinds
from triples.admin.links import ANYTHING, Kinds
from triples.admin.pattern_lists import PatternForm, listed, next_page, position
from triples.admin.shown import rule_html
from triples.models import InferredTriple, Rule
from triples.query.explanations import Node, explain_now
from triples.query.fact_rows import AnyRow, InferredRow
from triples.recursion.programs import Key
from triples.store.operations import NoSuchFact
from triples.store.term_lookup import find_term_ids

_TITLES: dict[Kinds, str] = {
    "asserted": "Asserted facts",
    "inferred": "Inferred facts",
    "both": "All facts",
}
# A proof that goes deeper is continued on the page of the fact where it is cut.
DEPTH = 20


@admin.register(InferredTriple)
class InferredTripleAdmin(ReadOnlyAdmin):
    """The facts are in no table of Django's, so its lists and forms have nothing to do with them."""

    class Media:
        css = {"all": ["triples/recursion.css"]}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("", view(self.list_view), name="triples_inferredtriple_changelist"),
            path("<uuid:id>/", view(self.proof_view), name="triples_inferredtriple_proof"),
        ]

    def list_view(self, request: HttpRequest) -> HttpResponse:
        """Heaviest first, a page at a time."""
        may_see = visible_kinds(request.user)
        kinds = request.GET.get("kinds", "inferred")
        if kinds not in may_see:
            raise PermissionDenied
        form = PatternForm(request.GET, label_suffix="")
        context: dict[str, Any] = {"form": form, "kinds": kinds, "pattern": ANYTHING}
        if form.is_valid():
            found = listed(form.wanted(kinds), position(request.GET.get("after", "")))
            context |= {"found": found, "number": found.numbers.of(kinds), "pattern": form.pattern}
            context |= {"tabs": tabs(may_see, kinds, form.pattern, found.numbers)}
            asked = {name: request.GET.get(name, "") for name in (*form.fields, "kinds")}
            context["following"] = next_page(asked, found.after) if found.after else ""
        context["media"] = self.media + form.media
        return self.own_page(request, "list", _TITLES[kinds], **context)

    def proof_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """The proof of one, as a tree."""
        self._check_permission(request)
        root = _proof(id)
        if root is None:
            self.message_user(request, "This fact is not derived, or not any more.", messages.WARNING)
            return redirect("admin:triples_inferredtriple_changelist")
        return self.own_page(request, "proof", "Proof", root=_shown(root, _lines(root), is_root=True))

    def _check_permission(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied


def _proof(id: UUID) -> Node | None:
    key = ids.unpack_inferred(id)
    try:
        return None if key is None else explain_now(Key(*key), depth=DEPTH)
    except NoSuchFact:
        return None


def _rows(node: Node) -> Iterator[AnyRow]:
    yield node.row
    for premise in node.premises:
        yield from _rows(premise)


def _lines(root: Node) -> FactLines:
    texts = {text for row in _rows(root) for text in (row.subject, row.predicate, row.object)}
    return FactLines(find_term_ids(texts), dict(Rule.objects.values_list("name", "id")))


def _shown(node: Node, lines: FactLines, *, is_root: bool = False) -> dict[str, Any]:
    """A node as the template walks through it."""
    row = node.row
    return {
        "line": lines.line(row),
        "premises": [_shown(premise, lines) for premise in node.premises],
        "asserted": not isinstance(row, InferredRow),
        "is_root": is_root,
        "id": ids.pack_inferred(*row.key) if isinstance(row, InferredRow) else "",
        "rule_text": rule_html(node.rule) if node.rule else "",
        "without": node.without,
    }
