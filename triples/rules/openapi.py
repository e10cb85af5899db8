"""The operations on rules in the OpenAPI document."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from skg_site.api.openapi import if_match, if_none_match, not_modified, problems, request_example, response_example
from triples.rules.documents import MAX_LENGTH
from triples.rules.request_models import ChangeRule, NewRule, RuleListParameters
from triples.rules.responses import RULE, RULE_PAGE, RULES, AddedRulesOut, RuleOut, RulePageOut

_DOCUMENT = {
    member: RULE[member] for member in ("name", "weight", "head", "body", "distinct", "description", "enabled")
}
_NAME = OpenApiParameter(
    "name", OpenApiTypes.STR, OpenApiParameter.PATH, description="The rule's name, percent-encoded."
)
_IF_MATCH = if_match("rule")

list_rules = extend_schema(
    summary="List rules",
    description="By name, in pages; disabled ones too.",
    parameters=[RuleListParameters],  # type: ignore[list-item]  # its Pydantic extension takes models here too
    responses={200: OpenApiResponse(RulePageOut, "A page.")},
    examples=[response_example("The only page", RULE_PAGE)],
)

add_rules = extend_schema(
    summary="Add a rule, the rules that a shorthand stands for, or an array of both",
    description=(
        f"All or nothing. They hold from the next run on. All texts of a rule have at most {MAX_LENGTH:,} characters"
        " together."
    ),
    request=NewRule,
    responses={201: OpenApiResponse(AddedRulesOut, "The rules are stored."), **problems(409)},
    examples=[
        request_example("A rule", _DOCUMENT),
        request_example("A shorthand", {"transitive": "located_in", "weight": 0.99}),
        request_example("Several", [{"symmetric": "near"}, {"inverse": ["parent_of", "child_of"]}]),
        response_example("Stored", RULES),
    ],
)

get_rule = extend_schema(
    summary="Get a rule",
    parameters=[_NAME, if_none_match("rule")],
    responses={200: OpenApiResponse(RuleOut, "The rule; `ETag` names its version."), **not_modified("rule")},
    examples=[response_example("A rule", RULE)],
)

change_rule = extend_schema(
    summary="Change a rule",
    description="Everything but its name. The change holds from the next run on.",
    parameters=[_NAME, _IF_MATCH],
    request=ChangeRule,
    responses={200: OpenApiResponse(RuleOut, "The rule as it is now."), **problems(412)},
    examples=[
        request_example("Left out of runs", {"enabled": False}),
        response_example("As it is now", {**RULE, "enabled": False}),
    ],
)

delete_rule = extend_schema(
    summary="Delete a rule",
    description="What it has derived goes with the next run.",
    parameters=[_NAME, _IF_MATCH],
    responses={204: OpenApiResponse(description="The rule is gone."), **problems(412)},
)
