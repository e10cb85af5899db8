"""Answers of the graph to questions, as JSON without its time, for the API and the explorer alike."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar

from triples.http.questions.answering import Asked, asked_paths
from triples.http.questions.neighbour_responses import NeighboursOut, neighbours_content
from triples.http.questions.path_models import AskNeighbours, AskPaths
from triples.http.questions.path_responses import PathsOut, paths_content
from triples.http.questions.responses import AnswersOut
from triples.metrics import count_question
from triples.query.finding_answers import Expired
from triples.query.finding_paths import find_paths
from triples.query.graph_facts import GraphFacts
from triples.query.neighbours import AskedNeighbours, Neighbours, count_beside, find_neighbours
from triples.services.graph import graph

Content = TypeVar("Content", bound=Mapping[str, Any])


class Through(Protocol):
    """A way to an answer: what `read` returns, or the same from a cache."""

    def __call__(self, read: Callable[[], Awaitable[Content]]) -> Awaitable[Content]: ...


async def directly(read: Callable[[], Awaitable[Content]]) -> Content:
    return await read()


async def answer_patterns(asked: Asked, through: Through = directly) -> AnswersOut:
    async def read() -> AnswersOut:
        return asked.content(await graph.ask(asked.find, inferred=asked.body.include_inferred))

    content = await through(read)
    count_question("patterns", len(content["results"]))
    return content


async def answer_paths(body: AskPaths, through: Through = directly) -> PathsOut:
    find = partial(find_paths, asked_paths(body))

    async def read() -> PathsOut:
        return paths_content(await graph.ask(find, inferred=body.include_inferred))

    content = await through(read)
    count_question("paths", len(content["paths"]))
    return content


async def answer_neighbours(body: AskNeighbours, through: Through = directly) -> NeighboursOut:
    asked = AskedNeighbours(body.term, body.k, body.direction, body.predicates, body.min_weight)

    def find(source: GraphFacts, _: Expired) -> tuple[Neighbours, dict[str, int]]:
        found = find_neighbours(asked, source)
        return found, count_beside(found, source) if body.include_counts else {}

    async def read() -> NeighboursOut:
        found, counts = await graph.ask(find, inferred=body.include_inferred)
        content = neighbours_content(body.term, found)
        if body.include_counts:
            content["counts"] = counts
        return content

    content = await through(read)
    count_question("neighbours", len(content["facts"]))
    return content
