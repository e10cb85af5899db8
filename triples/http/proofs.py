"""Proofs as JSON: how they are asked for, the types of the response, an example of it, and what fills it."""

from typing import Annotated, NotRequired

from pydantic import Field

from skg_site.api.fields import INTEGER_TEXT
from skg_site.api.inputs import QueryString
from triples.http.fact_json import WEIGHT_SHOWN, FactOut, public_id, shown_weight
from triples.query.explanations import DEFAULT_DEPTH, MAX_DEPTH, Node
from triples.query.fact_rows import InferredRow
from triples.recursion.rules import RuleDocument, rule_document


class ExplainParameters(QueryString):
    """The query string of an explanation."""

    depth: Annotated[
        int,
        Field(ge=1, le=MAX_DEPTH, description="How many steps from the fact down premises are shown."),
        INTEGER_TEXT,
    ] = DEFAULT_DEPTH


class ProofRuleOut(RuleDocument):
    """A rule as it was when the fact was derived; `?name` is a variable, `{"term": text}` a text that begins so."""


class ProofOut(FactOut):
    """A fact and, if it is inferred, what it follows from."""

    weight: Annotated[float, Field(description=WEIGHT_SHOWN)]
    inferred: bool
    depth: NotRequired[Annotated[int | None, Field(default=None, description="Only of an inferred fact.")]]
    rule: NotRequired[Annotated[ProofRuleOut | None, Field(default=None, description="Only of an inferred fact.")]]
    premises: NotRequired[
        Annotated[
            list["ProofOut"] | None,
            Field(default=None, description="What an inferred fact follows from, in the order of the rule's body."),
        ]
    ]
    seen: NotRequired[
        Annotated[
            bool | None,
            Field(default=None, description="true instead of premises: they stand where the fact is met first."),
        ]
    ]
    truncated: NotRequired[
        Annotated[bool | None, Field(default=None, description="true instead of premises: the tree is cut here.")]
    ]


class ExplanationOut(ProofOut):
    """The proof that was asked for; a model of its own, since the top of a document cannot refer to itself."""


PROOF: ProofOut = {
    "id": "00000000-4400-8001-8000-00200000000b",
    "subject": "Ulm",
    "predicate": "located_in",
    "object": "Europe",
    "weight": 0.9,
    "inferred": True,
    "depth": 1,
    "rule": {
        "name": "located_in is transitive",
        "weight": 1.0,
        "head": ["?x", "located_in", "?z"],
        "body": [["?x", "located_in", "?y"], ["?y", "located_in", "?z"]],
    },
    "premises": [
        {
            "id": "018d0c8e-9a40-8000-8000-000000000007",
            "subject": "Ulm",
            "predicate": "located_in",
            "object": "Germany",
            "weight": 1.0,
            "inferred": False,
        },
        {
            "id": "018d0c8e-9a40-8000-8000-000000000008",
            "subject": "Germany",
            "predicate": "located_in",
            "object": "Europe",
            "weight": 0.9,
            "inferred": False,
        },
    ],
}


def proof_content(node: Node) -> ProofOut:
    row = node.row
    content: ProofOut = {
        "id": public_id(row),
        "subject": row.subject,
        "predicate": row.predicate,
        "object": row.object,
        "weight": shown_weight(row),
        "inferred": isinstance(row, InferredRow),
    }
    if node.rule is not None and isinstance(row, InferredRow):
        content["depth"] = row.depth
        content["rule"] = rule_document(node.rule)
    if node.without == "seen":
        content["seen"] = True
    elif node.without == "truncated":
        content["truncated"] = True
    elif node.premises:
        content["premises"] = [proof_content(premise) for premise in node.premises]
    return content
