"""Makes a question from a body, and JSON from its answer, for the API, the commands and the admin alike."""

from functools import partial

from django.conf import settings

from triples.http.questions.path_models import AskPaths
from triples.http.questions.request_models import Ask, position_of
from triples.http.questions.responses import AnswersOut, add_total, answers_content, groups_content, plan_content
from triples.query.answers import Position
from triples.query.finding_answers import Answers, Expired, Groups, find_answers, find_groups
from triples.query.finding_paths import AskedPaths
from triples.query.graph_facts import GraphFacts
from triples.query.questions import Question


class Asked:
    """A question that can be asked; 422 with its faults if it cannot."""

    def __init__(self, body: Ask) -> None:
        self.body = body
        self.question: Question[str] = body.question
        self.after: Position | None = position_of(body.cursor, len(self.question.selected))

    def find(self, source: GraphFacts, expired: Expired) -> Answers | Groups:
        """The answers or groups by the ids of their terms."""
        if self.body.group_by is None:
            return self.find_answers(source, expired)
        # All of them, unless somebody wants fewer.
        most = self.body.k if "k" in self.body.model_fields_set else settings.ENV.max_results
        return find_groups(self.question, source, expired, most=most)

    def find_answers(self, source: GraphFacts, expired: Expired) -> Answers:
        body = self.body
        find = partial(find_answers, k=body.k, after=self.after, counted=body.count, with_facts=body.include_facts)
        return find(self.question, source, expired)

    def content(self, found: Answers | Groups) -> AnswersOut:
        """The findings as JSON, without their time."""
        if isinstance(found, Groups):
            content = groups_content(self.question, found)
        else:
            content = answers_content(self.question, found, with_facts=self.body.include_facts)
            if self.body.count:
                add_total(content, found)
        if self.body.explain:
            content["plan"] = plan_content(self.question, found.plan)
        return content


def asked_paths(body: AskPaths) -> AskedPaths:
    return AskedPaths(
        body.from_,
        body.to,
        body.predicates,
        body.direction,
        body.max_length,
        body.k,
        body.order,
        body.min_weight,
    )
