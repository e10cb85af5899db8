"""Small random facts and programs, made to collide: few terms, so that every rule meets every other."""

from hypothesis import strategies as st

from triples.patterns import BoundPattern, Variable, free_variables
from triples.recursion.programs import BoundRule, Key, Program

U, V, X, Y, Z = (Variable(name) for name in "uvxyz")

# Weights that meet exactly, that lose a bit in each product, and that vanish in one.
LIVELY = [0.1, 0.25, 1 / 3, 0.5, 0.7, 0.9, 0.99, 1.0]
FADING = [5e-324, 1e-323, 1e-200]

terms = st.sampled_from(range(1, 5))
# Most facts have one of two predicates, else nearly nothing joins.
predicates = st.sampled_from([1, 1, 1, 2, 2, 3])
fact_weights = st.sampled_from([*LIVELY, *LIVELY, *FADING, 0.0])
# Every other rule has a weight at which products tie.
rule_weights = st.one_of(st.just(1.0), st.sampled_from([*LIVELY, *LIVELY, *FADING]))
keys = st.builds(Key, terms, predicates, terms)

_variables = st.sampled_from([X, X, Y, Y, Z, Z, U, V])
_ends = st.one_of(_variables, _variables, _variables, _variables, terms)
_middles = st.one_of(predicates, predicates, predicates, _variables)
patterns: st.SearchStrategy[BoundPattern] = st.tuples(_ends, _middles, _ends)


def facts(min_size: int = 0, max_size: int = 12) -> st.SearchStrategy[dict[Key, float]]:
    return st.dictionaries(keys, fact_weights, min_size=min_size, max_size=max_size)


@st.composite
def _shaped(draw: st.DrawFn) -> tuple[BoundPattern, tuple[BoundPattern, ...]]:
    """The head and body of a rule as people write them, over drawn predicates."""
    p, q, r = draw(predicates), draw(predicates), draw(predicates)
    shapes: list[tuple[BoundPattern, tuple[BoundPattern, ...]]] = [
        ((X, p, Z), ((X, p, Y), (Y, p, Z))),
        ((Y, p, X), ((X, p, Y),)),
        ((X, r, Z), ((X, p, Y), (Y, q, Z))),
        ((X, r, Z), ((X, p, Y), (Z, q, Y))),
        ((X, V, Y), ((X, U, Y), (U, p, V))),
        ((X, r, X), ((X, p, Y), (Y, q, Z), (Z, U, V))),
    ]
    return draw(st.sampled_from(shapes))


@st.composite
def _shapeless(draw: st.DrawFn, max_body: int) -> tuple[BoundPattern, tuple[BoundPattern, ...]]:
    """A head and a body of places drawn one by one."""
    body = tuple(draw(st.lists(patterns, min_size=1, max_size=max_body)))
    known = sorted({place for pattern in body for place in pattern if isinstance(place, Variable)})
    ends = st.one_of(st.sampled_from(known), st.sampled_from(known), terms) if known else terms
    middles = st.one_of(predicates, predicates, st.sampled_from(known)) if known else predicates
    return draw(st.tuples(ends, middles, ends)), body


@st.composite
def bound_rules(draw: st.DrawFn, number: int, max_body: int = 3) -> BoundRule:
    head, body = draw(st.one_of(_shaped(), _shapeless(max_body)))
    known = sorted({place for pattern in body for place in pattern if isinstance(place, Variable)})
    distinct: tuple[tuple[Variable, Variable], ...] = ()
    if len(known) > 1 and draw(st.booleans()):
        first, second, *_ = draw(st.permutations(known))
        distinct = ((first, second),)
    return BoundRule(
        number=number,
        name=f"rule {number}",
        weight=draw(rule_weights),
        head=head,
        body=body,
        distinct=distinct,
        free=free_variables(head, body),
    )


@st.composite
def programs(draw: st.DrawFn, max_rules: int = 4, max_body: int = 3) -> Program:
    count = draw(st.integers(1, max_rules))
    return Program(tuple(draw(bound_rules(number, max_body)) for number in range(count)))
