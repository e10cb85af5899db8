"""`manage.py rules`, as an operator types it."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.support.facts import store
from triples.models import Rule, Term
from triples.recursion import presets
from triples.rules.documents import read_document
from triples.services import rules as services
from triples.services.rules import rules_add

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

GRANDPARENT: dict[str, Any] = {
    "name": "grandparent",
    "weight": 0.9,
    "head": ["?x", "grandparent_of", "?z"],
    "body": [["?x", "parent_of", "?y"], ["?y", "parent_of", "?z"]],
}
TEXT = "?x grandparent_of ?z  <-  ?x parent_of ?y, ?y parent_of ?z  (0.9)"


def run(*arguments: str | Path) -> str:
    output = io.StringIO()
    call_command("rules", *map(str, arguments), stdout=output, no_color=True)
    return output.getvalue()


def failing(*arguments: str | Path) -> tuple[str, str]:
    """What a command that fails prints, and the sentence that it ends with."""
    printed = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("rules", *map(str, arguments), stdout=printed, stderr=printed, no_color=True)
    assert caught.value.returncode == 1
    return printed.getvalue(), str(caught.value)


def as_json(*arguments: str | Path) -> Any:
    return json.loads(run(*arguments, "--json"))


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """A function that writes a file of rules."""

    def write_file(*documents: Any) -> Path:
        file = tmp_path / "rules.json"
        file.write_text(json.dumps(documents), encoding="utf-8")
        return file

    return write_file


def stored() -> dict[str, dict[str, Any]]:
    return {rule.name: rule.document for rule in Rule.objects.all()}


class TestLoading:
    def test_a_file_is_stored_with_its_shorthands(self, write: Any) -> None:
        file = write(GRANDPARENT, {"inverse": ["parent_of", "child_of"]})
        assert run("load", file) == "3 added, 0 replaced, 0 unchanged.\n"
        assert stored()["grandparent"] == GRANDPARENT | {"distinct": []}
        assert len(stored()) == 3

    def test_what_is_there_already_is_left_alone(self, write: Any) -> None:
        file = write(GRANDPARENT, {"symmetric": "near"})
        run("load", file)
        times = set(Rule.objects.values_list("id", "updated_at"))
        names = ["grandparent", "symmetric-near"]
        assert as_json("load", file) == {"added": [], "replaced": [], "unchanged": names, "dry_run": False}
        assert set(Rule.objects.values_list("id", "updated_at")) == times

    @pytest.mark.once
    def test_what_a_file_does_not_say_stays(self, write: Any) -> None:
        run("load", write(GRANDPARENT | {"description": "Kept."}))
        run("disable", "grandparent")
        assert as_json("load", write(GRANDPARENT))["unchanged"] == ["grandparent"]
        assert as_json("load", write(GRANDPARENT | {"weight": 0.5}), "--replace")["replaced"] == ["grandparent"]
        rule = Rule.objects.get()
        assert (rule.weight, rule.description, rule.enabled) == (0.5, "Kept.", False)

    def test_another_rule_of_the_same_name_is_an_error_unless_it_is_to_be_replaced(self, write: Any) -> None:
        run("load", write(GRANDPARENT))
        file = write({"symmetric": "near"}, GRANDPARENT | {"weight": 0.5})
        printed, sentence = failing("load", file)
        assert (printed, sentence) == ("", "There is a rule named grandparent already; nothing was stored.")
        assert stored().keys() == {"grandparent"}
        assert run("load", file, "--replace") == "1 added, 1 replaced, 0 unchanged.\n"
        assert stored()["grandparent"]["weight"] == 0.5

    def test_a_dry_run_stores_nothing(self, write: Any) -> None:
        run("load", write(GRANDPARENT))
        before = stored()
        file = write({"symmetric": "near"}, GRANDPARENT | {"weight": 0.5})
        told = run("load", file, "--replace", "--dry-run")
        assert told == "Nothing was stored; this would be 1 added, 1 replaced, 0 unchanged.\n"
        assert stored() == before
        assert failing("load", file, "--dry-run")[1].startswith("There is a rule named grandparent")

    @pytest.mark.once
    def test_every_fault_is_told_and_nothing_stored(self, write: Any) -> None:
        file = write(GRANDPARENT, {**GRANDPARENT, "weight": 2}, {"symmetric": 5}, GRANDPARENT, "x")
        printed, sentence = failing("load", file)
        assert printed.splitlines() == [
            f"{file}:1.weight: must be above 0 and at most 1",
            f"{file}:2.symmetric: must be a text",
            f"{file}:3: the rule grandparent stands at 0 already",
            f"{file}:4: must be an object",
        ]
        assert sentence == "4 faults found; nothing was stored."
        assert stored() == {}

    @pytest.mark.once
    def test_a_rule_that_is_too_large_is_told_with_its_place(self, write: Any) -> None:
        large = {**GRANDPARENT, "name": "large", "body": [["x" * 500, "p", "?x"], ["?x", "p", "?z"]] * 4}
        file = write(
            GRANDPARENT, {**large, "description": "x" * 2000}, {**GRANDPARENT, "distinct": [["?x", "?z"]] * 51}
        )
        printed, _ = failing("load", file)
        assert printed.splitlines() == [
            f"{file}:1: must have at most 4,000 characters in all of its texts, not 4,055",
            f"{file}:2.distinct: must have at most 50 pairs, not 51",
        ]
        assert stored() == {}

    @pytest.mark.once
    def test_standard_input_is_a_file_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        typed = io.TextIOWrapper(io.BytesIO(json.dumps([{"symmetric": "near"}]).encode()))
        monkeypatch.setattr("sys.stdin", typed)
        assert run("load", "-") == "1 added, 0 replaced, 0 unchanged.\n"

    @pytest.mark.once
    @pytest.mark.parametrize("name", presets.names())
    def test_each_preset_loads(self, name: str) -> None:
        added = as_json("load", "--preset", name)["added"]
        assert sorted(stored()) == added
        assert as_json("load", "--preset", name)["unchanged"] == added

    @pytest.mark.once
    def test_a_preset_that_this_graph_does_not_take_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from triples.text import clean_guide_term

        monkeypatch.setattr("triples.rules.documents.asked_predicate", clean_guide_term)
        printed, sentence = failing("load", "--preset", "rdfs")
        assert "rdfs:rdfs7-sub-property.body.0.1: must consist of letters, digits, spaces, - and _ only" in printed
        assert sentence.endswith("nothing was stored.")
        assert stored() == {}

    @pytest.mark.once
    @pytest.mark.parametrize("arguments", [[], ["a.json", "--preset", "rdfs"], ["--preset", "nothing"]])
    def test_a_file_or_a_preset_is_named(self, arguments: list[str]) -> None:
        with pytest.raises(CommandError, match="Error: "):
            run("load", *arguments)

    @pytest.mark.once
    def test_there_are_only_so_many_rules(self, write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("triples.services.rules.MAX_RULES", 1)
        assert "at most 1 rules" in failing("load", write({"inverse": ["a", "b"]}))[1]
        assert stored() == {}

    def test_a_rule_that_another_host_has_just_stored_is_an_error(
        self, write: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run("load", write(GRANDPARENT))
        look = services._known
        looks: list[Any] = [lambda _: {}]

        def late(drafts: Any) -> Any:
            return (looks.pop() if looks else look)(drafts)

        monkeypatch.setattr(services, "_known", late)
        file = write({"symmetric": "near"}, GRANDPARENT)
        assert failing("load", file)[1] == "There is a rule named grandparent already; nothing was stored."
        assert stored().keys() == {"grandparent"}


@pytest.mark.once
class TestChecking:
    def test_a_good_file_is_good(self, write: Any) -> None:
        file = write(GRANDPARENT, {"inverse": ["a", "b"]})
        assert run("check", file) == "3 rules, no fault found.\n"
        assert as_json("check", file) == {"rules": 3, "errors": []}
        assert run("check", write(GRANDPARENT)) == "1 rule, no fault found.\n"
        assert stored() == {}

    def test_every_fault_has_its_place(self, write: Any) -> None:
        faulty = write({**GRANDPARENT, "head": ["?new", "p", "?z"]}, {"chain": ["a", "b"]})
        printed, sentence = failing("check", faulty, "--json")
        assert json.loads(printed) == {
            "errors": [
                {"loc": [0, "head", 0], "msg": "the variable ?new must stand in the body too"},
                {"loc": [1, "gives"], "msg": "is missing"},
            ]
        }
        assert sentence == "2 faults found; nothing was stored."

    @pytest.mark.parametrize(
        ("content", "printed", "sentence"),
        [
            (b"[", "", "{file} is not JSON: EOF while parsing a list at line 1 column 1."),
            (b"\xff", "", "{file} is not JSON: "),
            (b"{}", "{file}:name: is missing\n", "1 fault found; nothing was stored."),
            (b'"x"', "{file}: must be a rule, or an array of rules\n", "1 fault found; nothing was stored."),
            (b'{"symmetric": 5}', "{file}:symmetric: must be a text\n", "1 fault found; nothing was stored."),
            ("[]".encode("utf-16"), "", "{file} is UTF-16, not UTF-8; `iconv -f UTF-16 -t UTF-8` makes it that."),
            ("[]".encode("utf-16-le"), "", "{file} is UTF-16LE, not UTF-8;"),
            (b'[{"name": "a", "name": "b"}]', "{file}: Detected duplicate key", "1 fault found; nothing was stored."),
        ],
    )
    def test_what_is_no_file_of_rules_is_told(
        self, tmp_path: Path, content: bytes, printed: str, sentence: str
    ) -> None:
        file = tmp_path / "rules.json"
        file.write_bytes(content)
        shown, told = failing("check", file)
        assert shown.startswith(printed.format(file=file))
        assert told.startswith(sentence.format(file=file))

    def test_a_file_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        assert failing("check", tmp_path / "x.json")[1] == f"{tmp_path}/x.json: No such file or directory."


class TestStoredRules:
    @pytest.fixture(autouse=True)
    def rules(self) -> None:
        rules_add(drafts=read_document(GRANDPARENT | {"description": "A parent's parent."}))
        rules_add(drafts=read_document({"symmetric": "near", "name": "n", "enabled": False}))

    def test_they_are_listed_by_name(self) -> None:
        assert run("list").splitlines() == [
            f"grandparent  enabled   {TEXT}",
            "n            disabled  ?y near ?x  <-  ?x near ?y",
        ]
        assert [(rule["name"], rule["enabled"], rule["weight"]) for rule in as_json("list")] == [
            ("grandparent", True, 0.9),
            ("n", False, 1.0),
        ]

    @pytest.mark.parametrize("at_once", [1, 2])
    def test_they_are_read_a_few_at_a_time(self, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = run("list"), as_json("list")
        monkeypatch.setattr("triples.services.rules.RULES_AT_ONCE", at_once)
        assert (run("list"), as_json("list")) == whole

    @pytest.mark.once
    def test_an_empty_list_says_so(self) -> None:
        Rule.objects.all().delete()
        assert run("list").startswith("There are no rules yet.")
        assert as_json("list") == []

    @pytest.mark.once
    def test_one_is_shown(self) -> None:
        assert run("show", "grandparent").splitlines() == ["grandparent (enabled)", TEXT, "A parent's parent."]
        assert as_json("show", "grandparent")["text"] == TEXT
        assert failing("show", "x")[1] == "There is no rule named x; `manage.py rules list` shows all."

    def test_its_sql_is_shown_with_the_ids_of_its_terms(self) -> None:
        store(("Ann", "parent_of", "Bob"))
        term = Term.objects.get(text="parent_of")
        sql = run("show", "grandparent", "--sql")
        assert f"{term.pk} /* parent_of */" in sql
        assert "-1 /* grandparent_of */" in sql
        assert sql.count("SELECT") == 2
        assert as_json("show", "grandparent", "--sql")["sql"] == sql.rstrip("\n")

    @pytest.mark.once
    def test_they_are_enabled_and_disabled(self) -> None:
        assert run("disable", "grandparent", "n") == "Disabled: grandparent, n.\n"
        assert not Rule.objects.filter(enabled=True).exists()
        assert [rule["enabled"] for rule in as_json("enable", "n")] == [True]
        assert failing("enable", "grandparent", "x")[1].startswith("There is no rule named x;")
        assert list(Rule.objects.filter(enabled=True).values_list("name", flat=True)) == ["n"]

    @pytest.mark.once
    @pytest.mark.parametrize("asked", ["pe\u0300re", " p\u00e8re"])
    def test_names_are_looked_up_as_they_are_kept(self, asked: str) -> None:
        rules_add(drafts=read_document({"symmetric": "near", "name": "pe\u0300re "}))
        assert as_json("show", asked)["name"] == "p\u00e8re"
        assert run("disable", asked) == "Disabled: p\u00e8re.\n"
        assert run("enable", asked) == "Enabled: p\u00e8re.\n"
        assert as_json("delete", asked, "--yes") == {"deleted": ["p\u00e8re"]}

    @pytest.mark.once
    @pytest.mark.parametrize("action", ["show", "enable", "disable", "delete"])
    def test_an_unknown_or_empty_name_is_a_sentence(self, action: str) -> None:
        for name in ("no such", "", " "):
            assert failing(action, name)[1].startswith("There is no rule named ")

    @pytest.mark.once
    def test_one_is_deleted_once_confirmed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr("builtins.input", lambda _: "n")
        assert failing("delete", "n")[1] == "Nothing was deleted."
        monkeypatch.setattr("builtins.input", lambda _: "y")
        assert run("delete", "n") == "The rule n is deleted.\n"
        assert as_json("delete", "grandparent", "--yes") == {"deleted": ["grandparent"]}
        assert stored() == {}

    @pytest.mark.once
    def test_several_are_deleted_or_none(self) -> None:
        assert failing("delete", "n", "x", "--yes")[1].startswith("There is no rule named x;")
        assert len(stored()) == 2
        assert run("delete", "n", "grandparent", "n", "--yes") == "2 rules (n, grandparent) are deleted.\n"
        assert stored() == {}

    @pytest.mark.once
    def test_a_preset_goes_as_it_came(self) -> None:
        run("load", "--preset", "rdfs")
        names = [rule.name for rule in presets.load("rdfs")]
        run("delete", names[0], "--yes")
        assert as_json("disable", "--preset", "rdfs")[0]["name"] == names[1]
        assert as_json("delete", "--preset", "rdfs", "--yes") == {"deleted": names[1:]}
        assert sorted(stored()) == ["grandparent", "n"]
        assert failing("delete", "--preset", "rdfs", "--yes")[1] == "No rule of the preset rdfs is stored."

    @pytest.mark.once
    @pytest.mark.parametrize("arguments", [[], ["n", "--preset", "rdfs"]])
    def test_rules_are_named_by_themselves_or_by_their_preset(self, arguments: list[str]) -> None:
        with pytest.raises(CommandError, match="Name the rules, or give --preset") as caught:
            call_command("rules", "delete", *arguments)
        assert caught.value.returncode == 2

    @pytest.mark.once
    def test_nobody_is_asked_where_nobody_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO())
        assert "--yes deletes without asking" in failing("delete", "n")[1]
        assert len(stored()) == 2
