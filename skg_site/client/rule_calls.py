"""Calls about rules and runs."""

from collections.abc import Generator, Sequence
from time import monotonic
from typing import Any

from .answers import AddedRules, Rule, RulePage, Run
from .calls import Call, Pages, Pause, Steps, json_body, json_bytes, parameters
from .values import NewRule, Pattern

# The time that one request waits for the end of a run, and the pauses between the questions after that.
WAIT_SECONDS = 20
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0

UNDER_WAY = {"queued", "running"}


def rules(*, page_size: int | None = None) -> Pages[Rule]:
    """All rules."""
    first: Call[RulePage] = Call(method="GET", route="/rules", parameters=parameters({"limit": page_size}))
    return Pages(first, "rules")


def rule(name: str) -> Call[Rule]:
    """The rule of this name."""
    return Call(method="GET", route="/rules/{name}", names={"name": name})


def add_rules(rules: NewRule | Sequence[NewRule]) -> Call[AddedRules]:
    """Store a rule or shorthand, or all of several. `warnings` of the answer names predicates that no fact has."""
    return Call(method="POST", route="/rules", body=json_bytes(rules), repeatable=False)


def change_rule(
    name: str,
    *,
    weight: float | None = None,
    head: Pattern | None = None,
    body: Sequence[Pattern] | None = None,
    distinct: Sequence[Sequence[str]] | None = None,
    description: str | None = None,
    enabled: bool | None = None,
) -> Call[Rule]:
    """Change a rule. What is None stays."""
    members = {
        "weight": weight,
        "head": head,
        "body": body,
        "distinct": distinct,
        "description": description,
        "enabled": enabled,
    }
    return Call(method="PATCH", route="/rules/{name}", names={"name": name}, body=json_body(members))


def delete_rule(name: str) -> Call[None]:
    """Delete the rule of this name."""
    return Call(method="DELETE", route="/rules/{name}", names={"name": name})


def recurse(
    *,
    force: bool = False,
    max_depth: int | None = None,
    min_weight: float | None = None,
    entity_types: Sequence[str] | None = None,
    rules: Sequence[str] | None = None,
    wait: bool | float = False,
) -> Steps[Run]:
    """Apply the rules. With `wait`, return when the run has ended, or after so many seconds.

    The answer's `status` says how it ended. Raises Conflict while another run is under way.
    """
    members = {
        "force": force,
        "max_depth": max_depth,
        "min_weight": min_weight,
        "entity_types": entity_types,
        "rules": rules,
    }
    end = monotonic() + (float("inf") if wait is True else float(wait))
    seconds = int(min(end - monotonic(), WAIT_SECONDS))
    headers = {"Prefer": f"wait={seconds}"} if seconds > 0 else {}
    # Not sent again after a broken connection: the second would be told that the first is under way.
    run: Run = yield Call(method="POST", route="/recurse", body=json_body(members), headers=headers, repeatable=False)
    return (yield from _ended(run, end))


def run(id: str) -> Call[Run]:
    """The state of a run, or how it ended."""
    return Call(method="GET", route="/recurse/{id}", names={"id": id})


def cancel(id: str) -> Call[Run]:
    """End a run. Raises Conflict if it has ended."""
    return Call(method="POST", route="/recurse/{id}/cancel", names={"id": id})


def _ended(found: Run, end: float) -> Generator[Call[Run] | Pause, Any, Run]:
    pause = FIRST_PAUSE
    while found["status"] in UNDER_WAY and monotonic() + pause < end:
        yield Pause(pause)
        found = yield run(found["run_id"])
        pause = min(2 * pause, LONGEST_PAUSE)
    return found
