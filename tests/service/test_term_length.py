"""SKG_MAX_TERM_LENGTH=10000: the longest terms go in by every way, through rules, and out as they were."""

import httpx
import orjson
import pytest

from tests.conftest import StartService
from tests.support.service import Service, manage
from tests.triples.store.long_texts import HOSTILE, LONGEST

pytestmark = [pytest.mark.both, pytest.mark.process]

TEXTS = list(HOSTILE.values())


def run(one: Service, *arguments: str, given: str = "") -> str:
    done = manage(*arguments, variables=one.variables, input_text=given)
    assert done.returncode == 0, done.stderr
    return done.stdout


def derive(client: httpx.Client) -> None:
    # What would be a predicate of more than 500 characters is not derived.
    for number, head in enumerate((["?s", "met", "?o"], ["?s", "?o", "?s"]), start=1):
        rule = {"name": f"rule-{number}", "head": head, "body": [["?s", "knows", "?o"]]}
        assert client.post("/rules", json=rule).status_code == 201
    done = client.post("/recurse", headers={"Prefer": "wait=60"}).json()
    assert done["status"] == "succeeded", done
    # One of the objects has 500 characters.
    assert done["facts"] == len(TEXTS) + 2


def test_the_longest_terms_go_everywhere(service: StartService) -> None:
    one = service(max_term_length=10_000)
    facts = {(text, "knows", TEXTS[place - 1]) for place, text in enumerate(TEXTS)}
    with one.client(timeout=60) as client:
        longest = {"subject": LONGEST, "predicate": "p" * 500, "object": LONGEST}
        assert client.post("/triples/add", json=longest).status_code == 201
        assert client.post("/triples/add", json=longest | {"object": LONGEST + "x"}).status_code == 422
        assert client.post("/triples/add", json=longest | {"predicate": "p" * 501}).status_code == 422
        batch = [dict(zip(("subject", "predicate", "object"), fact, strict=True)) for fact in sorted(facts)[::2]]
        assert client.post("/triples/batch", json={"triples": batch}).json()["accepted"] == len(batch)
        lines = "".join("\t".join(fact) + "\n" for fact in facts)
        assert f"{len(facts) - len(batch)} inserted" in run(one, "import_triples", "-", "--format", "tsv", given=lines)
        found = client.get("/terms", params={"search": TEXTS[5][:300]}).json()["terms"]
        assert {term["term"] for term in found} == {text for text in TEXTS if text.startswith(TEXTS[5])}
        derive(client)
    out = run(one, "export_triples", "-", "--format", "ndjson", "--predicate", "knows")
    told = [orjson.loads(line) for line in out.splitlines()]
    assert {(fact["subject"], fact["predicate"], fact["object"]) for fact in told} == facts
