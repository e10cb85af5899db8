"""Rules that come so often that a word is enough for them.

    {"transitive": "ancestor", "weight": 0.99}
    {"symmetric": "near"}
    {"inverse": ["parent_of", "child_of"]}
    {"sub_property": ["mother_of", "parent_of"]}
    {"chain": ["parent_of", "brother_of"], "gives": "uncle_of"}
    {"type_inheritance": ["is_a", "subclass_of"]}
    {"domain": ["teaches", "teacher"], "type": "is_a"}
    {"range": ["teaches", "course"], "type": "is_a"}

`weight` and `name` may stand in all of them; a name is made where there is none. They become ordinary rules, and
only those are kept.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from triples.patterns import Pattern, Variable
from triples.recursion.rules import (
    MAX_BODY,
    MAX_NAME_LENGTH,
    Rule,
    RuleError,
    clean_constant,
    clean_name,
    clean_weight,
    parse_rule,
)
from triples.text import MAX_PREDICATE_LENGTH, MAX_TERM_LENGTH

DEFAULT_TYPE_PREDICATE = "is_a"

X, Y, Z = Variable("x"), Variable("y"), Variable("z")


@dataclass(frozen=True, slots=True)
class _Sketch:
    """A rule without its weight; `words` make its name."""

    words: tuple[str, ...]
    head: Pattern
    body: tuple[Pattern, ...]


def expand(document: object) -> list[Rule]:
    """The rules that a document stands for: a shorthand's, or the one rule that it is itself. RuleError if neither."""
    if not isinstance(document, Mapping):
        raise RuleError((), "must be an object")
    kinds = [kind for kind in _SHORTHANDS if kind in document]
    if not kinds:
        return [parse_rule(document)]
    if len(kinds) > 1:
        raise RuleError((kinds[1],), f"cannot stand beside {kinds[0]}")
    sketches = _SHORTHANDS[kinds[0]](document)
    weight = clean_weight(document.get("weight", 1.0))
    return [Rule(name, sketch.head, sketch.body, weight) for name, sketch in _named(sketches, document.get("name"))]


def expand_all(documents: object) -> list[Rule]:
    """The rules of a file: a list of documents, no two rules of which have one name."""
    if not isinstance(documents, list):
        raise RuleError((), "must be a list of rules")
    rules: dict[str, Rule] = {}
    for number, document in enumerate(documents):
        for rule in _expand_at(number, document):
            if rule.name in rules:
                raise RuleError((number, "name"), f"two rules have the name {rule.name}")
            rules[rule.name] = rule
    return list(rules.values())


def _expand_at(number: int, document: object) -> list[Rule]:
    try:
        return expand(document)
    except RuleError as error:
        raise RuleError((number, *error.loc), str(error)) from None


def _named(sketches: list[_Sketch], given: object) -> Iterable[tuple[str, _Sketch]]:
    """The first rule has the given name, a second one that name with what sets it apart."""
    if given is not None:
        name = clean_name(given)
        names = [name, *(f"{name}-{number}" for number in range(2, len(sketches) + 1))]
    else:
        names = ["-".join(sketch.words) for sketch in sketches]
    for name, sketch in zip(names, sketches, strict=True):
        if len(name) > MAX_NAME_LENGTH:
            raise RuleError(("name",), f"must be given and short: {name} has more than {MAX_NAME_LENGTH} characters")
        yield name, sketch


def _transitive(document: Mapping[str, Any]) -> list[_Sketch]:
    _only(document, "transitive")
    predicate = _predicate(document, "transitive")
    return [_Sketch(("transitive", predicate), (X, predicate, Z), ((X, predicate, Y), (Y, predicate, Z)))]


def _symmetric(document: Mapping[str, Any]) -> list[_Sketch]:
    _only(document, "symmetric")
    predicate = _predicate(document, "symmetric")
    return [_Sketch(("symmetric", predicate), (Y, predicate, X), ((X, predicate, Y),))]


def _inverse(document: Mapping[str, Any]) -> list[_Sketch]:
    _only(document, "inverse")
    one, other = _pair(document, "inverse")
    if one == other:
        raise RuleError(("inverse",), f"must be two predicates; {one} as its own inverse is symmetric")
    return [
        _Sketch(("inverse", first, second), (Y, second, X), ((X, first, Y),))
        for first, second in ((one, other), (other, one))
    ]


def _sub_property(document: Mapping[str, Any]) -> list[_Sketch]:
    _only(document, "sub_property")
    narrow, wide = _pair(document, "sub_property")
    return [_Sketch(("sub-property", narrow, wide), (X, wide, Y), ((X, narrow, Y),))]


def _chain(document: Mapping[str, Any]) -> list[_Sketch]:
    _only(document, "chain", "gives")
    links = _texts(document, "chain", MAX_PREDICATE_LENGTH)
    if not 2 <= len(links) <= MAX_BODY:
        raise RuleError(("chain",), f"must be a list of 2 to {MAX_BODY} predicates")
    if "gives" not in document:
        raise RuleError(("gives",), "is missing")
    derived = _predicate(document, "gives")
    stations = [Variable(f"x{number}") for number in range(len(links) + 1)]
    body = tuple((start, link, end) for link, (start, end) in zip(links, pairwise(stations), strict=True))
    return [_Sketch(("chain", *links, "gives", derived), (stations[0], derived, stations[-1]), body)]


def _type_inheritance(document: Mapping[str, Any]) -> list[_Sketch]:
    _only(document, "type_inheritance")
    typed, subclass = _pair(document, "type_inheritance")
    return [_Sketch(("type-inheritance", typed, subclass), (X, typed, Z), ((X, typed, Y), (Y, subclass, Z)))]


def _domain(document: Mapping[str, Any]) -> list[_Sketch]:
    return _typed_end(document, "domain", X)


def _range(document: Mapping[str, Any]) -> list[_Sketch]:
    return _typed_end(document, "range", Y)


def _typed_end(document: Mapping[str, Any], kind: str, end: Variable) -> list[_Sketch]:
    _only(document, kind, "type")
    # The second text is a class: not a predicate, so as long as any term.
    predicate, class_ = _pair(document, kind, MAX_TERM_LENGTH)
    predicate = clean_constant(predicate, MAX_PREDICATE_LENGTH, (kind, 0))
    typed = _predicate(document, "type") if "type" in document else DEFAULT_TYPE_PREDICATE
    return [_Sketch((kind, predicate, class_), (end, typed, class_), ((X, predicate, Y),))]


def _only(document: Mapping[str, Any], *members: str) -> None:
    for member in document:
        if member not in {"name", "weight", *members}:
            raise RuleError((str(member),), "is not known here")


def _predicate(document: Mapping[str, Any], member: str) -> str:
    return _text(document[member], MAX_PREDICATE_LENGTH, (member,))


def _pair(document: Mapping[str, Any], member: str, limit: int = MAX_PREDICATE_LENGTH) -> tuple[str, str]:
    texts = _texts(document, member, limit)
    if len(texts) != 2:
        raise RuleError((member,), "must be a pair of texts")
    return texts[0], texts[1]


def _texts(document: Mapping[str, Any], member: str, limit: int) -> list[str]:
    given = document[member]
    if not isinstance(given, list | tuple):
        raise RuleError((member,), "must be a list of texts")
    return [_text(text, limit, (member, number)) for number, text in enumerate(given)]


def _text(given: object, limit: int, loc: tuple[str | int, ...]) -> str:
    if not isinstance(given, str):
        raise RuleError(loc, "must be a text")
    return clean_constant(given, limit, loc)


_SHORTHANDS: dict[str, Callable[[Mapping[str, Any]], list[_Sketch]]] = {
    "transitive": _transitive,
    "symmetric": _symmetric,
    "inverse": _inverse,
    "sub_property": _sub_property,
    "chain": _chain,
    "type_inheritance": _type_inheritance,
    "domain": _domain,
    "range": _range,
}
