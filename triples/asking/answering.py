"""Questions as their bodies in JSON say them, read and answered in this thread, for commands and the admin."""

from collections.abc import Mapping
from functools import partial
from time import perf_counter
from typing import Any

from django.conf import settings

from skg_site.api.problems import Invalid
from skg_site.api.reading import validated
from triples.asking.faults import Names, faulty
from triples.http.asking.path_models import AskPaths
from triples.http.asking.path_responses import PathsOut, paths_content
from triples.http.asking.request_models import Ask, position_of
from triples.http.asking.responses import AnswersOut, add_total, answers_content, groups_content, plan_content
from triples.query.answers import Position
from triples.query.asking import Answers, Expired, find_answers, find_groups
from triples.query.asking_paths import AskedPaths, find_paths
from triples.query.graph_facts import GraphFacts
from triples.query.questions import Question
from triples.services.asking import ask_now


class Asked:
    """A question that can be asked; FaultyQuestion if the body has faults, with the names that its members have."""

    def __init__(self, document: Mapping[str, Any], names: Names) -> None:
        try:
            self.body = validated(dict(document), Ask)
            self.question: Question[str] = self.body.question
            self.after: Position | None = position_of(self.body.cursor, len(self.question.selected))
        except Invalid as invalid:
            raise faulty(invalid.errors, names) from None

    def answer(self, expired: Expired) -> AnswersOut:
        """The answer of `POST /query/patterns`; ReadTimeout if groups could not be counted in time."""
        start = perf_counter()
        read = self._answers if self.body.group_by is None else self._groups
        content = ask_now(read, expired, inferred=self.body.include_inferred)
        content["query_time_ms"] = round((perf_counter() - start) * 1000)
        return content

    def find(self, source: GraphFacts, expired: Expired) -> Answers:
        """The answers by the ids of their terms."""
        return find_answers(
            self.question,
            source,
            expired,
            k=self.body.k,
            after=self.after,
            counted=self.body.count,
            with_facts=self.body.include_facts,
        )

    def _answers(self, source: GraphFacts, expired: Expired) -> AnswersOut:
        body, question = self.body, self.question
        found = self.find(source, expired)
        content = answers_content(question, found, with_facts=body.include_facts)
        if body.count:
            add_total(content, found)
        if body.explain:
            content["plan"] = plan_content(question, found.plan)
        return content

    def _groups(self, source: GraphFacts, expired: Expired) -> AnswersOut:
        found = find_groups(self.question, source, expired)
        content = groups_content(self.question, found, settings.ENV.max_results)
        if self.body.explain:
            content["plan"] = plan_content(self.question, found.plan)
        return content


def answer_paths(document: Mapping[str, Any], names: Names, expired: Expired) -> PathsOut:
    """The answer of `POST /query/paths`; FaultyQuestion if the body has faults."""
    start = perf_counter()
    try:
        body = validated(dict(document), AskPaths)
        body.check()
    except Invalid as invalid:
        raise faulty(invalid.errors, names) from None
    asked = AskedPaths(
        body.from_,
        body.to,
        body.predicates,
        body.direction,
        body.max_length,
        body.k,
        body.order,
        body.min_weight,
    )
    content = paths_content(ask_now(partial(find_paths, asked), expired, inferred=body.include_inferred))
    content["query_time_ms"] = round((perf_counter() - start) * 1000)
    return content
