"""The page "Ask": a question in lines, its answers, how they were found, and the call of the API that asks the same."""

from collections.abc import Mapping
from time import monotonic
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib.admin.widgets import AdminTextareaWidget
from django.db import connection
from django.http import HttpRequest
from django.urls import reverse

from triples import ids
from triples.http.questions.answering import Asked
from triples.http.questions.responses import answers_content, plan_content
from triples.query.blocks import Fact
from triples.query.finding_answers import Answers, Expired
from triples.question_lines.answering import read_question
from triples.question_lines.code_samples import PATH, curl_line
from triples.question_lines.faults import FaultyQuestion, Names
from triples.question_lines.lines import read_lines, split_lines
from triples.question_lines.plans import pattern_texts, way_text
from triples.services.questions import ask_now
from triples.store.backend import backend
from triples.store.operations import ReadTimeout

_NAMES: Names = {("cursor",): "The page"}
_HOW_TO_WRITE = (
    "A pattern on each line: subject, predicate and object. ?x and the like are variables; a term that has spaces or"
    ' begins with a question mark stands "in double quotes".'
)


class AskForm(forms.Form):
    """A question; `asked` once it is valid."""

    question = forms.CharField(
        widget=AdminTextareaWidget(attrs={"rows": 6, "spellcheck": "false", "autocapitalize": "off"}),
        help_text=_HOW_TO_WRITE,
        strip=False,
    )
    k = forms.IntegerField(
        label="Answers on a page", required=False, min_value=1, max_value=settings.ENV.max_results, initial=10
    )
    min_weight = forms.FloatField(
        label="Least weight",
        required=False,
        min_value=0,
        max_value=1,
        initial=0,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    cursor = forms.CharField(required=False, widget=forms.HiddenInput)

    class Media:
        css = {"all": ["triples/ask.css"]}

    asked: Asked
    # The body that asks the same over HTTP.
    document: Mapping[str, Any]

    def __init__(self, data: Mapping[str, Any] | None, *, inferred: bool) -> None:
        super().__init__(data, label_suffix="")
        self._inferred = inferred

    def clean(self) -> None:
        if "question" in self.errors:
            return
        try:
            document, names = read_lines(split_lines(self.cleaned_data["question"]))
            members = {name: self.cleaned_data.get(name) for name in ("k", "min_weight", "cursor")}
            if not self._inferred:
                members["include_inferred"] = False
            self.document = document | {name: value for name, value in members.items() if value or value is False}
            shown = {"include_facts": True, "explain": True}
            self.asked = read_question({**self.document, **shown}, names | _NAMES)
        except FaultyQuestion as faulty:
            for sentence in faulty.sentences:
                self.add_error("question", sentence)

    def page(self, cursor: str) -> str:
        """The query string of the page of answers behind the cursor."""
        kept = {name: self.cleaned_data[name] for name in ("question", "k", "min_weight")}
        return urlencode({name: value for name, value in kept.items() if value} | {"cursor": cursor})


class Cell(NamedTuple):
    text: str | None
    url: str | None


def answered(form: AskForm, request: HttpRequest) -> dict[str, Any]:
    """The template's variables for the answers to a valid form; if they take too long, the form says so."""
    departed = getattr(request, "departed", None) or (lambda: False)
    end = monotonic() + settings.ENV.query_timeout
    if backend().pools_connections:
        # To the pool: the question has a connection of its own.
        connection.close()

    def expired() -> bool:
        return monotonic() > end or departed()

    try:
        return _shown(form, request, expired)
    except ReadTimeout:
        form.add_error("question", "This took too long. Narrow it by a term, by another line or by a least weight.")
        return {}


def _shown(form: AskForm, request: HttpRequest, expired: Expired) -> dict[str, Any]:
    asked = form.asked
    found = ask_now(asked.find_answers, expired, inferred=asked.body.include_inferred)
    content = answers_content(asked.question, found, with_facts=False)
    plan = plan_content(asked.question, found.plan)
    url = request.build_absolute_uri(PATH)
    return {
        "variables": content["variables"],
        "answers": _answers(found, links_to_terms=request.user.has_perm("triples.view_term")),
        "following": form.page(content["next_cursor"]) if content["next_cursor"] else "",
        "complete_above": found.complete_above,
        "way": way_text(plan),
        "steps": list(zip(pattern_texts(plan), plan["steps"], strict=True)),
        "curl": curl_line(url, form.document),
    }


def _answers(found: Answers, *, links_to_terms: bool) -> list[tuple[list[Cell], float, list[Cell]]]:
    """The terms, the weight and the facts of each answer."""

    def term(id_: int) -> Cell:
        text = found.named.texts.get(id_)
        linked = text is not None and links_to_terms
        return Cell(text, reverse("admin:triples_term_change", args=[id_]) if linked else None)

    return [
        ([term(id_) for id_ in answer.terms], answer.weight, [_fact(fact, found) for fact in answer.facts])
        for answer in found.answers
    ]


def _fact(fact: Fact, found: Answers) -> Cell:
    text = " ".join(found.named.texts[term] for term in fact.key)
    if fact.id is None:
        return Cell(text, reverse("admin:triples_inferredtriple_proof", args=[ids.pack_inferred(*fact.key)]))
    return Cell(text, reverse("admin:triples_triple_change", args=[fact.id]))
