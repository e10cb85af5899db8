"""The operations on questions in the OpenAPI document."""

from drf_spectacular.utils import OpenApiResponse, extend_schema

from skg_site.api.openapi import request_example, response_example
from triples.http.questions.neighbour_responses import NEIGHBOURS, NeighboursOut
from triples.http.questions.path_models import AskNeighbours, AskPaths
from triples.http.questions.path_responses import PATHS, PathsOut
from triples.http.questions.request_models import Ask
from triples.http.questions.responses import ANSWERS, GROUPS, AnswersOut
from triples.http.snapshot_headers import SEES_SNAPSHOT

ask = extend_schema(
    summary="Ask a question of several patterns",
    description=(
        "The heaviest answers first. The weight of an answer is the product of the weights of the facts that `patterns`"
        " matched; `optional`, `absent` and `filter` do not change it. Answers of one weight are ordered by the ids of"
        " the selected terms. A fact of weight 0 matches nothing. If the time limit is met, the answer has what was"
        " found, an exact beginning, and `complete_above`: every heavier answer is in it."
    ),
    parameters=[SEES_SNAPSHOT],
    request=Ask,
    responses={200: OpenApiResponse(AnswersOut, "The answers.")},
    examples=[
        request_example(
            "Colleagues of prize winners",
            {
                "patterns": [["?c", "colleague_of", "?p"], ["?p", "won", "Nobel_Prize"]],
                "filter": [["?c", "!=", "?p"]],
                "select": ["?c", "?p"],
                "k": 10,
            },
        ),
        request_example(
            "How many colleagues each has",
            {"patterns": [["?c", "colleague_of", "?p"]], "group_by": ["?p"]},
        ),
        response_example("One answer", ANSWERS, 200),
        response_example("One group", GROUPS, 200),
    ],
)

ask_paths = extend_schema(
    summary="Find the best paths between two terms",
    description=(
        "Simple paths: no term comes twice. Exact; if the time limit is met, the answer has an exact beginning, and"
        " says how far it is complete."
    ),
    parameters=[SEES_SNAPSHOT],
    request=AskPaths,
    responses={200: OpenApiResponse(PathsOut, "The paths; none where an end is no term.")},
    examples=[
        request_example("The best path", {"from": "Einstein", "to": "Grossmann", "max_length": 4}),
        response_example("A path of two facts", PATHS, 200),
    ],
)

ask_neighbours = extend_schema(
    summary="See what stands around a term",
    description="The heaviest facts in one request, whatever the number of facts around the term.",
    parameters=[SEES_SNAPSHOT],
    request=AskNeighbours,
    responses={200: OpenApiResponse(NeighboursOut, "The facts; none if the term is not known.")},
    examples=[
        request_example("Around Einstein", {"term": "Einstein", "k": 25}),
        response_example("One fact of thirteen", NEIGHBOURS, 200),
    ],
)
