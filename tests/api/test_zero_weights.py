"""A weight of -0.0 is 0.0, by every way in: the same answers, entity tags and exports."""

from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from django.core.management import call_command

from triples.models import Triple

pytestmark = [pytest.mark.both, pytest.mark.in_process]

FACT = {"subject": "Kepler", "predicate": "doubted", "object": "Epicycles"}


def negative(**members: Any) -> dict[str, Any]:
    """A request's body, as httpx takes it, in which null stands for -0.0."""
    content = orjson.dumps(members).replace(b"null", b"-0.0")
    return {"content": content, "headers": {"Content-Type": "application/json"}}


async def only_fact(api: httpx.AsyncClient) -> dict[str, Any]:
    """The graph's only fact, after seeing that it is answered in one way and exported so."""
    answer = await api.get("/triples?min_weight=-0.0")
    assert "-0.0" not in answer.text
    [row] = answer.json()["triples"]
    shown = await api.get(f"/triples/{row['id']}")
    assert shown.json() == row
    found: dict[str, Any] = row
    return found


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/triples/add", negative(**FACT, weight=None)),
        ("/triples/batch", negative(triples=[FACT | {"weight": None}])),
        ("/triples/batch", negative(triples=[FACT | {"weight": None}], skip_invalid=True)),
    ],
    ids=["add", "batch", "batch that may leave some out"],
)
async def test_a_fact_is_stored_with_nought(api: httpx.AsyncClient, path: str, body: dict[str, Any]) -> None:
    answer = await api.post(path, **body)
    assert answer.is_success, answer.text
    assert "-0.0" not in answer.text
    await only_fact(api)


async def test_a_change_to_nought_has_the_tag_that_is_shown_afterwards(api: httpx.AsyncClient) -> None:
    path = f"/triples/{(await api.post('/triples/add', json=FACT)).json()['id']}"
    changed = await api.patch(path, **negative(weight=None))
    assert (changed.status_code, "-0.0" in changed.text) == (200, False)
    shown = await api.get(path)
    assert (shown.text, shown.headers["ETag"]) == (changed.text, changed.headers["ETag"])
    again = await api.patch(path, json={"metadata": {"a": 1}}, headers={"If-Match": changed.headers["ETag"]})
    assert again.status_code == 200


async def test_the_least_weight_may_be_nought(api: httpx.AsyncClient, no_process: list[list[str]]) -> None:
    await api.post("/triples/add", json=FACT | {"weight": 0})
    query = orjson.dumps({"pattern": [None, None, None]})[:-1] + b',"min_weight":-0.0}'
    found = await api.post("/query", content=query, headers={"Content-Type": "application/json"})
    assert (found.json()["total"], "-0.0" in found.text) == (1, False)
    run = await api.post("/recurse", **negative(min_weight=None))
    assert (run.status_code, "-0.0" in run.text) == (202, False)


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("Kepler\tdoubted\tEpicycles\t-0.0\n", []),
        ("Kepler\tdoubted\tEpicycles\n", ["--weight=-0.0"]),
        # The lightest end of a scale that is turned round is -0.0 by itself.
        ("Kepler\tdoubted\tEpicycles\t1\n", ["--scale-weights=1:0"]),
    ],
    ids=["in the file", "as the default", "scaled"],
)
def test_an_import_stores_nought(database: None, tmp_path: Path, line: str, options: list[str]) -> None:
    file, exported = tmp_path / "facts.tsv", tmp_path / "exported.tsv"
    file.write_text(line)
    call_command("import_triples", str(file), *options)
    [fact] = Triple.objects.all()
    assert repr(fact.weight) == "0.0"
    call_command("export_triples", str(exported))
    assert exported.read_text() == "Kepler\tdoubted\tEpicycles\t0.0\n"
