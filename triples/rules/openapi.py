"""What the documentation says of the operations on rules."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from skg_site.api.openapi import problems
from triples.rules.request_models import ChangeRule, NewRule, RuleListParameters
from triples.rules.responses import RuleOut, RulePageOut, RulesOut
from triples.rules.sizes import MAX_LENGTH

_DOCUMENT = {
    "name": "grandparent",
    "weight": 0.9,
    "head": ["?x", "grandparent_of", "?z"],
    "body": [["?x", "parent_of", "?y"], ["?y", "parent_of", "?z"]],
    "distinct": [["?x", "?z"]],
    "description": "A parent's parent.",
    "enabled": True,
}
_RULE = {
    **_DOCUMENT,
    "text": "?x grandparent_of ?z  <-  ?x parent_of ?y, ?y parent_of ?z  (0.9, ?x != ?z)",
    "created_at": "2026-01-15T10:30:00.000Z",
    "updated_at": "2026-01-15T10:30:00.000Z",
}
_NAME = OpenApiParameter(
    "name", OpenApiTypes.STR, OpenApiParameter.PATH, description="The rule's name, percent-encoded."
)
_IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Only if the rule still has this entity tag, as `ETag` gave it.",
    examples=[OpenApiExample("Any version", "*")],
)


def _answer(name: str, content: object) -> OpenApiExample:
    return OpenApiExample(name, content, response_only=True)


list_rules = extend_schema(
    summary="List rules",
    description="By name, in pages; disabled ones too.",
    parameters=[RuleListParameters],  # type: ignore[list-item]  # its Pydantic extension takes models here too
    responses={200: OpenApiResponse(RulePageOut, "A page.")},
    examples=[_answer("The only page", {"rules": [_RULE], "next_cursor": None})],
)

add_rules = extend_schema(
    summary="Add a rule, the rules that a shorthand stands for, or an array of both",
    description=(
        f"All or nothing. They hold from the next run on. All texts of a rule have at most {MAX_LENGTH:,} characters"
        " together."
    ),
    request=NewRule,
    responses={201: OpenApiResponse(RulesOut, "The rules are stored."), **problems(409)},
    examples=[
        OpenApiExample("A rule", _DOCUMENT, request_only=True),
        OpenApiExample("A shorthand", {"transitive": "located_in", "weight": 0.99}, request_only=True),
        OpenApiExample("Several", [{"symmetric": "near"}, {"inverse": ["parent_of", "child_of"]}], request_only=True),
        _answer("Stored", {"rules": [_RULE]}),
    ],
)

get_rule = extend_schema(
    summary="Get a rule",
    parameters=[_NAME],
    responses={200: OpenApiResponse(RuleOut, "The rule; `ETag` names its version.")},
    examples=[_answer("A rule", _RULE)],
)

change_rule = extend_schema(
    summary="Change a rule",
    description="Everything but its name. The change holds from the next run on.",
    parameters=[_NAME, _IF_MATCH],
    request=ChangeRule,
    responses={200: OpenApiResponse(RuleOut, "The rule as it is now."), **problems(412)},
    examples=[
        OpenApiExample("Left out of runs", {"enabled": False}, request_only=True),
        _answer("As it is now", {**_RULE, "enabled": False}),
    ],
)

delete_rule = extend_schema(
    summary="Delete a rule",
    description="What it has derived goes with the next run.",
    parameters=[_NAME, _IF_MATCH],
    responses={204: OpenApiResponse(description="The rule is gone."), **problems(412)},
)
