"""Rules as SQL: joins of the fact table with itself, in words that DuckDB and Spark both understand.

Three relations of facts (subject, predicate, object, weight) stand in them: `known`, all that holds before a
round; `changed`, what the round before it found or improved; `earlier`, the rest. A rule can only find something
new from a body of which some fact has changed. So it is compiled once for each place of its body, with `changed` in
that place, `earlier` in the places before it and `known` in those behind: no combination of facts comes twice.
A fourth one, `unfit`, has the `id` of each term that cannot be a predicate; what would have such a one is not derived.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from triples.patterns import BoundPlace, Variable
from triples.recursion.programs import BoundRule
from triples.visible import visible

COLUMNS = ("subject", "predicate", "object")

# From a rule's number and the expressions of its free variables to the columns that tell its proofs apart.
ProofColumns = Callable[[BoundRule, Sequence[str]], str]


@dataclass(frozen=True, slots=True)
class Variant:
    """A rule with one place of its body taking what has changed."""

    rule: BoundRule
    place: int
    sql: str

    def can_derive(self, predicates: set[int]) -> bool:
        """Whether a fact with one of these predicates can be what it derives."""
        return isinstance(self.rule.head[1], Variable) or self.rule.head[1] in predicates

    def can_find(self, changed: set[int], known: set[int]) -> bool:
        """Whether it can find anything, if these are the predicates of what has changed and of all that is known."""
        predicates = [pattern[1] for pattern in self.rule.body]
        return all(
            isinstance(predicate, Variable) or predicate in (changed if place == self.place else known)
            for place, predicate in enumerate(predicates)
        )


def variants(rule: BoundRule, proof: ProofColumns, *, of_goals: bool = False) -> list[Variant]:
    """The rule's variants; of goals, those that derive exactly the facts and weights in the relation `goal`."""
    return [Variant(rule, place, _select(rule, place, proof, of_goals=of_goals)) for place in range(len(rule.body))]


def rule_sql(rule: BoundRule, texts: Mapping[int, str] | None = None) -> str:
    """What the engine asks for the rule in a round, for people; `texts` of terms become comments."""

    def constant(term: int) -> str:
        return f"{term} /* {_comment(texts[term])} */" if texts and term in texts else str(term)

    def proof(_: BoundRule, values: Sequence[str]) -> str:
        named = enumerate(zip(values, rule.free, strict=True), start=1)
        free = [f"{value} AS free{number} /* {variable} */" for number, (value, variable) in named]
        return ", ".join([f"{rule.number} AS rule", *free])

    selects = [_select(rule, place, proof, constant=constant) for place in range(len(rule.body))]
    return f"-- {_comment(rule.name)}\n" + "\nUNION ALL\n".join(selects)


def bindings(rule: BoundRule) -> dict[Variable, str]:
    """For each variable the column in which it first stands in the body."""
    found: dict[Variable, str] = {}
    for alias, pattern in _aliased(rule):
        for column, place in zip(COLUMNS, pattern, strict=True):
            if isinstance(place, Variable):
                found.setdefault(place, f"{alias}.{column}")
    return found


def weight_literal(weight: float) -> str:
    """The number with an exponent, without which SQL reads a decimal number and not a DOUBLE."""
    text = repr(weight)
    return text if "e" in text else f"{text}E0"


def _select(
    rule: BoundRule,
    place: int,
    proof: ProofColumns,
    *,
    constant: Callable[[int], str] = str,
    of_goals: bool = False,
) -> str:
    columns = bindings(rule)

    def expression(given: BoundPlace) -> str:
        return columns[given] if isinstance(given, Variable) else constant(given)

    derived = dict(zip(COLUMNS, map(expression, rule.head), strict=True))
    # The order of the factors decides the last bit of a product.
    derived["weight"] = " * ".join([weight_literal(rule.weight), *(f"{alias}.weight" for alias, _ in _aliased(rule))])
    selected = [f"{value} AS {column}" for column, value in derived.items()]
    selected.append(proof(rule, [columns[variable] for variable in rule.free]))
    sources = [
        f"{'changed' if number == place else 'earlier' if number < place else 'known'} AS {alias}"
        for number, (alias, _) in enumerate(_aliased(rule))
    ]
    conditions = list(_conditions(rule, columns, expression))
    if of_goals:
        sources.append("goal AS g")
        conditions += [f"g.{column} = {value}" for column, value in derived.items()]
    where = f"\nWHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {', '.join(selected)}\nFROM {', '.join(sources)}{where}"


def _conditions(
    rule: BoundRule, columns: Mapping[Variable, str], expression: Callable[[BoundPlace], str]
) -> Iterable[str]:
    for alias, pattern in _aliased(rule):
        for column, given in zip(COLUMNS, pattern, strict=True):
            if expression(given) != f"{alias}.{column}":
                yield f"{alias}.{column} = {expression(given)}"
    for left, right in rule.distinct:
        yield f"{columns[left]} <> {columns[right]}"
    if rule.makes_predicates:
        yield f"NOT EXISTS (SELECT 1 FROM unfit AS u WHERE u.id = {expression(rule.head[1])})"


def _aliased(rule: BoundRule) -> list[tuple[str, tuple[BoundPlace, BoundPlace, BoundPlace]]]:
    return [(f"f{number}", pattern) for number, pattern in enumerate(rule.body, start=1)]


def _comment(text: str) -> str:
    """`text` without what would end a comment, or begin another in it."""
    return visible(" ".join(text.split())).replace("*/", "* /").replace("/*", "/ *")
