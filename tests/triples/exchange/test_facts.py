"""Fields as facts, by the API's rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triples.exchange.facts import UNSCALED, FactMaker, Scale
from triples.exchange.fields import Fields
from triples.exchange.lines import Refused
from triples.fact_validation import MAX_METADATA_BYTES
from triples.models import Source
from triples.store.operations import Fact

FITTING = {"a": "x" * (MAX_METADATA_BYTES - len('{"a":""}'))}


def made(fields: Fields | list[str] | Refused, default_weight: float = 1.0, scale: Scale = UNSCALED) -> Fact:
    """The fact, if the fields make one; otherwise the reason is raised."""
    refused: list[Refused] = []

    def refuse(line: int, reason: Refused) -> None:
        assert line == 7
        refused.append(reason)

    facts = FactMaker(default_weight, scale).facts([(7, fields)], refuse)
    if refused:
        raise refused[0]
    return facts[0]


@pytest.mark.parametrize(
    ("fields", "fact"),
    [
        (Fields("s", "p", "o", None, None), Fact("s", "p", "o", 0.25, None, Source.IMPORT)),
        ([" s", "p\t", "e\u0301"], Fact("s", "p", "\u00e9", 0.25, None, Source.IMPORT)),
        (Fields(" s\t", "p", "e\u0301", 0.5, {}), Fact("s", "p", "\u00e9", 0.5, None, Source.IMPORT)),
        (
            Fields("s", "p", "o", 0.0, {"b": 1.0, "a": [1]}),
            Fact("s", "p", "o", 0.0, '{"b":1.0,"a":[1]}', Source.IMPORT),
        ),
    ],
)
def test_fields_make_a_fact(fields: Fields | list[str], fact: Fact) -> None:
    assert made(fields, default_weight=0.25) == fact


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (Fields("", "p", "o", None, None), "subject must not be empty"),
        (Fields("s", " \t", "o", None, None), "predicate must not be empty"),
        (["", "p", "o"], "subject must not be empty"),
        (["s", "p" * 501, "o"], "predicate must have at most 500 characters, not 501"),
        (["s", "p", "\x7f"], "object must not contain the control character U+007F"),
        (Refused("has 1 column"), "has 1 column"),
        (Fields("s", "p" * 501, "o", None, None), "predicate must have at most 500 characters, not 501"),
        (Fields("s", "p", "o" * 501, None, None), "object must have at most 500 characters, not 501"),
        (Fields("s", "p", "a\x00b", None, None), "object must not contain the control character U+0000"),
        (Fields("s", "p", "o", 1.5, None), "weight must be from 0 to 1, not 1.5"),
        (Fields("s", "p", "o", -1e-9, None), "weight must be from 0 to 1, not -1e-09"),
        (Fields("s", "p", "o", None, {"a": FITTING["a"] + "x"}), "metadata must take at most 16,384 bytes as JSON"),
    ],
)
def test_fields_that_make_none_say_which_is_wrong(fields: Fields | list[str] | Refused, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        made(fields)
    assert str(refused.value).startswith(reason)


def test_the_largest_metadata_fit() -> None:
    assert len(made(Fields("s", "p", "o", None, FITTING)).metadata or "") == MAX_METADATA_BYTES


@pytest.mark.parametrize(
    ("scale", "weight", "expected"),
    [("0:10", 0, 0.0), ("0:10", 10, 1.0), ("0:10", 2.5, 0.25), ("-2:6", 0, 0.25), ("10:0", 10, 0.0), ("10:0", 0, 1.0)],
)
def test_weights_are_scaled(scale: str, weight: float, expected: float) -> None:
    assert made(Fields("s", "p", "o", weight, None), scale=Scale.parse(scale)).weight == expected


@pytest.mark.parametrize(("scale", "weight"), [("0:10", 10.001), ("0:10", -0.001), ("10:0", 11), ("-2:6", -2.5)])
def test_weights_outside_of_the_scale_are_refused_and_not_clipped(scale: str, weight: float) -> None:
    with pytest.raises(Refused, match="weight must be from"):
        made(Fields("s", "p", "o", weight, None), scale=Scale.parse(scale))


def test_the_default_weight_is_not_scaled() -> None:
    assert made(Fields("s", "p", "o", None, None), 0.5, Scale(0, 10)).weight == 0.5


@pytest.mark.parametrize("text", ["", "1", "1:", ":1", "1:1", "a:b", "nan:1", "0:inf", "0:1:2", "-1e308:1e308"])
def test_what_is_no_range_is_no_scale(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Scale.parse(text)


@given(st.floats(0, 1))
def test_a_weight_that_needs_no_scaling_stays_the_same(weight: float) -> None:
    assert repr(UNSCALED.apply(weight)) == repr(weight)


finite = st.floats(-1e300, 1e300)


@given(finite, finite, st.data())
def test_a_scaled_weight_is_a_weight(low: float, high: float, data: st.DataObject) -> None:
    if low != high:
        assert 0 <= Scale(low, high).apply(data.draw(st.floats(min(low, high), max(low, high)))) <= 1


def not_refused(line: int, reason: Refused) -> None:
    pytest.fail(f"{line}: {reason}")


def test_what_was_cleaned_is_not_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triples.exchange.facts.REMEMBERED_TEXTS", 3)
    names = [f" {number}" for number in range(10)]
    facts = FactMaker(1.0, UNSCALED).facts([(1, [name, " p", name]) for name in names], not_refused)
    assert [fact[:3] for fact in facts] == [(name.strip(), "p", name.strip()) for name in names]
