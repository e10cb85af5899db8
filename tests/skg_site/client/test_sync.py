"""The client that waits, against a real service."""

import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, assert_type

import networkx as nx
import pytest

from skg_site.client import AsyncClient, Client, NoAnswer, Options
from skg_site.client.answers import Deletion, Fact, Stats
from skg_site.client.calls import Call
from skg_site.client.graphs import facts_of_graph, graph_of_facts
from skg_site.env import BASE_DIR
from tests.skg_site.client.breaking import BreakingProxy
from tests.support.service import KEY, Service


def facts(number: int) -> list[tuple[str, str, str]]:
    return [(f"s{i}", "p", f"o{i % 7}") for i in range(number)]


def test_facts_rules_a_run_and_its_proof(sync_client: Client) -> None:
    added = sync_client.add_many([("Ada", "parent_of", "Bob", 0.9), ("Bob", "parent_of", "Cleo")], progress=True)
    assert added.accepted == 2
    body = [["?x", "parent_of", "?y"], ["?y", "parent_of", "?z"]]
    sync_client.add_rules({"name": "grandparent", "head": ["?x", "grandparent_of", "?z"], "body": body})
    run = sync_client.recurse(wait=True)
    assert (run["status"], run["facts"]) == ("succeeded", 1)
    assert sync_client.run(run["run_id"])["status"] == "succeeded"
    [derived] = sync_client.triples(inferred=True)
    assert derived["object"] == "Cleo"
    proof = sync_client.explain(derived["id"])
    assert [premise["object"] for premise in proof.get("premises") or ()] == ["Bob", "Cleo"]
    assert sync_client.recurse(wait=30)["status"] == "unchanged"
    graph = graph_of_facts(sync_client.triples())
    assert sorted(nx.all_simple_paths(graph, "Ada", "Cleo"), key=len) == [["Ada", "Cleo"], ["Ada", "Bob", "Cleo"]]
    assert sync_client.add_many(facts_of_graph(graph)).duplicates == 2


def test_connections_that_break_lose_nothing_and_store_nothing_twice(one_service: Service) -> None:
    with BreakingProxy(one_service.port, breaks={2, 3, 5}) as proxy, Client(proxy.url, KEY) as client:
        added = client.add_many(facts(50), batch_size=10)
        # Two batches, one of them twice, were there already when they were sent again.
        assert (added.accepted, added.duplicates) == (30, 20)
        assert sorted(fact["subject"] for fact in client.triples()) == sorted(f"s{i}" for i in range(50))
        assert client.stats()["total_triples"] == 50
    assert proxy.broken == 3


def test_a_deletion_whose_answer_is_lost_is_done_and_a_new_rule_is_told(one_service: Service) -> None:
    with BreakingProxy(one_service.port, breaks={2, 4}) as proxy, Client(proxy.url, KEY) as client:
        client.delete(client.add("a", "p", "b")["id"])
        with pytest.raises(NoAnswer, match="No answer to POST /rules: "):
            client.add_rules({"symmetric": "p", "name": "both ways"})
        assert [rule["name"] for rule in client.rules()] == ["both ways"]
    assert proxy.broken == 2


def test_a_service_that_is_restarted_meanwhile_loses_nothing(one_service: Service) -> None:
    def restart() -> None:
        one_service.stop()
        one_service.start()

    restarted = threading.Thread(target=restart)
    with Client(one_service.url, KEY, options=Options(patience=60)) as client:
        restarted.start()
        added = client.add_many(facts(300), batch_size=1)
        restarted.join()
        assert added.done == client.stats()["total_triples"] == 300


def test_each_client_has_its_own_types(sync_client: Client) -> None:
    """The type checker holds them; here is what they are."""
    assert_type(sync_client.stats(), Stats)
    assert_type(sync_client.triples(), Iterator[Fact])
    assert_type(sync_client.delete_matching([None, "p", None]), Deletion)
    assert_type(Client.stats(), Call[Stats])
    others = AsyncClient()
    assert_type(others.triples(), AsyncIterator[Fact])
    assert_type(others.stats, Callable[[], Coroutine[Any, Any, Stats]])


@pytest.mark.process
def test_the_package_needs_no_django() -> None:
    code = "import sys, skg_site.client; sys.exit(any(name in sys.modules for name in ('django', 'pydantic', 'rich')))"
    assert subprocess.run([sys.executable, "-c", code], cwd=BASE_DIR, check=False).returncode == 0
