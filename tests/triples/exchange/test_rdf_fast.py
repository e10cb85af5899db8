"""The fast readers of RDF make the facts that the parser makes."""

# a document is easier to read as one line

import re
from collections.abc import Generator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.triples.exchange.reading import Read, read
from tests.triples.exchange.test_rdf_reading import METADATA, NT, PREFIXES
from triples.exchange.formats.base import Part, ReadOptions
from triples.exchange.formats.registry import FORMATS
from triples.exchange.rdf import format as rdf_format

NODES = st.sampled_from(["e:a", "e:b", "_:x", "<http://f.org/%61>", "[]", "[ e:q e:c ]"])
OBJECTS = st.one_of(
    NODES, st.sampled_from(['"a"', '"é\\n"@en', "5", "true", '" "', '"e:a"', '""', f'"{"x" * 501}"', "(1 2)"])
)
SAID = st.sampled_from(
    [
        "",
        "",
        "",
        "{| skg:weight 0.5 |}",
        "{| skg:weight 1.5 |}",
        "{| e:by e:c ; skg:weight 0.25 |}",
        "{| skg:weight 0.1 |} {| skg:weight 0.2 |}",
        "{| e:by [ e:q 1 ] |}",
    ]
)
# Of a few facts some are stated several times: what is said of one holds for the place where it is said.
STATEMENTS = st.lists(st.tuples(NODES, OBJECTS), min_size=1, max_size=4).flatmap(
    lambda keys: st.lists(
        st.one_of(
            st.tuples(st.sampled_from(keys), SAID).map(lambda it: f"{it[0][0]} e:p {it[0][1]} {it[1]} .\n"),
            st.just("bad e:p .\n"),
        ),
        max_size=6,
    )
)


@given(STATEMENTS, st.booleans(), st.sampled_from([1, 2, 100]))
def test_what_is_quick_makes_the_same_facts(statements: list[str], metadata: bool, most: int) -> None:
    options = METADATA if metadata else ReadOptions()
    content = PREFIXES + "".join(statements)
    fast = read(FORMATS["turtle"], content, options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rdf_format, "turtle_line_parts", _nothing)
        patch.setattr(rdf_format, "quad_parts", _nothing)
        slow = read(FORMATS["turtle"], content, options, most=most)
    assert (fast.facts, sorted(fast.refused)) == (slow.facts, sorted(slow.refused))
    # And from each place, the rest is the same.
    for part in slow.parts:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rdf_format, "turtle_line_parts", _nothing)
            patch.setattr(rdf_format, "quad_parts", _nothing)
            rest = read(FORMATS["turtle"], content, options, start=(part.last_line, part.end), most=most)
        assert rest.facts == slow.facts[len(slow.facts) - len(rest.facts) :]
    # A reifier of another fact makes the file one of which anything may be said anywhere, of all places at once.
    assume(len({statement.partition("{|")[0].rstrip(" .\n") for statement in statements}) == len(statements))
    apart = read(FORMATS["turtle"], f"{content}<< e:no e:no e:no ~ e:no >> skg:weight 0.5 .\n", options)
    same = [fact for fact in apart.facts if "e:no" not in fact.subject and "http://e.org/no" not in fact.object]
    assert sorted(map(_without_digest, same)) == sorted(map(_without_digest, slow.facts))


def test_a_string_stated_twice_has_each_weight_at_its_place() -> None:
    lines = [f'e:a e:p "b" {{| skg:weight {weight} ; skg:weight 0.1 |}} .\n' for weight in (0.9, 0.4)]
    found = read(FORMATS["turtle"], PREFIXES + "".join(lines))
    assert [fact.weight for fact in found.facts] == [0.9, 0.4]


def keys(found: Read) -> list[tuple[str, ...]]:
    return [fact[:3] for fact in found.facts]


def _nothing(*_: object) -> Generator[Part, None, int]:
    """A fast reader that takes nothing."""
    yield from ()
    return 0


def _without_digest(fact: tuple[object, ...]) -> str:
    return re.sub(r"\d*\.([ax])[0-9a-f]{10}", r".\1", repr(fact))


SIMPLE = st.sampled_from(
    [
        "e:a",
        "e:b",
        "e:a.b",
        "e:a-1",
        ":d",
        "no:a",
        "o:UBERON_1",
        "o:x",
        "<http://e.org/a>",
        "<http://e.org/x/y>",
        "<http://e.org/a/../b>",
        "<r>",
        "<urn:x:y>",
        "<http://e.org/é>",
        "_:x",
        "_:1a",
        f"_:{'a1' * 16}",
    ]
)
SIMPLE_OBJECTS = st.one_of(
    SIMPLE,
    st.sampled_from(
        [
            '"a"',
            '"a b "',
            '"a:b"',
            '""',
            '"é"',
            '"é"',
            r'"a\nb"',
            r'"\u00e9"',
            r'"\u00"',
            '"#"',
            '" ."',
            '"a"@en',
            '"a"@EN-us',
            '"""a"""',
            '"5"^^xsd:integer',
            '"5"^^<http://www.w3.org/2001/XMLSchema#integer>',
            '"a"^^xsd:string',
            '"a"^^e:t',
            '"a"^^rdf:langString',
            "5",
            "-5",
            "+5.0",
            "5e3",
            "5.",
            ".5",
            "true",
            f'"{"x" * 501}"',
        ]
    ),
)
SIMPLE_SAID = st.sampled_from(
    [
        "",
        "",
        " {| skg:weight 0.5 |}",
        ' {| skg:weight "0.25" |}',
        " {| skg:weight 1.5 |}",
        ' {| skg:weight 0.5 ; skg:weight "0.75" |}',
        ' {| skg:metadata "{}" |}',
        ' {| skg:metadata "[]" |}',
        ' {| skg:metadata "{\\"n\\": 1}"^^rdf:JSON |}',
        ' {| skg:weight 0.5 ; skg:metadata "{\\"n\\": [1, null]}"^^rdf:JSON |}',
        ' {| skg:metadata "{\\"n\\": 1}"^^rdf:JSON ; skg:weight "0.5" |}',
        ' {| skg:metadata "{\\"n\\": 1}" ; skg:metadata "{\\"m\\": 1}" |}',
        ' {| skg:weight 0.5 ; e:by "c" |}',
        " {| e:by e:c |}",
        " ;",
    ]
)
SIMPLE_FACTS = st.tuples(SIMPLE, st.sampled_from(["e:p", "a", "<http://e.org/q>", "_:p", '"p"']), SIMPLE_OBJECTS).map(
    " ".join
)
SIMPLE_LINES = st.lists(SIMPLE_FACTS, min_size=1, max_size=3).flatmap(
    lambda facts: st.lists(
        st.one_of(
            st.tuples(st.sampled_from(facts), SIMPLE_SAID).map(lambda them: f"{''.join(them)} ."),
            st.sampled_from(
                [
                    "",
                    "# c",
                    " \t# c . ",
                    "@prefix f: <http://f.org/> .",
                    "e:a e:p e:b, e:c .",
                    '"""',
                    "# c\re:a e:p e:z .",
                ]
            ),
        ),
        max_size=4,
    )
)
HEADS = st.sampled_from(
    [
        "",
        "@base <http://b.org/x/> .\n",
        "# c\n\n",
        "BASE <http://b.org/>\n",
        "@prefix : <http://e.org/> .\n",
        "e:a e:b e:c .\n",
        "@prefix o: <http://o.org/> . @prefix U: <http://o.org/UBERON_> .\n",
    ]
)


@given(HEADS, SIMPLE_LINES, st.sampled_from([1, 2, 100]), st.sampled_from(["\n", "", "\r\n"]))
def test_simple_lines_make_the_same_facts(head: str, lines: list[str], most: int, end: str) -> None:
    content = PREFIXES + "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n" + head + "\n".join(lines) + end
    fast = read(FORMATS["turtle"], content, most=most)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rdf_format, "turtle_line_parts", _nothing)
        patch.setattr(rdf_format, "quad_parts", _nothing)
        slow = read(FORMATS["turtle"], content, most=most)
        rests = [keys(read(FORMATS["turtle"], content, start=(0, part.end), most=most)) for part in fast.parts]
    assert (fast.facts, sorted(fast.refused)) == (slow.facts, sorted(slow.refused))
    done = 0
    for part, rest in zip(fast.parts, rests, strict=True):
        done += len(part.facts)
        assert rest == keys(slow)[done:]


def test_simple_lines_are_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rdf_format, "quad_parts", _nothing)
    monkeypatch.setattr(rdf_format, "RdfReader", None)
    said = ["skg:weight 0.5", "skg:weight 0.5", 'skg:weight 0.5 ; skg:metadata "{\\"n\\":1}"', 'skg:metadata "{}"']
    lines = "".join(f'e:a{number} e:p "b" {{| {each} |}} .\n' for number, each in enumerate(said))
    facts, _, parts = read(FORMATS["turtle"], PREFIXES + "\n# And now\n" + lines, most=2)
    assert [fact.subject for fact in facts] == [f"e:a{number}" for number in range(4)]
    assert [(fact.weight, fact.metadata) for fact in facts] == [(0.5, None), (0.5, None), (0.5, '{"n":1}'), (1.0, None)]
    assert [part.end for part in parts] == [6, 13]


LINES = st.lists(
    st.sampled_from(
        [
            NT.format("a", "p", "b"),
            NT.format("c", "p", "%61"),
            '_:x <http://e.org/p> "a b"@en .\n',
            "\n",
            "# c\n",
            "bad\n",
            '<a:a> <b:b> "\\u00e9" .\n',
            '"a" <b:b> <c:c> .\n',
            "<a:a> <b:b> <c:c> . # d\n",
            '<a:a>\t<b:b> "x" .\n',
            "<a:a> <b:b> <c:c> <d:d> .\n",
            '<a:a> "b" <c:c> .\n',
            "<a:a> _:b <c:c> .\n",
            "<a a> <b:b> <c:c> .\n",
            '<a:a> <b:b> "c .\n',
            "<http://a%> <b:b> <c:c> .\n",
        ]
    ),
    max_size=6,
)


@given(LINES, st.sampled_from([1, 2, 100]))
def test_lines_in_columns_make_the_same_facts(lines: list[str], most: int) -> None:
    content = "".join(lines)
    fast = read(FORMATS["ntriples"], content, most=most)
    assert all(len(part.facts) <= most for part in fast.parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("triples.exchange.rdf.fast.plain_columns", lambda *_: None)
        slow = read(FORMATS["ntriples"], content, most=most)
    assert fast[:2] == slow[:2]
