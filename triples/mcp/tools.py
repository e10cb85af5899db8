"""The tools: what a model reads of them, the scope that each needs, and what answers a call.

All of this together is read by a model before its first question, so every word here costs.
"""

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from django.conf import settings

from triples.mcp.adding import add_facts
from triples.mcp.answers import Work
from triples.mcp.asking import paths, query
from triples.mcp.looking import MOST_TERMS, describe_schema, search_terms
from triples.mcp.proofs import explain

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
# A name, or `{"term": name}` for one that begins with a question mark.
_CONSTANT: Schema = {"type": ["string", "object"], "properties": {"term": _TEXT}, "required": ["term"]}
_PLACE: Schema = {**_CONSTANT, "type": ["string", "null", "object"]}
_WEIGHT: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_PATTERN: Schema = {"type": "array", "items": _PLACE, "minItems": 3, "maxItems": 3}
_PATTERNS: Schema = {"type": "array", "items": _PATTERN}
_FACT: Schema = {
    "type": "object",
    "properties": {"subject": _TEXT, "predicate": _TEXT, "object": _TEXT, "weight": _WEIGHT},
    "required": ["subject", "predicate", "object"],
}


class Tool(NamedTuple):
    name: str
    title: str
    scope: str
    description: str
    properties: dict[str, Schema]
    required: list[str]
    work: Callable[[dict[str, Any]], Work]

    @property
    def document(self) -> dict[str, Any]:
        """The tool as `tools/list` shows it."""
        reads = self.scope == "read"
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": {
                "type": "object",
                "properties": self.properties,
                "required": self.required,
                "additionalProperties": False,
            },
            # Facts are added, and never changed or removed; a fact that is sent again stays as it is.
            "annotations": {
                "readOnlyHint": reads,
                "destructiveHint": False,
                "idempotentHint": True,
                "openWorldHint": False,
            },
        }


def _described(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


def _whole(most: int, default: int) -> Schema:
    return {"type": "integer", "minimum": 1, "maximum": most, "default": default}


TOOLS = (
    Tool(
        "search_terms",
        "Search terms",
        "read",
        "Find the exact names of terms and predicates in spite of typos, with the number of facts that have them."
        " Other tools need exact names.",
        {
            "search": _TEXT,
            "position": {"type": "string", "enum": ["subject", "predicate", "object"]},
            "limit": _whole(MOST_TERMS, 10),
        },
        ["search"],
        search_terms,
    ),
    Tool(
        "describe_schema",
        "Describe the schema",
        "read",
        "The most frequent predicates with their numbers of facts; with `predicate`, some facts that have it.",
        {"predicate": _CONSTANT},
        [],
        describe_schema,
    ),
    Tool(
        "query",
        "Query",
        "read",
        "Answer patterns [subject, predicate, object] that must all match, heaviest answers first. `?x` is a variable,"
        ' null is anything, {"term":"?x"} a name that begins with a question mark. Patterns share variables to join:'
        ' [["?c","colleague_of","?p"],["?p","won","Nobel_Prize"]].',
        {
            "patterns": _described(_PATTERNS, "1 to 8"),
            "optional": _described({"type": "array", "items": _PATTERNS}, "groups that may match"),
            "absent": _described(_PATTERNS, "must not match"),
            "filter": _described(
                {"type": "array", "items": {"type": "array", "items": {}, "minItems": 3, "maxItems": 3}},
                "[variable, operator, variable or value]; operators: = != < <= > >= starts_with contains in."
                ' ["?c","!=","?p"]',
            ),
            "select": _described(_TEXTS, "variables to answer; default: all"),
            "group_by": _described(_TEXTS, "count answers by these variables"),
            "count": {"type": "boolean", "description": "count all answers"},
            "k": _whole(settings.ENV.max_results, 10),
            "min_weight": _WEIGHT,
            "cursor": _TEXT,
            "include_inferred": {"type": "boolean", "default": True},
            "allow_cross_product": {"type": "boolean"},
        },
        ["patterns"],
        query,
    ),
    Tool(
        "paths",
        "Find paths",
        "read",
        "How two terms are connected: chains of facts, the heaviest or the shortest first.",
        {
            "from": _CONSTANT,
            "to": _CONSTANT,
            "predicates": _described({"type": "array", "items": _CONSTANT, "minItems": 1}, "only these"),
            "direction": {"type": "string", "enum": ["any", "out", "in"]},
            "max_length": _whole(10, 6),
            "order": {"type": "string", "enum": ["weight", "length"]},
            "k": _whole(min(100, settings.ENV.max_results), 1),
            "min_weight": _WEIGHT,
            "include_inferred": {"type": "boolean", "default": True},
        },
        ["from", "to"],
        paths,
    ),
    Tool(
        "explain",
        "Explain a fact",
        "read",
        "Why a fact holds: asserted, or derived by which rule from which facts.",
        {"subject": _CONSTANT, "predicate": _CONSTANT, "object": _CONSTANT, "depth": _whole(64, 5)},
        ["subject", "predicate", "object"],
        explain,
    ),
    Tool(
        "add_facts",
        "Add facts",
        "write",
        "Store facts, all or none. Reuse names that search_terms and describe_schema find. A fact that exists stays"
        " as it is.",
        {"facts": {"type": "array", "items": _FACT, "minItems": 1, "maxItems": settings.ENV.max_batch_size}},
        ["facts"],
        add_facts,
    ),
)
BY_NAME = {tool.name: tool for tool in TOOLS}


def tools_for(scopes: Collection[str]) -> list[Tool]:
    """The tools that a key with these scopes may call."""
    return [tool for tool in TOOLS if tool.scope in scopes]
