"""Facts that were found by the ids of their terms, as JSON."""

from typing import Annotated

from pydantic import Field

from triples import ids
from triples.http.fact_json import WEIGHT_SHOWN, FactOut
from triples.query.blocks import Fact
from triples.query.graph_facts import Named
from triples.weights import computed


class FoundFact(FactOut):
    weight: Annotated[float, Field(ge=0, le=1, description=WEIGHT_SHOWN)]
    inferred: bool


def found_fact(fact: Fact, named: Named) -> FoundFact:
    subject, predicate, object_ = (named.texts[term] for term in fact.key)
    return {
        "id": public_id(fact, named),
        "subject": subject,
        "predicate": predicate,
        "object": object_,
        "weight": computed(fact.weight) if fact.id is None else fact.weight,
        "inferred": fact.id is None,
    }


def public_id(fact: Fact, named: Named) -> str:
    return ids.pack_inferred(*fact.key) if fact.id is None else ids.pack(named.created[fact.key], fact.id)
