"""Shorthands: one word for each rule that comes often.

    {"transitive": "ancestor", "weight": 0.99}
    {"symmetric": "near"}
    {"inverse": ["parent_of", "child_of"]}
    {"sub_property": ["mother_of", "parent_of"]}
    {"chain": ["parent_of", "brother_of"], "gives": "uncle_of"}
    {"type_inheritance": ["is_a", "subclass_of"]}
    {"domain": ["teaches", "teacher"], "type": "is_a"}
    {"range": ["teaches", "course"], "type": "is_a"}

All of them take the members `weight`, `name`, `description` and `enabled`; a name is made if there is none. A shorthand
becomes one or two ordinary rules, and only those are stored.
"""

from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from typing import Annotated, NamedTuple, get_args

from pydantic import AfterValidator, Field

from triples.patterns import Pattern, Variable
from triples.recursion.grammar import (
    MAX_BODY,
    Description,
    Enabled,
    Members,
    Name,
    RuleIn,
    Weight,
    list_of,
    read_members,
)
from triples.recursion.rules import MAX_NAME_LENGTH, Rule, RuleError
from triples.text import MAX_PREDICATE_LENGTH, MAX_TERM_LENGTH, clean_term, text_schema

DEFAULT_TYPE_PREDICATE = "is_a"

X, Y, Z = Variable("x"), Variable("y"), Variable("z")

_PAIR = list_of("must be a list of texts", range(2, 3), "must be a pair of texts")
Predicate = Annotated[
    str,
    AfterValidator(partial(clean_term, limit=MAX_PREDICATE_LENGTH)),
    text_schema(MAX_PREDICATE_LENGTH, "discovered"),
]
Object = Annotated[str, AfterValidator(clean_term), text_schema(MAX_TERM_LENGTH, "Relativity")]
PredicatePair = Annotated[tuple[Predicate, Predicate], _PAIR]
# The second text is a class, which may be as long as any term.
PredicateAndClass = Annotated[tuple[Predicate, Object], _PAIR]
TypePredicate = Annotated[Predicate, Field(description="The predicate that says of what type something is.")]


class Sketch(NamedTuple):
    """A rule without its weight; `words` make its name."""

    words: tuple[str, ...]
    head: Pattern
    body: tuple[Pattern, ...]


class Shorthand(Members):
    name: Name | None = None
    weight: Weight = 1.0
    description: Description = ""
    enabled: Enabled = True

    @property
    def rules(self) -> list[Rule]:
        """The first rule has the given name, a second one that name and its number; RuleError if a name is too long."""
        rules: list[Rule] = []
        for number, (words, head, body) in enumerate(_sketches(self), start=1):
            name = "-".join(words) if self.name is None else f"{self.name}-{number}".removesuffix("-1")
            if len(name) > MAX_NAME_LENGTH:
                sentence = f"must be given and short: {name} has more than {MAX_NAME_LENGTH} characters"
                raise RuleError(("name",), sentence)
            rules.append(Rule(name, head, body, self.weight))
        return rules


class Transitive(Shorthand):
    transitive: Predicate


class Symmetric(Shorthand):
    symmetric: Predicate


def _two(pair: PredicatePair) -> PredicatePair:
    if pair[0] == pair[1]:
        raise ValueError(f"must be two predicates; {pair[0]} as its own inverse is symmetric")
    return pair


class Inverse(Shorthand):
    inverse: Annotated[PredicatePair, AfterValidator(_two)]


class SubProperty(Shorthand):
    sub_property: Annotated[PredicatePair, Field(description="Where the first holds, so does the second.")]


class Chain(Shorthand):
    chain: Annotated[
        list[Predicate],
        Field(min_length=2, max_length=MAX_BODY),
        list_of("must be a list of texts", range(2, MAX_BODY + 1), f"must be a list of 2 to {MAX_BODY} predicates"),
    ]
    gives: Predicate


class TypeInheritance(Shorthand):
    type_inheritance: Annotated[PredicatePair, Field(description="The predicates of types and of subclasses.")]


class Domain(Shorthand):
    domain: Annotated[PredicateAndClass, Field(description="Subjects of the predicate are of the type.")]
    type: TypePredicate = DEFAULT_TYPE_PREDICATE


class Range(Shorthand):
    range: Annotated[PredicateAndClass, Field(description="Objects of the predicate are of the type.")]
    type: TypePredicate = DEFAULT_TYPE_PREDICATE


def _sketches(given: Shorthand) -> list[Sketch]:  # noqa: PLR0911  # one for each shorthand
    match given:
        case Transitive(transitive=p):
            return [Sketch(("transitive", p), (X, p, Z), ((X, p, Y), (Y, p, Z)))]
        case Symmetric(symmetric=p):
            return [Sketch(("symmetric", p), (Y, p, X), ((X, p, Y),))]
        case Inverse(inverse=pair):
            return [Sketch(("inverse", p, q), (Y, q, X), ((X, p, Y),)) for p, q in (pair, pair[::-1])]
        case SubProperty(sub_property=(narrow, wide)):
            return [Sketch(("sub-property", narrow, wide), (X, wide, Y), ((X, narrow, Y),))]
        case Chain(chain=links, gives=derived):
            nodes = [Variable(f"x{number}") for number in range(len(links) + 1)]
            body = tuple((start, link, end) for link, (start, end) in zip(links, pairwise(nodes), strict=True))
            return [Sketch(("chain", *links, "gives", derived), (nodes[0], derived, nodes[-1]), body)]
        case TypeInheritance(type_inheritance=(typed, subclass)):
            body = ((X, typed, Y), (Y, subclass, Z))
            return [Sketch(("type-inheritance", typed, subclass), (X, typed, Z), body)]
        case Domain(domain=(p, class_), type=typed):
            return [Sketch(("domain", p, class_), (X, typed, class_), ((X, p, Y),))]
        case Range(range=(p, class_), type=typed):
            return [Sketch(("range", p, class_), (Y, typed, class_), ((X, p, Y),))]
        case _:
            raise AssertionError(f"a shorthand without rules: {given!r}")


AnyShorthand = Transitive | Symmetric | Inverse | SubProperty | Chain | TypeInheritance | Domain | Range
AnyRule = RuleIn | AnyShorthand

# By the member that tells it from the others.
_KINDS: dict[str, type[AnyRule]] = {next(iter(kind.__annotations__)): kind for kind in get_args(AnyShorthand)}


def model_of(document: object) -> type[AnyRule]:
    """The model of a document: that of a rule, unless it has a shorthand's member; RuleError if it has several."""
    kinds = [kind for kind in _KINDS if kind in document] if isinstance(document, Mapping) else []
    if len(kinds) > 1:
        raise RuleError((kinds[1],), f"cannot stand beside {kinds[0]}")
    return _KINDS[kinds[0]] if kinds else RuleIn


def expand(document: object) -> list[Rule]:
    """The rule that a document is, or the rules that a shorthand stands for; RuleError if it is neither."""
    return read_members(model_of(document), document).rules


def expand_all(documents: object) -> list[Rule]:
    """The rules of a file: a list of documents, no two rules of which have one name."""
    if not isinstance(documents, list):
        raise RuleError((), "must be a list of rules")
    rules: dict[str, Rule] = {}
    for number, document in enumerate(documents):
        try:
            expanded = expand(document)
        except RuleError as error:
            raise RuleError((number, *error.loc), str(error)) from None
        for rule in expanded:
            if rule.name in rules:
                raise RuleError((number, "name"), f"two rules have the name {rule.name}")
            rules[rule.name] = rule
    return list(rules.values())
