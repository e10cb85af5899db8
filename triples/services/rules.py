"""Use cases of rules: list, store, change, delete, enable. Changes take effect in the next run."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Collate
from django.utils import timezone

from skg_site.host.write_lock import locked_transaction
from triples.fields import from_milliseconds, to_milliseconds
from triples.models import Rule as StoredRule
from triples.recursion.rules import clean_name
from triples.rules.documents import Draft, read_rule
from triples.store.backend import backend
from triples.text import TermError

MAX_RULES = 10_000
# Rules that `rules_in_order` holds in memory.
RULES_AT_ONCE = 100


class RulesError(Exception):
    """The stored rules do not allow the request, which has changed nothing. The message is a sentence."""


class NoSuchRule(RulesError):
    def __init__(self) -> None:
        super().__init__("There is no rule with this name.")


class RulesExist(RulesError):
    """Other rules of these names are stored already."""

    def __init__(self, names: Sequence[str]) -> None:
        told = f"a rule named {names[0]}" if len(names) == 1 else f"other rules named {', '.join(names)}"
        super().__init__(f"There {'is' if len(names) == 1 else 'are'} {told} already; nothing was stored.")
        self.names = names


class TooManyRules(RulesError):
    def __init__(self) -> None:
        super().__init__(f"There may be at most {MAX_RULES:,} rules; nothing was stored.")


class RuleChanged(RulesError):
    """The rule no longer has a version that the client named."""

    def __init__(self) -> None:
        super().__init__("The rule has changed since the version that If-Match names.")


class Loaded(NamedTuple):
    """Names of the rules of a file, by what was done with them."""

    added: list[str]
    replaced: list[str]
    unchanged: list[str]


def rule_find(name: str, among: QuerySet[StoredRule] | None = None) -> StoredRule:
    """The rule of this name; raises NoSuchRule."""
    rules = StoredRule.objects.all() if among is None else among
    try:
        # Cleaned first, since some texts in a path cannot be sent to a database.
        return rules.get(name=clean_name(name))
    except (TermError, StoredRule.DoesNotExist):
        raise NoSuchRule from None


def rules_page(*, limit: int, after: str = "") -> list[StoredRule]:
    """The first rules whose names come after that one.

    Names are ordered as the engine orders them: by code points, which PostgreSQL's locale may not.
    """
    name = Collate("name", backend().binary_collation)
    return list(StoredRule.objects.annotate(ordered=name).filter(ordered__gt=after).order_by("ordered")[:limit])


def rules_in_order() -> Iterator[StoredRule]:
    """All rules by name, with few of them in memory at a time."""
    rules = rules_page(limit=RULES_AT_ONCE)
    while rules:
        yield from rules
        rules = rules_page(limit=RULES_AT_ONCE, after=rules[-1].name)


def rules_add(*, drafts: Sequence[Draft]) -> list[StoredRule]:
    """Store new rules, all or none; raises RulesExist and TooManyRules."""
    with locked_transaction():
        if known := _known(drafts):
            raise RulesExist(sorted(known))
        return _insert(drafts)


def rules_load(*, drafts: Sequence[Draft], replace: bool = False, dry_run: bool = False) -> Loaded:
    """Store the rules of a file, all or none; raises RulesExist and TooManyRules.

    A stored rule that is the same stays as it is. One that differs is replaced with `replace`; without, it is an error.
    """
    with locked_transaction():
        known = _known(drafts)
        new = [draft for draft in drafts if draft.rule.name not in known]
        others = [draft for draft in drafts if draft not in new and _differ(known[draft.rule.name], draft.columns)]
        if others and not replace:
            raise RulesExist(_names(others))
        _check_room(len(new))
        if not dry_run:
            _insert(new)
            for draft in others:
                _set(known[draft.rule.name], draft.columns)
    return Loaded(_names(new), _names(others), sorted(known.keys() - _names(others)))


def rule_change(*, name: str, members: Mapping[str, Any], versions: Collection[str] | None = None) -> StoredRule:
    """Replace members of a rule's document.

    Raises RuleError, NoSuchRule, and RuleChanged when the rule's version is none of `versions`.
    """
    with _held_rule(name, versions) as stored:
        columns = read_rule({**stored.document, **members}).columns
        if _differ(stored, columns):
            _set(stored, columns)
    return stored


def rule_delete(*, name: str, versions: Collection[str] | None = None) -> None:
    """Delete a rule; raises NoSuchRule, and RuleChanged when its version is none of `versions`."""
    with _held_rule(name, versions) as stored:
        stored.delete()


def rules_delete(*, names: Collection[str]) -> None:
    """Delete all of these rules, or none: raises NoSuchRule."""
    with locked_transaction():
        for name in names:
            rule_delete(name=name)


def rules_enable(*, names: Collection[str], enabled: bool) -> int:
    """Take rules into the next run, or leave them out of it; the number of rules that changed."""
    with locked_transaction():
        return StoredRule.objects.filter(name__in=names, enabled=not enabled).update(enabled=enabled, updated_at=_now())


@contextmanager
def _held_rule(name: str, versions: Collection[str] | None) -> Iterator[StoredRule]:
    """The rule, locked until the transaction ends."""
    with locked_transaction():
        stored = rule_find(name, StoredRule.objects.select_for_update())
        if versions is not None and stored.version not in versions:
            raise RuleChanged
        yield stored


def _known(drafts: Iterable[Draft]) -> dict[str, StoredRule]:
    """The stored rules that have the drafts' names."""
    names = [draft.rule.name for draft in drafts]
    return {stored.name: stored for stored in StoredRule.objects.select_for_update().filter(name__in=names)}


def _check_room(more: int) -> None:
    if StoredRule.objects.count() + more > MAX_RULES:
        raise TooManyRules


def _insert(drafts: Sequence[Draft]) -> list[StoredRule]:
    _check_room(len(drafts))
    times: dict[str, Any] = dict.fromkeys(("created_at", "updated_at"), _now())
    rows = [StoredRule(name=draft.rule.name, **draft.columns, **times) for draft in drafts]
    try:
        with transaction.atomic():
            return StoredRule.objects.bulk_create(rows)
    except IntegrityError:
        # On PostgreSQL another host may have stored one of them since they were looked for.
        raise RulesExist(sorted(_known(drafts))) from None


def _set(stored: StoredRule, columns: Mapping[str, Any]) -> None:
    for column, value in {**columns, "updated_at": _now()}.items():
        setattr(stored, column, value)
    stored.save()


def _differ(stored: StoredRule, columns: Mapping[str, Any]) -> bool:
    return any(getattr(stored, column) != value for column, value in columns.items())


def _names(drafts: Iterable[Draft]) -> list[str]:
    return sorted(draft.rule.name for draft in drafts)


def _now() -> datetime:
    """The time in milliseconds, as the columns store it, so that a rule is read as it was written."""
    return from_milliseconds(to_milliseconds(timezone.now()))
