"""From a rule to a proof, as a user does it."""

import pytest

from tests.conftest import StartService

pytestmark = pytest.mark.both

GRANDPARENT = {
    "name": "grandparent",
    "weight": 0.5,
    "head": ["?x", "grandparent_of", "?z"],
    "body": [["?x", "parent_of", "?y"], ["?y", "parent_of", "?z"]],
}


def test_from_a_rule_to_a_proof_as_a_user_does_it(service: StartService) -> None:
    one = service()
    with one.client(timeout=60) as client:
        for subject, object_ in (("Ada", "Bob"), ("Bob", "Cleo")):
            client.post("/triples/add", json={"subject": subject, "predicate": "parent_of", "object": object_})
        assert client.post("/rules", json=GRANDPARENT).status_code == 201
        run = client.post("/recurse", headers={"Prefer": "wait=60"}).json()
        assert (run["status"], run["facts"]) == ("succeeded", 1)
        found = client.post("/query", json={"pattern": ["Ada", "grandparent_of", None]}).json()
        [fact] = found["results"]
        assert (fact["object"], fact["weight"], fact["inferred"]) == ("Cleo", 0.5, True)
        proof = client.get(f"/triples/{fact['id']}/explain").json()
        assert [premise["object"] for premise in proof["premises"]] == ["Bob", "Cleo"]
        again = client.post("/recurse", headers={"Prefer": "wait=60"}).json()
        assert again["status"] == "unchanged"
    assert one.stop() == 0
