"""Search of terms, beside a look at every one of them."""

import random
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from tests.support.database import in_orm
from tests.triples.query.test_typos_in_parts import in_parts
from tests.triples.store.graphs import committed, fact, store, stored_rows
from tests.triples.store.inferred.derived import program, run
from triples.folding import fold, words
from triples.models import Term
from triples.query import candidate_lookups, term_reads, term_search
from triples.query.term_places import count_facts
from triples.query.term_reads import FoundTerm, TermSearcher, WantedTerms
from triples.query.term_search import Kind, Match
from triples.query.typos_in_parts import edits_allowed
from triples.store.backend import backend
from triples.store.group_commit import open_session
from triples.store.inferred.read_snapshots import ReadSnapshots
from triples.store.operations import Remove
from triples.store.sessions import Rows
from triples.store.term_lookup import ensure_terms

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

SYLLABLES = re.split("-", "ka-ro-mi-ten-dal-vin-es-tor-an-el-is-mar-bel-co-pru-ha-gri-fen-lo-sta-wen-qui")
OTHERS = [
    "Straße 9", "Malmö", "東京都", "東京タワー", "محمد علي", "محمود", "😀", "😀😁", "🇨🇭 Schweiz", "Ω", "한국어", "한글",
    "हिन्दी", "C++", "C#", "d", "do", "dog.n.01", 'he said "no"', "a AND b", "NEAR(a b)", "folded:a*", "?", "%_", "'",
    "^a", "__", "x" * 500,
]  # fmt: skip


def name(dice: random.Random) -> str:
    words = ["".join(dice.choices(SYLLABLES, k=dice.choice((2, 3)))).capitalize() for _ in range(dice.choice((1, 2)))]
    return " ".join(words)


def names(number: int) -> list[str]:
    dice = random.Random(5)
    return list(dict.fromkeys(name(dice) for _ in range(number)))


NAMES = names(1_400) + OTHERS


def fill() -> None:
    """The names as objects, in several commits, of which the last ones are not indexed yet on SQLite."""
    for start in range(0, len(NAMES), 300):
        store(*(fact("hub", "has", text) for text in NAMES[start : start + 300]))


@pytest.fixture
def searcher() -> TermSearcher:
    in_orm(fill)
    return TermSearcher(backend().dialect, backend().term_index)


# That of the connection, which can have one only.
snapshots: list[ReadSnapshots] = []


def search(
    searcher: TermSearcher, text: str, match: Match | None = None, limit: int = 100, position: str | None = None
) -> list[FoundTerm]:
    def read() -> list[FoundTerm]:
        session = open_session(connection)
        if not snapshots or snapshots[0].driver is not session.driver:
            snapshots[:] = [backend().read_snapshots(session.driver)]
        with snapshots[0].taken(session.rows) as shown:
            return searcher.search(session.rows, shown, WantedTerms(text, match, position, limit))  # type: ignore[arg-type]

    return in_orm(read)


def texts(found: list[FoundTerm]) -> list[str]:
    return [term.hit.text for term in found]


def expected(text: str, *kinds: Kind) -> set[str]:
    folded = fold(text)
    tests: dict[Kind, Callable[[str], bool]] = {
        Kind.EXACT: lambda other: other == folded,
        Kind.PREFIX: lambda other: other.startswith(folded),
        # One or two letters are not looked for within terms.
        Kind.SUBSTRING: lambda other: len(folded) > 2 and folded in other,
    }
    return {one for one in [*NAMES, "hub", "has"] if any(tests[kind](fold(one)) for kind in kinds)}


def typed() -> st.SearchStrategy[str]:
    """Parts of names, in other letters, and what is in none."""
    parts = st.tuples(st.sampled_from(NAMES), st.integers(0, 12), st.integers(1, 8)).map(
        lambda drawn: drawn[0][drawn[1] : drawn[1] + drawn[2]].strip()
    )
    return st.one_of(
        parts,
        parts.map(str.upper),
        st.text(st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), min_size=1, max_size=5),
    ).filter(bool)


def test_short_lists_are_complete_and_in_order(searcher: TermSearcher) -> None:
    @given(typed())
    def compare(text: str) -> None:
        for match, kinds in (("prefix", [Kind.PREFIX]), ("substring", [Kind.PREFIX, Kind.SUBSTRING])):
            found = search(searcher, text, match, limit=10_000)  # type: ignore[arg-type]
            wanted = expected(text, *kinds)
            if len(wanted) < candidate_lookups.CAP:
                assert set(texts(found)) == wanted
            assert len(set(texts(found))) == len(found)
            scores = [term.hit.score for term in found]
            assert scores == sorted(scores, reverse=True)
            assert all(0 <= score <= 1 for score in scores)
        usual = search(searcher, text)
        assert expected(text, Kind.EXACT) <= set(texts(usual))
        assert [term.hit.kind for term in usual] == sorted(term.hit.kind for term in usual)

    compare()


@pytest.mark.parametrize("text", OTHERS, ids=ascii)
def test_every_name_finds_itself_first(searcher: TermSearcher, text: str) -> None:
    for match in (None, "prefix", "substring", "fuzzy"):
        found = search(searcher, text, match, limit=1)
        assert texts(found) == [text]
        assert (found[0].hit.kind, found[0].hit.score) == (Kind.EXACT, 1.0)


def with_typo(text: str, dice: random.Random) -> str:
    """The text with a letter less, more, another, or with two that changed places."""
    at = dice.randrange(len(text) - 1)
    letter = dice.choice("abcdefghijklmnopqrstuvwxyz")
    return dice.choice(
        [
            text[:at] + text[at + 1 :],
            text[:at] + letter + text[at:],
            text[:at] + letter + text[at + 1 :],
            text[:at] + text[at + 1] + text[at] + text[at + 2 :],
        ]
    )


@pytest.mark.parametrize("match", [None, "fuzzy"])
def test_names_with_a_typo_are_among_the_first_ten(searcher: TermSearcher, match: Match | None) -> None:
    dice = random.Random(3)
    wanted = dice.sample([text for text in NAMES if len(text) > 4 and text.isascii() and len(text) < 50], 150)
    found = [text in texts(search(searcher, with_typo(text, dice), match, limit=10)) for text in wanted]
    assert sum(found) / len(found) >= 0.95


def test_two_typos_far_apart_are_found(searcher: TermSearcher) -> None:
    in_orm(store, fact("hub", "has", "Albert Einstein"), fact("hub", "has", "poodle"))
    assert texts(search(searcher, "Albrt Einstien"))[0] == "Albert Einstein"
    assert "poodle" in texts(search(searcher, "pudle", "fuzzy"))


def index_all() -> None:
    """Also the newest terms, which are compared one by one on SQLite."""
    in_orm(lambda: backend().term_index.fill(lambda _: None))


@pytest.mark.parametrize("indexed", [True, False])
def test_a_part_of_a_name_is_found_in_spite_of_typos(searcher: TermSearcher, indexed: bool) -> None:
    dogs = [fact(breed, "is_a_kind_of", "dog.n.01") for breed in ("poodle.n.01", "toy_poodle.n.01", "bulldog.n.01")]
    in_orm(store, *dogs, fact("Albert Einstein", "was_born_in", "Ulm"))
    if indexed:
        index_all()
    for text in ("pudle", "poodel", "poodel.n"):
        for match in (None, "fuzzy"):
            assert texts(search(searcher, text, match, limit=2)) == ["poodle.n.01", "toy_poodle.n.01"]
    assert texts(search(searcher, "einstien"))[0] == "Albert Einstein"
    assert texts(search(searcher, "albrt"))[0] == "Albert Einstein"
    assert texts(search(searcher, "toy poodel"))[0] == "toy_poodle.n.01"
    # A part that is as long as what was typed.
    assert texts(search(searcher, "tyo poo"))[0] == "toy_poodle.n.01"
    assert texts(search(searcher, "knid", position="predicate")) == ["is_a_kind_of"]


def test_the_more_of_a_term_was_typed_the_better_it_matches(searcher: TermSearcher) -> None:
    better = ["Poodles", "poodles", "poodles and others", "two poodles"]
    # People seldom mistake the first letter.
    typos = ["poodle", "noodles", "a poodle", "two pooldes", "this poodle"]
    in_orm(store, *(fact("hub", "has", text) for text in ["noodles", *better, *typos, "hares"]))
    found = search(searcher, "Poodles")
    # Where a term is just what was typed, no typo is assumed in a part of others, unless it is asked for.
    assert texts(found) == better + typos[:2]
    assert texts(search(searcher, "Poodles", "fuzzy"))[-3:] == typos[2:]
    exact, prefix, substring, fuzzy, part = Kind
    kinds = [exact, exact, prefix, substring, fuzzy, fuzzy]
    assert [term.hit.kind for term in found] == kinds
    scores = [term.hit.score for term in found]
    assert scores == sorted(scores, reverse=True)
    # Typos come where nothing better is left.
    assert texts(search(searcher, "Poodles", limit=4)) == better
    assert texts(search(searcher, "Poodles", limit=5)) == better + typos[:1]
    # Without any typo, it is but a part.
    wanted = search(searcher, "poodle", "fuzzy")
    assert texts(wanted)[:3] == ["poodle", "Poodles", "poodles"]
    assert [term.hit.kind for term in wanted if term.hit.text in {"this poodle", "two poodles"}] == [part, part]


@pytest.fixture
def large_caps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidate_lookups, "TYPO_CAP", 10_000)
    monkeypatch.setattr(term_search, "PART_CAP", 100_000)


def test_one_typo_in_a_long_part_is_always_found(searcher: TermSearcher, large_caps: None) -> None:
    parts = [part for text in NAMES if text.isascii() and len(text) < 50 for part in (text, *text.split())]
    # In fewer letters, a typo may spoil all of the trigrams.
    long = [part for part in dict.fromkeys(parts) if len(part) > 8]
    index_all()

    @given(st.sampled_from(long), st.randoms(use_true_random=False))
    def compare(part: str, dice: random.Random) -> None:
        text = with_typo(part, dice)
        if len(words(fold(text))) != len(words(fold(part))):
            return
        expected = {name for name in NAMES if min(in_parts(fold(text), fold(name)), default=(9,))[0] <= 1}
        assert expected <= set(texts(search(searcher, text, limit=10_000)))
        assert expected <= set(texts(search(searcher, text, "fuzzy", limit=10_000)))

    compare()


def test_two_typos_in_the_first_word_are_found_among_many_that_end_alike(
    searcher: TermSearcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidate_lookups, "TYPO_CAP", 5)
    monkeypatch.setattr(term_search, "PART_CAP", 30)
    in_orm(store, *(fact("hub", "has", f"{number} handles") for number in range(50)))
    in_orm(store, fact("hub", "has", "poodle.n.01"))
    index_all()
    assert texts(search(searcher, "pudle", limit=3)) == ["poodle.n.01"]


def test_what_is_too_unlike_is_not_found(searcher: TermSearcher) -> None:
    @given(typed())
    def compare(text: str) -> None:
        folded = fold(text)
        for term in search(searcher, text, "fuzzy"):
            other = fold(term.hit.text)
            if term.hit.kind is Kind.PART:
                edits, letters = min(in_parts(folded, other)).typos, len(" ".join(words(folded)))
            else:
                # Two letters may lack a third one.
                edits, letters = OSA.distance(folded, other), 3 if (len(folded), len(other)) == (2, 3) else len(folded)
            assert edits <= edits_allowed(letters)

    compare()


def test_a_term_says_in_how_many_facts_it_stands(searcher: TermSearcher) -> None:
    [hub] = search(searcher, "HUB", limit=1)
    assert hub.facts == (1_000, 0, 0)
    assert len(NAMES) > 1_000
    [has] = search(searcher, "has", limit=1)
    assert has.facts == (0, 1_000, 0)


def test_terms_without_facts_are_left_out(searcher: TermSearcher) -> None:
    gone = in_orm(stored_rows)[("hub", "has", "Malmö")]
    in_orm(committed, [Remove(gone.id, gone.created_ms)])
    assert Term.objects.filter(text="Malmö").exists()
    assert "Malmö" not in texts(search(searcher, "malmo"))
    assert len(search(searcher, "ma", limit=5)) == 5


@pytest.fixture(params=[term_reads._FEW_PREDICATES, 0], ids=["few predicates", "many"])
def predicates(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(term_reads, "_FEW_PREDICATES", request.param)


def test_a_position_leaves_out_terms_that_stand_elsewhere(searcher: TermSearcher, predicates: None) -> None:
    in_orm(store, fact("mark", "marks", "marked"), fact("marked", "knows", "Marko"))
    found = {place: texts(search(searcher, "mark", "prefix", 10_000, place)) for place in ("subject", "predicate")}
    assert found == {"subject": ["mark", "marked"], "predicate": ["marks"]}
    objects = texts(search(searcher, "mark", "prefix", 10_000, "object"))
    assert set(objects) == (expected("mark", Kind.PREFIX) | {"marked", "Marko"})


def test_postgresql_counts_by_the_indexes_however_few_predicates_there_are(searcher: TermSearcher) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is told which index to read")

    def plan() -> str:
        statements: list[str] = []

        def fetch(sql: str, parameters: Sequence[Any]) -> Rows:
            statements.extend(line for (line,) in open_session(connection).rows(f"EXPLAIN {sql}", parameters))
            return []

        with connection.cursor() as cursor:
            cursor.execute("ANALYZE triples_triple")
        count_facts(fetch, backend().dialect, None, [1, 2, 3])
        return "\n".join(statements)

    found = in_orm(plan)
    assert "Seq Scan" not in found
    assert all(f"using {index} " in found for index in ("triple_s", "triple_p", "triple_o"))


RULE = {
    "name": "kin",
    "weight": 0.5,
    "head": ["?y", "grandchild_of", "?x"],
    "body": [["?x", "parent_of", "?z"], ["?z", "parent_of", "?y"]],
}


def test_inferred_facts_count_and_their_predicates_are_found(searcher: TermSearcher, predicates: None) -> None:
    in_orm(store, fact("Ada", "parent_of", "Bob"), fact("Bob", "parent_of", "Cleo"))
    in_orm(ensure_terms, ["grandchild_of"])
    in_orm(lambda: run(program(RULE)))
    [found] = search(searcher, "grandchild", position="predicate")
    assert (found.hit.text, found.facts) == ("grandchild_of", (0, 1, 0))
    [cleo] = search(searcher, "cleo", limit=1, position="subject")
    assert cleo.facts == (1, 0, 1)
    [ada] = search(searcher, "ada", "fuzzy", limit=1, position="object")
    assert ada.facts == (1, 0, 1)
    gone = in_orm(stored_rows)[("Ada", "parent_of", "Bob")]
    in_orm(committed, [Remove(gone.id, gone.created_ms)])
    assert not search(searcher, "grandchild", position="predicate")
    assert not search(searcher, "cleo", "prefix", position="subject")


@pytest.fixture
def small_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidate_lookups, "CAP", 5)


def test_an_exact_match_is_found_among_very_many_that_begin_so(searcher: TermSearcher, small_cap: None) -> None:
    in_orm(store, fact("hub", "has", "KA"))
    assert texts(search(searcher, "ka", limit=3))[0] == "KA"


def test_a_text_that_is_longer_than_what_is_searched_finds_nothing() -> None:
    in_orm(store, fact("z" * 500), fact("z" * 501))
    fresh = TermSearcher(backend().dialect, backend().term_index)
    assert [one.hit.text for one in search(fresh, "z" * 500, "prefix")] == ["z" * 500, "z" * 501]
    assert search(fresh, "z" * 501) == []
