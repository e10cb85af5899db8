"""The page of a term: its profile, as the template shows it."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.http import HttpRequest

from triples.admin.fact_lines import FactLines, Line, Linked
from triples.admin.links import Kinds, list_url
from triples.admin.profile_graph import HEIGHT, WIDTH, Node, around
from triples.models import Rule, Term
from triples.query.explanations import own_connection
from triples.query.graph_facts import GraphFacts
from triples.query.profile import Group, Half, Number, Profile, ProfileReader
from triples.store.operations import Pattern

# So many predicates stand beside the picture.
_SUMMARY = 8


class Heading(NamedTuple):
    """A predicate on one side of the term: how many facts it has there, and where they all are."""

    predicate: Linked
    number: str
    lines: list[Line]
    all_url: str
    # How many are not among the lines; empty if none.
    cut: str


def profile_context(request: HttpRequest, term: Term) -> dict[str, Any]:
    """The template's variables, with only the facts that this user may see."""
    may_see_inferred = request.user.has_perm("triples.view_inferredtriple")
    profile = _read(term, inferred=may_see_inferred)
    lines = FactLines(profile.ids, dict(Rule.objects.values_list("name", "id")))
    shown = _Shown(str(term.text), profile, lines, "both" if may_see_inferred else "asserted")
    nodes = around(str(term.text), profile)
    between = shown.between
    return {
        "sides": [shown.side(profile.out), shown.side(profile.in_)],
        "between": between,
        "between_groups": [between] if between else [],
        "summary": shown.summary,
        "nodes": [(node, lines.linked(node.text).url, lines.line(node.row, ())) for node in nodes],
        "picture": {"width": WIDTH, "height": HEIGHT, "left": -WIDTH / 2, "top": -HEIGHT / 2},
        "others": shown.others(nodes),
    }


def _read(term: Term, *, inferred: bool) -> Profile:
    with own_connection(always=True) as (session, dialect, shown):
        visible = shown.filter if shown is not None and inferred else None
        return ProfileReader(GraphFacts(session.rows, dialect, visible), shown).read(term.pk, str(term.text))


class _Shown:
    """The parts of one profile, for the template."""

    def __init__(self, text: str, profile: Profile, lines: FactLines, kinds: Kinds) -> None:
        self._text = text
        self._profile = profile
        self._lines = lines
        self._kinds: Kinds = kinds

    def side(self, half: Half) -> dict[str, Any]:
        headings = [self._heading(half, group) for group in half.groups]
        return {
            "out": half.side == "subject",
            "count": str(half.number),
            "facts": half.number.facts,
            "groups": [heading for heading in headings if heading.lines],
            "more_groups": [heading for heading in headings if not heading.lines],
            "complete": half.complete,
            "all_url": list_url(self._pattern(half), self._kinds),
        }

    @property
    def between(self) -> Heading | None:
        """The facts that have the term as their predicate."""
        group = self._profile.between
        return None if group is None else self._of(group, (None, self._text, None), (0, 2))

    @property
    def summary(self) -> list[tuple[Linked, list[tuple[str, str, bool]]]]:
        """The most frequent predicates, each with its numbers, their lists, and whether they lead away."""
        found: dict[str, list[tuple[Half, Number]]] = {}
        for half in (self._profile.out, self._profile.in_):
            for group in half.groups:
                found.setdefault(group.predicate, []).append((half, group.number))
        frequent = sorted(found.items(), key=lambda one: -sum(number.facts for _, number in one[1]))
        return [
            (
                self._lines.linked(predicate),
                [
                    (str(number), list_url(self._pattern(half, predicate), self._kinds), half.side == "subject")
                    for half, number in numbers
                ],
            )
            for predicate, numbers in frequent[:_SUMMARY]
        ]

    def others(self, nodes: list[Node]) -> str:
        """The number of facts that the picture leaves out, in words; empty if none."""
        halves = (self._profile.out, self._profile.in_)
        facts = sum(half.number.facts for half in halves) - len(nodes)
        count = str(Number(facts, any(half.number.more for half in halves)))
        return f"{count} other fact{'' if facts == 1 else 's'} below" if facts and nodes else ""

    def _heading(self, half: Half, group: Group) -> Heading:
        return self._of(group, self._pattern(half, group.predicate), [2 if half.side == "subject" else 0])

    def _of(self, group: Group, pattern: Pattern, places: Iterable[int]) -> Heading:
        rest = group.number.facts - len(group.rows)
        return Heading(
            predicate=self._lines.linked(group.predicate),
            number=str(group.number),
            lines=[self._lines.line(row, places) for row in group.rows],
            all_url=list_url(pattern, self._kinds),
            cut=str(group.number) if rest or group.number.more else "",
        )

    def _pattern(self, half: Half, predicate: str | None = None) -> Pattern:
        out = half.side == "subject"
        return (self._text, predicate, None) if out else (None, predicate, self._text)
