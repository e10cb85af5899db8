"""Strings that break programs: what is accepted comes back as it was sent, what is not is named, nothing fails."""

from typing import Any
from unicodedata import normalize

import httpx
import pytest

pytestmark = pytest.mark.both

FIELDS = ("subject", "predicate", "object")

ACCEPTED = {
    "sql": "Robert'); DROP TABLE triples_triple;--",
    "sql quotes": "'' \"\" `` ' OR 1=1 /* */",
    "sql wild cards": "100%_\\%",
    "placeholders": "? %s %(x)s :name $1 {0}",
    "backslashes": "\\ \\\\ \\n \\u0000 \\x00",
    "markup": "<script>alert(1)</script>&amp;]]>",
    "template": "{{7*7}} ${7*7} {% csrf_token %}",
    "json": '{"subject": null}',
    "null": "null",
    "number": "1e999",
    "boolean": "false",
    "path": "../../../../etc/passwd",
    "iri": "https://example.org/a?b=c#d%20e",
    "command": "$(reboot); `reboot` | reboot & reboot",
    "formula": "=cmd|' /C calc'!A0",
    "identifier": "dog.n.01",
    "apostrophe": "Rubik's cube",
    "inner space": "a  b \u3000 c",
    "decomposed": "e\u0301o\u0302\u0323",
    "composed": "\u00e9",
    "singleton": "\u2126 \u212b \ufa0e",
    "hangul": "\u1100\u1161\u11a8",
    "ligature": "\ufb01",
    "composition exclusion": "\u0958 \ufb2a \U0001d15e",
    "many marks": "Z" + "\u0300\u0327" * 20,
    "mark alone": "\u0301a",
    "right to left": "\u202eabc\u202c \u05d0\u05d1",
    "zero width": "a\u200bb\u200dc\ufeffd",
    "zero width alone": "\u200b",
    "byte order mark": "\ufeffa",
    "emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f1e8\U0001f1ed",
    "astral": "\U00010000\U0010fffd",
    "last code point": "\U0010ffff",
    "noncharacter": "\ufffe\uffff\ufdd0",
    "private use": "\ue000\uf8ff",
    "replacement": "\ufffd",
    "line separators": "a\u2028b\u2029c",
    "soft hyphen": "a\u00adb",
    "turkish": "\u0130I\u0131i",
    "sharp s": "\u00df\u1e9e",
    "greek": "\u03c3\u03c2\u03a3",
    "arabic": "\ufdfa",
    "tags": "a\U000e0061\U000e007f",
    "unassigned": "\U0003fffd",
    "padded": "  padded\u00a0\u3000",
    "padded with lines": "\r\n\tpadded\x0b\x0c\x1c\x85\u2028",
    "longest": "x" * 100,
    "longest in bytes": "\U0001f9e0" * 100,
    "longest when composed": "e\u0301" * 100,
}

# The string, and what the sentence about it says.
REFUSED = {
    "empty": ("", "empty"),
    "space": (" ", "empty"),
    "other space": ("\u3000\u00a0\u2028", "empty"),
    "lines": ("\r\n", "empty"),
    "nul": ("a\x00b", "U+0000"),
    "nul alone": ("\x00", "U+0000"),
    "bell": ("\x07a", "U+0007"),
    "inner line": ("a\nb", "U+000A"),
    "inner tab": ("a\tb", "U+0009"),
    "escape": ("\x1b[31m", "U+001B"),
    "delete": ("a\x7f", "U+007F"),
    "c1": ("a\x9fb", "U+009F"),
    "next line": ("a\x85b", "U+0085"),
    "too long": ("x" * 10_001, "at most"),
    "too long when composed": ("\ufb2c" * 3_400, "at most"),
    "far too long": ("x" * 100_000, "at most"),
    "far too many marks": ("a" + "\u0300\u0327" * 50_000, "at most"),
}


def as_kept(text: str) -> str:
    return normalize("NFC", text.strip())


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
async def test_an_odd_string_comes_back_as_it_was_sent(api: httpx.AsyncClient, text: str) -> None:
    kept = dict.fromkeys(FIELDS, as_kept(text))
    added = await api.post("/triples/add", json=dict.fromkeys(FIELDS, text) | {"metadata": {text: [text]}})
    assert added.status_code == 201, added.text
    content: dict[str, Any] = added.json()
    assert kept.items() <= content.items()
    # Metadata is the client's own and is not touched.
    assert content["metadata"] == {text: [text]}
    del content["status"]
    assert (await api.get(f"/triples/{content['id']}")).json() == content
    assert (await api.get("/triples", params=dict.fromkeys(FIELDS, text))).json()["triples"] == [content]
    # In a pattern it would be the name of a variable.
    place = {"term": text} if as_kept(text).startswith("?") else text
    for pattern in ([place] * 3, [place, None, None], [None, place, None], [None, None, place]):
        found = (await api.post("/query", json={"pattern": pattern})).json()
        assert (found["total"], kept.items() <= found["results"][0].items()) == (1, True)
    again = await api.post("/triples/batch", json={"triples": [kept]})
    assert again.json()["duplicates"] == 1


async def test_odd_strings_are_all_different_facts(api: httpx.AsyncClient) -> None:
    facts = [{"subject": text, "predicate": "p", "object": "o"} for text in ACCEPTED.values()]
    stored = await api.post("/triples/batch", json={"triples": facts})
    assert stored.json()["accepted"] == len({as_kept(text) for text in ACCEPTED.values()})


@pytest.mark.once
@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED)
async def test_a_string_that_can_be_no_term_is_refused_by_name(api: httpx.AsyncClient, text: str, reason: str) -> None:
    good = dict.fromkeys(FIELDS, "good")
    for place, field in enumerate(FIELDS):
        refusals = {
            (field,): await api.post("/triples/add", json=good | {field: text}),
            ("triples", 1, field): await api.post("/triples/batch", json={"triples": [good, good | {field: text}]}),
            ("pattern", place): await api.post(
                "/query", json={"pattern": [text if index == place else None for index in range(3)]}
            ),
        }
        if len(text) < 1000:
            refusals[field,] = await api.get("/triples", params={field: text})
        for loc, answer in refusals.items():
            assert answer.status_code == 422, answer.text
            [fault] = answer.json()["errors"]
            assert tuple(fault["loc"]) == loc
            assert reason in fault["msg"]
    assert (await api.get("/stats")).json()["total_triples"] == 0


@pytest.mark.parametrize("escape", [r"\ud800", r"\udfff", r"\ude00\ud83d", r"\ud83d", r"a\udc00b"])
async def test_half_a_character_is_no_json(api: httpx.AsyncClient, escape: str) -> None:
    for field in FIELDS:
        body = "{" + ",".join(f'"{name}":"{escape if name == field else "a"}"' for name in FIELDS) + "}"
        answer = await api.post("/triples/add", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, answer.text
        assert answer.json()["detail"].startswith("The body is not JSON")


@pytest.mark.parametrize("body", [b'{"subject":"\xff"}', b'{"subject":"\xed\xa0\x80"}', b'{"subject":"\xc0\x80"}'])
async def test_what_is_no_utf_8_is_no_json(api: httpx.AsyncClient, body: bytes) -> None:
    answer = await api.post("/triples/add", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "key", ["", "\x00", "\n", "__proto__", "a.b", "$ref", "\u202e", "x" * 1000, "\ufeff", "\U0001f9e0", "\ud800\udc00"]
)
async def test_metadata_takes_any_text(api: httpx.AsyncClient, key: str) -> None:
    key = key.encode("utf-16", "surrogatepass").decode("utf-16")
    answer = await api.post("/triples/add", json=dict.fromkeys(FIELDS, "a") | {"metadata": {key: {key: key}}})
    assert (answer.status_code, answer.json().get("metadata")) == (201, {key: {key: key}})
    fetched = await api.get(f"/triples/{answer.json()['id']}")
    assert fetched.json()["metadata"] == {key: {key: key}}
