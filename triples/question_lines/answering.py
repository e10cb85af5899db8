"""Reads questions from JSON documents and answers them in this thread, for commands and the admin."""

from collections.abc import Mapping
from functools import partial
from time import perf_counter
from typing import Any

from skg_site.api.problems import Invalid
from skg_site.api.reading import validated
from triples.http.questions.answering import Asked, asked_paths
from triples.http.questions.path_models import AskPaths
from triples.http.questions.path_responses import PathsOut, paths_content
from triples.http.questions.request_models import Ask
from triples.http.questions.responses import AnswersOut
from triples.query.finding_answers import Expired
from triples.query.finding_paths import find_paths
from triples.question_lines.faults import Names, faulty
from triples.services.questions import ask_now


def read_question(document: Mapping[str, Any], names: Names) -> Asked:
    """FaultyQuestion if the document has faults, with the names that its members have."""
    try:
        return Asked(validated(dict(document), Ask))
    except Invalid as invalid:
        raise faulty(invalid.errors, names) from None


def answer(asked: Asked, expired: Expired) -> AnswersOut:
    """The answer of `POST /query/patterns`; ReadTimeout if groups could not be counted in time."""
    start = perf_counter()
    content = asked.content(ask_now(asked.find, expired, inferred=asked.body.include_inferred))
    content["query_time_ms"] = round((perf_counter() - start) * 1000)
    return content


def answer_paths(document: Mapping[str, Any], names: Names, expired: Expired) -> PathsOut:
    """The answer of `POST /query/paths`; FaultyQuestion if the body has faults."""
    start = perf_counter()
    try:
        body = validated(dict(document), AskPaths)
        body.check()
    except Invalid as invalid:
        raise faulty(invalid.errors, names) from None
    content = paths_content(ask_now(partial(find_paths, asked_paths(body)), expired, inferred=body.include_inferred))
    content["query_time_ms"] = round((perf_counter() - start) * 1000)
    return content
