"""Plain facts are read as all others are, only faster."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skg_site.api.problems import Invalid
from skg_site.api.reading import validated
from triples.http.batches import AddBatch, ReadBatch, read_batch
from triples.http.plain_facts import plain_facts
from triples.models import Source
from triples.store.operations import Fact

EDGES = ["", " ", "\t", "\n", "\x1c", "\x1f", "\x85", "\u00a0", "\u2028", "\u200b", "\ufeff"]
MIDDLES = [
    "",
    "a",
    "A b",
    "~",
    "\x7f",
    "\x00",
    "e\u0301",
    "ö",
    "東",
    "a\tb",
    "x" * 500,
    "x" * 501,
    "e\u0301" * 400,
    "x" * 10_001,
]
texts = st.builds(
    "{}{}{}".format, st.sampled_from(EDGES), st.sampled_from(MIDDLES) | st.text(max_size=4), st.sampled_from(EDGES)
)
weights = st.sampled_from([0, 1, 0.0, -0.0, 0.25, 1.0, -1, 1.5, True, "1", None, 10**20])
metadata: st.SearchStrategy[Any] = st.sampled_from(
    [None, {}, {"a": [1, {"b": None}]}, {"a": "x" * 16_384}, [], "a", {"ö": -0.0}]
)
valid = st.fixed_dictionaries(
    {name: st.sampled_from(["a", " b", "A b\t", "c~"]) for name in ("subject", "predicate", "object")}
)
any_fact = st.fixed_dictionaries(
    {},
    optional={
        "subject": texts,
        "predicate": texts,
        "object": texts,
        "weight": weights,
        "metadata": metadata,
        "more": weights,
    },
)
facts = st.builds(lambda least, more: {**least, **more}, valid, any_fact) | any_fact
batches = st.fixed_dictionaries(
    {"triples": st.lists(facts, max_size=3) | weights},
    optional={"skip_duplicates": weights | st.booleans(), "skip_invalid": st.just(value=False), "more": weights},
)


def read_one_by_one(content: Any) -> list[Fact]:
    return [item.fact(Source.BATCH) for item in AddBatch.model_validate(content).triples]


@given(st.lists(facts | weights, max_size=3))
def test_what_is_read_is_what_all_validators_read(given: list[Any]) -> None:
    if given and (found := plain_facts(given)) is not None:
        assert repr(found) == repr(read_one_by_one({"triples": given}))


@given(batches)
def test_a_batch_is_read_or_refused_as_its_model_says(content: dict[str, Any]) -> None:
    def outcome(read: Any) -> Any:
        try:
            return repr(read(content))
        except Invalid as refusal:
            return refusal.errors

    def by_model(content: Any) -> ReadBatch:
        batch = validated(content, AddBatch)
        return ReadBatch(
            dict(enumerate(item.fact(Source.BATCH) for item in batch.triples)), batch.skip_duplicates, None
        )

    assert outcome(read_batch) == outcome(by_model)


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ({"subject": " a\n", "predicate": "p", "object": "A b ~"}, True),
        ({"subject": "a", "predicate": "p", "object": "b", "weight": 1, "metadata": {"ö": 1}}, True),
        ({"subject": "ö", "predicate": "p", "object": "b"}, False),
        ({"subject": "a\x1c", "predicate": "p", "object": "b"}, False),
        ({"subject": "a", "predicate": "p", "object": "b", "weight": 2}, False),
        ({"subject": "a", "predicate": "p", "object": "b", "metadata": {"a": "x" * 16_384}}, False),
    ],
)
def test_which_facts_are_plain(given: dict[str, Any], *, plain: bool) -> None:
    assert (plain_facts([given]) is not None) == plain
