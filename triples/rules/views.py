"""Rules over HTTP."""

from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils.text import capfirst
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from skg_site.api.conditional_requests import entity_tag, unless_known, versions_to_match
from skg_site.api.problems import Conflict, FieldError, Invalid, PreconditionFailed
from skg_site.api.reading import query_parameters, read_body
from skg_site.api.threads import in_thread
from skg_site.api.views import APIViewSet, empty_answer, json_answer
from triples.models import Rule as StoredRule
from triples.recursion.rules import RuleError
from triples.rules import openapi
from triples.rules.documents import Draft, FaultyRules, read_rules
from triples.rules.request_models import RULE_CURSOR, ChangeRule, RuleListParameters
from triples.rules.responses import AddedRulesOut, RulePageOut, rule_content, warning_content
from triples.services.missing_predicates import missing_predicates
from triples.services.rules import (
    NoSuchRule,
    RuleChanged,
    RulesError,
    rule_change,
    rule_delete,
    rule_find,
    rules_add,
    rules_page,
)


class RuleViewSet(APIViewSet):
    scopes: ClassVar[dict[str, str]] = {
        "list": "read",
        "create": "recurse",
        "retrieve": "read",
        "partial_update": "recurse",
        "destroy": "recurse",
    }

    def handle_exception(self, exc: Exception) -> Any:
        return super().handle_exception(_problem_for(exc))

    @openapi.list_rules
    async def list(self, request: Request) -> HttpResponse:
        return json_answer(await in_thread(_page, query_parameters(request, RuleListParameters)))

    @openapi.add_rules
    async def create(self, request: Request) -> HttpResponse:
        drafts = await read_body(request, _rules_to_add)
        return json_answer(await in_thread(_add, drafts), 201)

    @openapi.get_rule
    async def retrieve(self, request: Request, name: str) -> HttpResponse:
        return unless_known(request, await in_thread(lambda: _rule_answer(rule_find(name))))

    @openapi.change_rule
    async def partial_update(self, request: Request, name: str) -> HttpResponse:
        members = await read_body(request, _members_to_change)
        versions = versions_to_match(request)
        return await in_thread(lambda: _rule_answer(rule_change(name=name, members=members, versions=versions)))

    @openapi.delete_rule
    async def destroy(self, request: Request, name: str) -> HttpResponse:
        await in_thread(rule_delete, name=name, versions=versions_to_match(request))
        return empty_answer()


def _page(wanted: RuleListParameters) -> RulePageOut:
    after = "" if wanted.cursor is None else RULE_CURSOR.decode(wanted.cursor)
    # One more than is shown: if it is there, there is another page.
    rules = rules_page(limit=wanted.limit + 1, after=after)
    shown = rules[: wanted.limit]
    more = RULE_CURSOR.encode(shown[-1].name) if len(rules) > wanted.limit else None
    return {"rules": [rule_content(stored) for stored in shown], "next_cursor": more}


def _rules_to_add(content: Any) -> list[Draft]:
    if content == []:
        raise RuleError((), "must have at least one rule")
    return read_rules(content)


def _add(drafts: list[Draft]) -> AddedRulesOut:
    # First: an answer of 503 must not be about rules that are stored.
    missing = missing_predicates([draft.rule for draft in drafts])
    stored = rules_add(drafts=drafts)
    return {"rules": [rule_content(one) for one in stored], "warnings": [warning_content(one) for one in missing]}


def _rule_answer(stored: StoredRule) -> HttpResponse:
    return json_answer(rule_content(stored), headers={"ETag": entity_tag(stored.version)})


def _members_to_change(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise RuleError((), "must be an object")
    if not content:
        raise RuleError((), "must have the members that are to change")
    if "name" in content:
        raise RuleError(("name",), "cannot be changed: other rules and proofs are ordered by it")
    for member in content:
        if member not in ChangeRule.model_fields:
            raise RuleError((member,), "is not known here")
    return content


def _problem_for(error: Exception) -> Exception:
    """Refusals of rules as problems; anything else as it is."""
    match error:
        case RuleError():
            return Invalid([_fault(error.loc, str(error))])
        case FaultyRules():
            return Invalid([_fault(fault.loc, fault.message) for fault in error.faults])
        case NoSuchRule():
            return NotFound(str(error))
        case RuleChanged():
            return PreconditionFailed(str(error))
        case RulesError():
            return Conflict(str(error))
        case _:
            return error


def _fault(loc: tuple[str | int, ...], message: str) -> FieldError:
    return {"loc": list(loc), "msg": capfirst(message), "type": "rule"}
