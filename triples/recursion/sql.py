"""Rules as SQL: joins of the fact table with itself, in words that DuckDB and Spark both understand.

It reads three relations of facts (subject, predicate, object, weight): `known`, all facts before a round; `changed`,
those that the round before it found or improved; `earlier`, the others. A rule finds something new only if some fact of
its body has changed. So it is compiled once for each place of its body, with `changed` in that place, `earlier` in the
places before it and `known` in those after it: no combination of facts comes twice. A fourth relation, `unfit`, has the
`id` of each term that cannot be a predicate; facts with such a predicate are not derived.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from triples.patterns import BoundPlace, Variable
from triples.recursion.packing import Packing
from triples.recursion.programs import BoundRule, Program
from triples.visible import visible

COLUMNS = ("subject", "predicate", "object")
KEY = ", ".join(COLUMNS)

# Makes the columns that tell a rule's proofs apart, from the rule and the SQL expressions of its free variables.
ProofColumns = Callable[[BoundRule, Sequence[str]], str]


@dataclass(frozen=True, slots=True)
class Variant:
    """A rule compiled with `changed` in one place of its body."""

    rule: BoundRule
    place: int
    sql: str

    def can_derive(self, predicates: set[int]) -> bool:
        """True if it can derive a fact that has one of these predicates."""
        return isinstance(self.rule.head[1], Variable) or self.rule.head[1] in predicates

    def can_find(self, changed: set[int], known: set[int], earlier: set[int] | None = None) -> bool:
        """True if it can find anything, given the predicates of the facts in the relations that it reads.

        Those of the earlier facts, if they are not told, are taken for those of all known ones.
        """

        def having(place: int) -> set[int]:
            if place == self.place:
                return changed
            return known if earlier is None or place > self.place else earlier

        predicates = [pattern[1] for pattern in self.rule.body]
        return all(
            bool(having(place)) if isinstance(predicate, Variable) else predicate in having(place)
            for place, predicate in enumerate(predicates)
        )


def variants(rule: BoundRule, proof: ProofColumns, *, of_goals: bool = False) -> list[Variant]:
    """Return the rule's variants; with `of_goals`, they derive only the facts and weights of the relation `goal`."""
    return [Variant(rule, place, _select(rule, place, proof, of_goals=of_goals)) for place in range(len(rule.body))]


def program_variants(program: Program, packing: Packing, *, of_goals: bool = False) -> list[Variant]:
    """Return the variants of all rules, with their proofs packed in the column `proof`."""

    def proof(rule: BoundRule, values: Sequence[str]) -> str:
        return f"{packing.pack(rule.number, values)} AS proof"

    return [variant for rule in program.rules for variant in variants(rule, proof, of_goals=of_goals)]


def rule_sql(rule: BoundRule, texts: Mapping[int, str] | None = None) -> str:
    """Return the SQL that the engine runs for the rule in a round, to be read by people; `texts` become comments."""

    def constant(term: int) -> str:
        return f"{term} /* {_comment(texts[term])} */" if texts and term in texts else str(term)

    def proof(_: BoundRule, values: Sequence[str]) -> str:
        named = enumerate(zip(values, rule.free, strict=True), start=1)
        free = [f"{value} AS free{number} /* {variable} */" for number, (value, variable) in named]
        return ", ".join([f"{rule.number} AS rule", *free])

    selects = [_select(rule, place, proof, constant=constant) for place in range(len(rule.body))]
    return f"-- {_comment(rule.name)}\n" + "\nUNION ALL\n".join(selects)


def bindings(rule: BoundRule) -> dict[Variable, str]:
    """Return, for each variable, the first column of the body that has it."""
    found: dict[Variable, str] = {}
    for alias, pattern in _aliased(rule):
        for column, place in zip(COLUMNS, pattern, strict=True):
            if isinstance(place, Variable):
                found.setdefault(place, f"{alias}.{column}")
    return found


def same_key(left: str, right: str) -> str:
    """Return the condition that two relations have the same fact."""
    return " AND ".join(f"{left}.{column} = {right}.{column}" for column in COLUMNS)


def weight_literal(weight: float) -> str:
    """Return the number with an exponent; without one, SQL reads a DECIMAL and not a DOUBLE."""
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
    """Return `text` without the marks that end a comment or begin another one."""
    return visible(" ".join(text.split())).replace("*/", "* /").replace("/*", "/ *")
