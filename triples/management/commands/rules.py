"""`manage.py rules load|list|show|check|preview|enable|disable|delete`"""

import json
import textwrap
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django.core.management import CommandError, CommandParser

from skg_site.cli.arguments import add_action
from skg_site.cli.base_command import ServiceCommand
from skg_site.cli.exit_codes import FAILED, MISUSED
from skg_site.cli.failures import database_failures_told
from skg_site.cli.prompts import confirm
from triples.models import Rule as StoredRule
from triples.recursion import presets
from triples.recursion.rules import rule_text
from triples.rules.documents import Fault, FaultyRules, preset_rules
from triples.rules.files import UnreadableFile, read_file, shown_name
from triples.rules.responses import rule_content
from triples.rules.sql import stored_rule_sql
from triples.runs.previews import Preview, TooMuch
from triples.services.missing_predicates import missing_predicates
from triples.services.rules import (
    Loaded,
    NoSuchRule,
    RulesError,
    rule_find,
    rules_delete,
    rules_enable,
    rules_in_order,
    rules_load,
)
from triples.visible import visible, visible_json

FILE_HELP = "a rule, a shorthand, or a JSON array of them; - for standard input"


class Command(ServiceCommand):
    help = (
        "Load, show, check and remove the rules by which new facts are derived. What is changed holds from the next "
        "run on. Exit code 0 when it is done, 1 when it could not be done, 2 when the command line makes no sense."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(title="actions", dest="action", required=True, metavar="ACTION")
        load = add_action(actions, "load", self.load, "store the rules of a file, all or none")
        source = load.add_mutually_exclusive_group(required=True)
        source.add_argument("file", nargs="?", metavar="FILE", help=FILE_HELP)
        source.add_argument("--preset", choices=presets.names(), help="rules that come with the service")
        load.add_argument("--replace", action="store_true", help="put them in the place of others of the same names")
        load.add_argument("--dry-run", action="store_true", help="say what would be done, and store nothing")
        add_action(actions, "list", self.list_rules, "show all rules, by name")
        show = add_action(actions, "show", self.show, "show one rule")
        show.add_argument("name")
        show.add_argument("--sql", action="store_true", help="what the engine asks for it in a round")
        check = add_action(actions, "check", self.check_file, "look for every fault in a file, and store nothing")
        check.add_argument("file", metavar="FILE", help=FILE_HELP)
        preview = add_action(actions, "preview", self.preview, "say what one rule would derive now, and store nothing")
        preview.add_argument("file", metavar="FILE", help=FILE_HELP)
        for name, enabled, text in (
            ("enable", True, "have runs apply rules"),
            ("disable", False, "have runs leave rules out; what they derived goes with the next run"),
        ):
            action = add_action(actions, name, partial(self.set_enabled, enabled=enabled), text)
            _add_names(action)
        delete = add_action(actions, "delete", self.delete, "remove rules; what they derived goes with the next run")
        _add_names(delete)
        delete.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *_: Any, run: Callable[..., None], **options: Any) -> None:
        try:
            with database_failures_told():
                run(options)
        except FaultyRules as error:
            self._show_faults(error.faults, options)
            count = f"{len(error.faults)} fault{'s' if len(error.faults) > 1 else ''}"
            raise CommandError(f"{count} found; nothing was stored.", returncode=FAILED) from None
        except (RulesError, UnreadableFile) as error:
            raise CommandError(visible(str(error)), returncode=FAILED) from None

    def load(self, options: dict[str, Any]) -> None:
        drafts = preset_rules(options["preset"]) if options["preset"] else read_file(options["file"])
        loaded = rules_load(drafts=drafts, replace=options["replace"], dry_run=options["dry_run"])
        if options["json"]:
            self._write_json({**loaded._asdict(), "dry_run": options["dry_run"]})
            return
        told = "Nothing was stored; this would be " if options["dry_run"] else ""
        self.stdout.write(f"{told}{_told(loaded)}.", self.style.SUCCESS)

    def list_rules(self, options: dict[str, Any]) -> None:
        if options["json"]:
            self._write_json_array(rule_content(rule) for rule in rules_in_order())
            return
        longest = max(map(len, StoredRule.objects.values_list("name", flat=True)), default=0)
        for rule in rules_in_order():
            state = "enabled " if rule.enabled else "disabled"
            self.stdout.write(visible(f"{rule.name.ljust(longest)}  {state}  {rule_text(rule.parsed)}"))
        if not longest:
            self.stdout.write("There are no rules yet. `manage.py rules load` stores some.")

    def show(self, options: dict[str, Any]) -> None:
        rule = _found(options["name"])
        sql = stored_rule_sql(rule) if options["sql"] else None
        if options["json"]:
            self._write_json(rule_content(rule) | ({} if sql is None else {"sql": sql}))
        elif sql is not None:
            self.stdout.write(sql)
        else:
            self.stdout.write(visible(f"{rule.name} ({'enabled' if rule.enabled else 'disabled'})"))
            self.stdout.write(rule_text(rule.parsed))
            for line in rule.description.splitlines():
                self.stdout.write(visible(line))

    def check_file(self, options: dict[str, Any]) -> None:
        drafts = read_file(options["file"])
        if options["json"]:
            self._write_json({"rules": len(drafts), "errors": []})
        else:
            self.stdout.write(f"{_count(len(drafts))}, no fault found.", self.style.SUCCESS)

    def preview(self, options: dict[str, Any]) -> None:
        # Imported here: the engine takes a while to load.
        from triples.runs.previewing import derive_preview  # noqa: PLC0415

        drafts = read_file(options["file"])
        contents: list[dict[str, Any]] = []
        for draft in drafts:
            try:
                found = derive_preview(draft.rule)
            except TooMuch as error:
                if not options["json"]:
                    raise CommandError(str(error), returncode=FAILED) from None
                contents.append({"too_much": True})
                continue
            contents.append({"too_much": False, **found.content})
            if not options["json"]:
                self._show_preview("This rule" if len(drafts) == 1 else draft.rule.name, found)
        missing = missing_predicates([draft.rule for draft in drafts])
        for one in missing:
            self.stderr.write(str(one), self.style.WARNING)
        if options["json"]:
            named = [{"name": draft.rule.name, **content} for draft, content in zip(drafts, contents, strict=True)]
            self._write_json(contents[0] if len(drafts) == 1 else named)

    def _show_preview(self, rule: str, found: Preview) -> None:
        self.stdout.write(visible(f"{rule} by itself would derive {found.number} now. {found.extent}".rstrip()))
        for example in found.examples:
            self.stdout.write(visible("  {} {} {}  {:g}".format(*example)))

    def delete(self, options: dict[str, Any]) -> None:
        names = _chosen(options)
        told = f"The rule {names[0]}" if len(names) == 1 else f"{_count(len(names))} ({', '.join(names)})"
        if not options["yes"]:
            question = f"Delete {told[0].lower()}{told[1:]}?"
            confirm(visible(question), refusal="Nothing was deleted.", yes_means="deletes")
        rules_delete(names=names)
        if options["json"]:
            self._write_json({"deleted": names})
        else:
            self.stdout.write(visible(f"{told} {'is' if len(names) == 1 else 'are'} deleted."))

    def set_enabled(self, options: dict[str, Any], *, enabled: bool) -> None:
        names = _chosen(options)
        rules_enable(names=names, enabled=enabled)
        if options["json"]:
            self._write_json([rule_content(rule_find(name)) for name in names])
        else:
            self.stdout.write(visible(f"{'Enabled' if enabled else 'Disabled'}: {', '.join(names)}."))

    def _show_faults(self, faults: list[Fault], options: dict[str, Any]) -> None:
        if options["json"]:
            self._write_json({"errors": [{"loc": fault.loc, "msg": fault.message} for fault in faults]})
            return
        name = options.get("preset") or shown_name(options["file"])
        for fault in faults:
            place = ".".join(map(str, fault.loc))
            self.stderr.write(visible(f"{name}:{place}: {fault.message}" if place else f"{name}: {fault.message}"))

    def _write_json(self, content: object) -> None:
        self.stdout.write(visible_json(json.dumps(content, indent=2, ensure_ascii=False)))

    def _write_json_array(self, items: Iterable[object]) -> None:
        """Write a JSON array with one item in memory at a time."""
        before = "["
        for item in items:
            self.stdout.write(before)
            lines = visible_json(json.dumps(item, indent=2, ensure_ascii=False))
            self.stdout.write(textwrap.indent(lines, "  "), ending="")
            before = ","
        self.stdout.write("[]" if before == "[" else "\n]")


def _add_names(parser: CommandParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", default=[])
    parser.add_argument("--preset", choices=presets.names(), help="those of its rules that are stored")


def _chosen(options: dict[str, Any]) -> list[str]:
    """The names of the stored rules that the command line names, each once. Raises CommandError."""
    names, preset = options["names"], options["preset"]
    if bool(names) == bool(preset):
        raise CommandError("Name the rules, or give --preset.", returncode=MISUSED)
    if names:
        return list(dict.fromkeys(_found(name).name for name in names))
    of_preset = [rule.name for rule in presets.load(preset)]
    stored = set(StoredRule.objects.filter(name__in=of_preset).values_list("name", flat=True))
    if not stored:
        raise CommandError(f"No rule of the preset {preset} is stored.", returncode=FAILED)
    return [name for name in of_preset if name in stored]


def _found(name: str) -> StoredRule:
    try:
        return rule_find(name)
    except NoSuchRule:
        sentence = f"There is no rule named {name}; `manage.py rules list` shows all."
        raise CommandError(visible(sentence), returncode=FAILED) from None


def _told(loaded: Loaded) -> str:
    return ", ".join(f"{len(names)} {word}" for word, names in loaded._asdict().items())


def _count(number: int) -> str:
    return "1 rule" if number == 1 else f"{number:,} rules"
