"""/rules: rules stored, shown, changed and deleted, and what is refused with its place."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.conftest import IssueKey
from tests.support.database import in_orm
from triples.models import Rule

pytestmark = pytest.mark.both

GRANDPARENT: dict[str, Any] = {
    "name": "grandparent",
    "weight": 0.9,
    "head": ["?x", "grandparent_of", "?z"],
    "body": [["?x", "parent_of", "?y"], ["?y", "parent_of", "?z"]],
    "distinct": [["?x", "?z"]],
}
TEXT = "?x grandparent_of ?z  <-  ?x parent_of ?y, ?y parent_of ?z  (0.9, ?x != ?z)"


async def add(api: httpx.AsyncClient, **members: Any) -> httpx.Response:
    return await api.post("/rules", json=GRANDPARENT | members)


async def names(api: httpx.AsyncClient) -> list[str]:
    return [rule["name"] for rule in (await api.get("/rules")).json()["rules"]]


def faults(answer: httpx.Response) -> list[tuple[list[Any], str]]:
    assert answer.status_code == 422, answer.text
    return [(error["loc"], error["msg"]) for error in answer.json()["errors"]]


async def test_a_rule_is_stored_and_shown(api: httpx.AsyncClient) -> None:
    answer = await add(api, description="A parent's parent.")
    assert answer.status_code == 201
    [stored] = answer.json()["rules"]
    assert stored["created_at"] == stored["updated_at"]
    times = {"created_at": stored["created_at"], "updated_at": stored["updated_at"]}
    assert stored == GRANDPARENT | {"description": "A parent's parent.", "enabled": True, "text": TEXT} | times
    shown = await api.get("/rules/grandparent")
    assert (shown.status_code, shown.json()) == (200, stored)
    assert (await api.get("/rules")).json() == {"rules": [stored], "next_cursor": None}


async def test_a_predicate_without_facts_is_a_warning(api: httpx.AsyncClient) -> None:
    await api.post("/triples/add", json={"subject": "Ann", "predicate": "parents_of", "object": "Bob"})
    told = "There is no predicate parent_of yet; did you mean parents_of?"
    answer = await add(api)
    assert answer.status_code == 201
    assert answer.json()["warnings"] == [
        {"predicate": "parent_of", "did_you_mean": ["parents_of"], "msg": told},
    ]
    await api.post("/triples/add", json={"subject": "Ann", "predicate": "parent_of", "object": "Bob"})
    assert (await add(api, name="another")).json()["warnings"] == []


async def test_what_is_left_out_has_its_default(api: httpx.AsyncClient) -> None:
    answer = await api.post("/rules", json={name: GRANDPARENT[name] for name in ("name", "head", "body")})
    [stored] = answer.json()["rules"]
    assert [stored[name] for name in ("weight", "distinct", "description", "enabled")] == [1.0, [], "", True]


async def test_rules_are_listed_by_name(api: httpx.AsyncClient) -> None:
    for name in ("b", "é", "B", "a c", "a-b", "ab"):
        await add(api, name=name)
    assert await names(api) == sorted(["b", "é", "B", "a c", "a-b", "ab"])


async def test_a_shorthand_is_stored_as_the_rules_it_stands_for(api: httpx.AsyncClient) -> None:
    answer = await api.post("/rules", json={"inverse": ["parent_of", "child_of"], "weight": 0.5, "enabled": False})
    assert answer.status_code == 201
    stored = answer.json()["rules"]
    assert [(rule["name"], rule["weight"], rule["enabled"]) for rule in stored] == [
        ("inverse-parent_of-child_of", 0.5, False),
        ("inverse-child_of-parent_of", 0.5, False),
    ]
    assert stored[0]["head"] == ["?y", "child_of", "?x"]
    assert await names(api) == ["inverse-child_of-parent_of", "inverse-parent_of-child_of"]


async def test_an_array_is_stored_as_the_rules_of_each(api: httpx.AsyncClient) -> None:
    answer = await api.post("/rules", json=[{"symmetric": "near"}, {"inverse": ["a", "b"], "enabled": False}])
    assert answer.status_code == 201
    stored = {rule["name"]: rule["enabled"] for rule in answer.json()["rules"]}
    assert stored == {"symmetric-near": True, "inverse-a-b": False, "inverse-b-a": False}
    again = await api.post("/rules", json=[{"symmetric": "far"}, {"symmetric": "near"}])
    assert (again.status_code, len(await names(api))) == (409, 3)


async def test_every_fault_of_an_array_is_told(api: httpx.AsyncClient) -> None:
    answer = await api.post("/rules", json=[{"symmetric": "near"}, {"symmetric": 5}, 7, {"chain": ["a", "b"]}])
    assert [loc for loc, _ in faults(answer)] == [[1, "symmetric"], [2], [3, "gives"]]
    assert await names(api) == []


async def test_texts_are_brought_into_shape_and_question_marks_kept_apart(api: httpx.AsyncClient) -> None:
    body = [["?x", " cafe\u0301 ", {"term": "?why"}]]
    [stored] = (await add(api, name=" caf\u00e9 rule ", head=["?x", "is", "odd"], body=body, distinct=[])).json()[
        "rules"
    ]
    assert (stored["name"], stored["body"]) == ("caf\u00e9 rule", [["?x", "caf\u00e9", {"term": "?why"}]])


@pytest.mark.parametrize("name", ["a/b", "100%", "?x", "né", "a b", "#1", "rules", "a/", "..x", "...", "%41", "a;b=c"])
async def test_any_name_is_found_by_its_percent_encoded_path(api: httpx.AsyncClient, name: str) -> None:
    assert (await add(api, name=name)).status_code == 201
    path = f"/rules/{quote(name, safe='')}"
    shown = await api.get(path)
    assert (shown.status_code, shown.json()["name"]) == (200, name)
    assert (await api.patch(path, json={"weight": 0.5})).json()["weight"] == 0.5
    assert (await api.delete(path)).status_code == 204
    assert await names(api) == []


@pytest.mark.parametrize("asked", ["pe%CC%80re", "p%C3%A8re", "%20pe%CC%80re", "%C2%A0p%C3%A8re"])
async def test_a_path_is_looked_up_as_names_are_kept(api: httpx.AsyncClient, asked: str) -> None:
    await add(api, name="pe\u0300re ")
    path = f"/rules/{asked}"
    assert (await api.get(path)).json()["name"] == "p\u00e8re"
    assert (await api.patch(path, json={"weight": 0.5})).json()["weight"] == 0.5
    assert (await api.delete(path)).status_code == 204


@pytest.mark.once
@pytest.mark.parametrize(
    ("members", "loc", "message"),
    [
        ({"name": ""}, ["name"], "Must not be empty"),
        ({"name": 5}, ["name"], "Must be a text"),
        ({"name": "."}, ["name"], 'Must not be "." or "..", which no URL ends with'),
        ({"name": " .."}, ["name"], 'Must not be "." or "..", which no URL ends with'),
        ({"name": "x" * 101}, ["name"], "Must have at most 100 characters, not 101"),
        ({"name": "a\x00"}, ["name"], "Must not contain the control character U+0000"),
        ({"weight": 0}, ["weight"], "Must be above 0 and at most 1"),
        ({"weight": 1.5}, ["weight"], "Must be above 0 and at most 1"),
        ({"weight": "0.5"}, ["weight"], "Must be a number"),
        ({"weight": True}, ["weight"], "Must be a number"),
        ({"head": ["?x", "?new", "?z"]}, ["head", 1], "The variable ?new must stand in the body too"),
        ({"head": ["?x", "p"]}, ["head"], "Must have three places: subject, predicate and object; here are 2"),
        ({"head": ["?x", "p", None]}, ["head", 2], None),
        ({"body": []}, ["body"], "Must have 1 to 8 patterns, not 0"),
        ({"body": [["?x", "p", "?z"]] * 9}, ["body"], "Must have 1 to 8 patterns, not 9"),
        ({"body": [["?x", "p", "?z"], ["?x", "p", "a\tb"]]}, ["body", 1, 2], None),
        ({"body": [["?x", "p" * 501, "?z"]]}, ["body", 0, 1], "Must have at most 500 characters, not 501"),
        ({"distinct": [["?x", "?w"]]}, ["distinct", 0, 1], "The variable ?w must stand in the body"),
        ({"distinct": [["?x", "?x"]]}, ["distinct", 0], "?x never differs from itself"),
        ({"description": None}, ["description"], "Must be a text"),
        ({"description": "x" * 2001}, ["description"], "Must have at most 2,000 characters, not 2,001"),
        ({"description": "a\x00"}, ["description"], "Must not contain NUL or a lone surrogate"),
        ({"enabled": 1}, ["enabled"], "Must be true or false"),
        ({"enabled": None}, ["enabled"], "Must be true or false"),
        ({"colour": "red"}, ["colour"], "Is not known here"),
        ({"transitive": "p"}, None, None),
    ],
)
async def test_nonsense_is_refused_with_its_place(
    api: httpx.AsyncClient, members: dict[str, Any], loc: list[Any] | None, message: str | None
) -> None:
    [fault] = faults(await add(api, **members))
    assert loc is None or fault[0] == loc
    assert message is None or fault[1] == message
    assert await names(api) == []


@pytest.mark.once
@pytest.mark.parametrize(
    ("document", "loc"),
    [
        ([], []),
        ("x", []),
        (["x"], [0]),
        ([{"symmetric": "p"}, {"symmetric": 5}], [1, "symmetric"]),
        ([{"symmetric": "p"}, {"symmetric": "p"}], [1]),
        ({}, ["name"]),
        ({"transitive": ["p"]}, ["transitive"]),
        ({"inverse": ["p", "p"]}, ["inverse"]),
        ({"chain": ["p", "q"]}, ["gives"]),
        ({"symmetric": "p", "gives": "q"}, ["gives"]),
    ],
)
async def test_what_is_no_rule_is_refused(api: httpx.AsyncClient, document: Any, loc: list[Any]) -> None:
    assert [fault[0] for fault in faults(await api.post("/rules", json=document))] == [loc]


async def test_a_name_that_is_taken_is_a_conflict_and_nothing_is_stored(api: httpx.AsyncClient) -> None:
    await add(api, name="inverse-b-a")
    answer = await api.post("/rules", json={"inverse": ["a", "b"]})
    assert answer.status_code == 409
    assert answer.json()["detail"] == "There is a rule named inverse-b-a already; nothing was stored."
    assert await names(api) == ["inverse-b-a"]


@pytest.mark.once
async def test_there_are_only_so_many_rules(api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triples.services.rules.MAX_RULES", 2)
    await add(api)
    answer = await api.post("/rules", json={"inverse": ["a", "b"]})
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "There may be at most 2 rules; nothing was stored.",
    )
    assert (await api.post("/rules", json={"symmetric": "a"})).status_code == 201


@pytest.mark.once
async def test_terms_are_held_to_what_this_graph_takes(api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from triples.text import clean_guide_term

    monkeypatch.setattr("triples.rules.documents.asked_text", clean_guide_term)
    [fault] = faults(await add(api, body=[["?x", "p", "?z"], ["?x", "is_a", "dog.n.01"]]))
    assert fault == (["body", 1, 2], "Must consist of letters, digits, spaces, - and _ only")


class TestChanging:
    @pytest.fixture
    async def tag(self, api: httpx.AsyncClient) -> str:
        """The stored rule's entity tag."""
        await add(api)
        return (await api.get("/rules/grandparent")).headers["ETag"]

    async def change(self, api: httpx.AsyncClient, if_match: str | None = None, **members: Any) -> httpx.Response:
        headers = {} if if_match is None else {"If-Match": if_match}
        return await api.patch("/rules/grandparent", json=members, headers=headers)

    @pytest.mark.parametrize(
        "members",
        [
            {"weight": 0.25},
            {"head": ["?z", "grandchild_of", "?x"]},
            {"body": [["?x", "p", "?z"]], "distinct": []},
            {"distinct": []},
            {"description": "Changed."},
            {"enabled": False},
        ],
    )
    async def test_what_is_named_changes_and_the_rest_stays(
        self, api: httpx.AsyncClient, tag: str, members: dict[str, Any]
    ) -> None:
        before = (await api.get("/rules/grandparent")).json()
        answer = await self.change(api, tag, **members)
        assert answer.status_code == 200
        after = answer.json()
        derived = {"text": after["text"], "updated_at": after["updated_at"]}
        assert after == before | members | derived
        assert answer.headers["ETag"] != tag
        assert (await api.get("/rules/grandparent")).json() == after

    async def test_what_it_is_already_changes_nothing(self, api: httpx.AsyncClient, tag: str) -> None:
        answer = await self.change(api, weight=0.9, enabled=True)
        assert (answer.status_code, answer.headers["ETag"]) == (200, tag)

    @pytest.mark.once
    @pytest.mark.parametrize(
        ("members", "loc"),
        [
            ({}, []),
            ({"name": "other"}, ["name"]),
            ({"weight": None}, ["weight"]),
            ({"body": [["?x", "p", "?y"]]}, ["head", 2]),
            ({"distinct": [["?x", "?u"]]}, ["distinct", 0, 1]),
            ({"transitive": "p"}, ["transitive"]),
            ({"enabled": "no"}, ["enabled"]),
        ],
    )
    async def test_a_bad_change_is_named_and_changes_nothing(
        self, api: httpx.AsyncClient, tag: str, members: dict[str, Any], loc: list[Any]
    ) -> None:
        assert [fault[0] for fault in faults(await self.change(api, **members))] == [loc]
        assert (await api.get("/rules/grandparent")).headers["ETag"] == tag

    async def test_a_version_that_has_passed_is_refused(self, api: httpx.AsyncClient, tag: str) -> None:
        now = (await self.change(api, tag, weight=0.5)).headers["ETag"]
        assert (await self.change(api, tag, weight=0.7)).status_code == 412
        stale = await api.delete("/rules/grandparent", headers={"If-Match": tag})
        assert stale.status_code == 412
        assert stale.json()["detail"] == "The rule has changed since the version that If-Match names."
        assert (await api.delete("/rules/grandparent", headers={"If-Match": f'"other", {now}'})).status_code == 204

    async def test_who_has_it_already_is_told_so(self, api: httpx.AsyncClient, tag: str) -> None:
        known = {"If-None-Match": tag}
        answer = await api.get("/rules/grandparent", headers=known)
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
        await self.change(api, weight=0.5)
        assert (await api.get("/rules/grandparent", headers=known)).json()["weight"] == 0.5

    async def test_a_rule_that_is_added_again_is_another(self, api: httpx.AsyncClient, tag: str) -> None:
        await api.delete("/rules/grandparent")
        await add(api)
        assert (await self.change(api, tag, weight=0.7)).status_code == 412

    async def test_a_deleted_rule_is_gone(self, api: httpx.AsyncClient, tag: str) -> None:
        answer = await api.delete("/rules/grandparent")
        assert (answer.status_code, answer.content) == (204, b"")
        for again in (
            await api.get("/rules/grandparent"),
            await self.change(api, weight=1),
            await api.delete("/rules/grandparent"),
        ):
            assert (again.status_code, again.json()["detail"]) == (404, "There is no rule with this name.")


# nginx refuses it itself.
ZERO = pytest.param("%00", marks=pytest.mark.in_process)


@pytest.mark.parametrize("name", ["nothing", ZERO, "%09", "x" * 101, "%20", "%0A"])
async def test_a_name_that_no_rule_has_is_not_found(api: httpx.AsyncClient, name: str) -> None:
    for method in ("GET", "DELETE"):
        assert (await api.request(method, f"/rules/{name}")).status_code == 404


async def test_readers_read_and_only_the_scope_recurse_changes(
    anonymous: httpx.AsyncClient, issue_key: IssueKey
) -> None:
    reader = {"Authorization": f"Bearer {issue_key(scopes=['read'])}"}
    writer = {"Authorization": f"Bearer {issue_key(scopes=['write', 'admin'])}"}
    assert (await anonymous.get("/rules", headers=reader)).status_code == 200
    for headers in (reader, writer):
        assert (await anonymous.post("/rules", json=GRANDPARENT, headers=headers)).status_code == 403
        assert (await anonymous.delete("/rules/grandparent", headers=headers)).status_code == 403
    assert not in_orm(Rule.objects.exists)
