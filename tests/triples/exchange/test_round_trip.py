"""What is exported and imported again is the same, in every format."""

import io
import math

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.triples.exchange.formats import RECORD_FORMATS
from triples.exchange.facts import UNSCALED, FactMaker
from triples.exchange.formats.records import RecordFormat
from triples.exchange.lines import Refused
from triples.fact_validation import metadata_text
from triples.query.export import StreamedFact
from triples.text import MAX_PREDICATE_LENGTH, TermError, clean_term

ODD_TEXTS = [
    '"',
    '""',
    "'",
    ",",
    "a,b",
    "\\",
    "\\t",
    "\\n",
    "#comment",
    "-",
    "--option",
    "=1+1",
    "subject",
    "NULL",
    '{"subject": "s"}',
    "a\u2028b\u2029c",
    "a\xa0b",
    "😀",
    "\U0010ffff",
    "\ufeffmark",
    "0.5",
    "é",
]


def clean(text: str, limit: int) -> str | None:
    try:
        return clean_term(text, limit)
    except TermError:
        return None


def terms(limit: int = 500) -> st.SearchStrategy[str]:
    """Anything that may be stored."""
    any_text = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=60))
    return any_text.map(lambda text: clean(text, limit)).filter(bool)  # type: ignore[return-value]  # None is false


numbers = st.one_of(st.integers(-(2**53) + 1, 2**53 - 1), st.floats(allow_nan=False, allow_infinity=False))
texts = st.text(st.characters(codec="utf-8"), max_size=20)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)
facts = st.builds(
    StreamedFact,
    terms(),
    terms(MAX_PREDICATE_LENGTH),
    terms(),
    st.one_of(st.just(1.0), st.floats(0, 1)),
    st.dictionaries(texts, values, max_size=3).map(metadata_text),
    # Without these words, they would be made up.
    id=st.none(),
    created_ms=st.none(),
    updated_ms=st.none(),
)


def not_refused(line: int, reason: Refused) -> None:
    pytest.fail(f"{line}: {reason}")


def read_again(content: bytes, format_: RecordFormat) -> list[StreamedFact]:
    maker = FactMaker(1.0, UNSCALED)
    return [
        StreamedFact(*fact[:5])
        for batch in format_.batches(io.BufferedReader(io.BytesIO(content)))
        for fact in maker.facts(batch.records, not_refused)
    ]


@pytest.mark.parametrize("format_", RECORD_FORMATS)
@given(st.lists(facts, max_size=5))
@example([StreamedFact(text, text, text, 1.0, None) for text in ODD_TEXTS])
@example([StreamedFact("\ufeff", "p", "o", 1.0, None), StreamedFact("\ufeffmark", "p", "o", 1.0, None)])
@example([StreamedFact("subject", "predicate", "object", 1.0, None)])
@example([StreamedFact("s", "p", "o", weight, None) for weight in (0.0, 5e-324, math.nextafter(1, 0), 0.1 + 0.2)])
@example([StreamedFact("s", "p", "o", 1.0, orjson.dumps({text: text for text in ODD_TEXTS}).decode())])
@example([StreamedFact("s", "p", "o", 0.5, '{"z":1.0,"a":1,"e":1e+300,"n":-0.0,"u":"\\u0000\\n"}')])
def test_any_facts_come_back_as_they_are(format_: RecordFormat, exported: list[StreamedFact]) -> None:
    content = b"".join(format_.rendered([exported[:2], exported[2:]]))
    # As text, in which 0.0 and -0.0 differ.
    assert repr(read_again(content, format_)) == repr(exported)


HEADER_LIKE = [
    ("subject", "predicate", "object"),
    ("Object", "SUBJECT", "predicate"),
    ("source", "relation", "target"),
    ("head", "label", "to"),
    ("\ufeffsubject", "predicate", "object"),
]


@pytest.mark.parametrize("terms_", HEADER_LIKE)
@pytest.mark.parametrize("format_", RECORD_FORMATS)
@pytest.mark.parametrize("batches_before", [0, 1])
@pytest.mark.parametrize(("weight", "metadata"), [(1.0, None), (0.5, None), (1.0, '{"a":1}')])
def test_a_first_fact_of_words_for_columns_comes_back(
    terms_: tuple[str, str, str], format_: RecordFormat, batches_before: int, weight: float, metadata: str | None
) -> None:
    exported = [StreamedFact(*terms_, weight, metadata), StreamedFact(*terms_[::-1], 1.0, None)]
    content = b"".join(format_.rendered([*([[]] * batches_before), exported]))
    assert read_again(content, format_) == exported
