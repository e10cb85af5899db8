"""Batches: every fact in one of them, in order, none over its sizes."""

from itertools import pairwise
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from skg_site.client.batches import Batches, Item
from skg_site.client.uploading import AddedMany, Upload

TEXTS = st.text(max_size=12)
TUPLES = st.tuples(TEXTS, TEXTS, TEXTS) | st.tuples(TEXTS, TEXTS, TEXTS, st.floats(0, 1))
ODD: st.SearchStrategy[Any] = st.just(("a", "b")) | st.just("abc") | st.just(("a", "b", "c", float("inf")))


@given(st.lists(TUPLES | ODD), st.integers(1, 7), st.integers(1, 300))
def test_every_fact_is_in_one_batch_in_order(given_facts: list[Any], size: int, most_bytes: int) -> None:
    batches = Batches(size, most_bytes)
    made: list[list[Item]] = [batches.full() for fact in given_facts if batches.take(fact)] + [batches.rest()]
    items = [item for batch in made for item in batch]
    assert [(item.index, item.fact) for item in items] == list(enumerate(given_facts))
    for batch in made:
        assert len(batch) <= size
        assert len(batch) <= 1 or sum(len(item.json) + 1 for item in batch) <= most_bytes
    # A batch ends only where one more would not fit.
    for batch, following in pairwise(made):
        together = sum(len(item.json) + 1 for item in [*batch, following[0]])
        assert len(batch) == size or together > most_bytes
    sent = [orjson.loads(item.json) for item in items if item.error is None]
    wanted = [fact for fact in given_facts if isinstance(fact, tuple) and len(fact) > 2 and fact[-1] != float("inf")]
    assert [tuple(one.values()) for one in sent] == [tuple(fact) for fact in wanted]


@given(st.lists(TUPLES | ODD, max_size=30), st.integers(1, 40), st.integers(1, 40))
def test_a_service_of_any_size_gets_each_fact_once(given_facts: list[Any], size: int, taken: int) -> None:
    """Against a service that takes batches of `taken` facts, and refuses texts without a letter in them."""
    stored: list[Any] = []
    with Upload({"batch_size": size}) as upload:
        for fact in given_facts:
            if upload.take(fact):
                serve(upload.full_batch(), taken, stored)
        serve(upload.rest(), taken, stored)
    added: AddedMany = upload.added
    assert added.accepted == len(stored)
    assert added.done == len(given_facts)
    refused = {one.index for one in added.refused}
    kept = [list(fact) for index, fact in enumerate(given_facts) if index not in refused]
    assert [list(fact.values()) for fact in stored] == kept


def serve(steps: Any, taken: int, stored: list[Any]) -> None:
    from skg_site.client.calls import Response, read
    from skg_site.client.errors import ClientError

    try:
        call = next(steps)
        while True:
            triples = orjson.loads(call.body)["triples"]
            if len(triples) > taken:
                fault = {"loc": ["triples"], "msg": "too many", "type": "too_long"}
                problem = {"status": 422, "title": "t", "detail": "d", "errors": [fault]}
                status, content = 422, problem
            else:
                bad = [index for index, triple in enumerate(triples) if not triple["subject"]]
                stored += [triple for index, triple in enumerate(triples) if index not in bad]
                details = [{"index": index, "errors": []} for index in bad]
                status = 202
                content = {"accepted": len(triples) - len(bad), "duplicates": 0, "error_details": details}
            try:
                answer = read(call, Response(status, {}, orjson.dumps(content)), sent_before=False)
            except ClientError as error:
                call = steps.throw(error)
            else:
                call = steps.send(answer)
    except StopIteration:
        return
