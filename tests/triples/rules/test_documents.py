"""`manage.py rules` takes what `POST /rules` takes, and shows it so that no terminal is turned."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.triples.rules.test_command import GRANDPARENT, as_json, failing, run, stored
from tests.triples.test_visible import DIRECTIONS

pytestmark = pytest.mark.usefixtures("database")

DOCUMENTS: list[Any] = [
    GRANDPARENT,
    {"symmetric": "near"},
    {"inverse": ["a", "b"]},
    [{"symmetric": "near"}, GRANDPARENT],
]


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_any_document_is_checked_previewed_and_loaded(tmp_path: Path, document: Any, encoding: str) -> None:
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(document), encoding=encoding)
    count = as_json("check", file)["rules"]
    previewed = as_json("preview", file)
    assert count == (len(previewed) if isinstance(previewed, list) else 1)
    assert run("preview", file).count(" by itself would derive 0 facts now.\n") == count
    assert len(as_json("load", file)["added"]) == count == len(stored())


def test_nothing_turns_the_direction_of_the_terminal(tmp_path: Path) -> None:
    name = "gpj.\u202eexe"
    document = {"name": name, "head": ["?x", name, "?y"], "body": [["?x", "b\u2066", "?y"]], "description": name}
    file = tmp_path / "rules.json"
    file.write_text(json.dumps([document]))
    other, faulty = tmp_path / "other.json", tmp_path / "faulty.json"
    other.write_text(json.dumps({**document, "weight": 0.5}))
    faulty.write_text(json.dumps({"symmetric": "a", name: 1}))
    printed = [
        run("load", file),
        run("preview", file),
        run("list"),
        run("list", "--json"),
        run("show", name),
        run("show", name, "--sql"),
        run("show", name, "--json"),
        run("disable", name),
        run("enable", name),
        failing("load", other)[1],
        failing("load", faulty)[0],
        run("delete", name, "--yes"),
    ]
    assert not set(DIRECTIONS).intersection("".join(printed))
    assert all("\\u202e" in text for text in printed[2:])
    assert json.loads(printed[6])["name"] == name
