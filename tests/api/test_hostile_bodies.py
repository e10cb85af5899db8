"""Bodies made to keep the service busy: each is refused or answered soon, while other requests go on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import cache
from time import thread_time
from typing import Any

import httpx
import orjson
import pytest
from django.conf import settings

from skg_site.api import json_value_limit as sizes
from skg_site.api.problems import Invalid
from tests.api.failures import FACT, World
from tests.api.operations import DOCUMENT, OPERATIONS, Operation
from tests.conftest import ChangeSettings, IssueKey
from triples.http import batches

MAX_BODY = settings.ENV.max_body_bytes
# Nothing takes the event loop longer than 20 ms on a quiet machine; the service before took seconds.
LONGEST_STALL = 0.25
LARGEST_ANSWER = 100_000


ROOM = MAX_BODY - 2000


@cache
def filled(unit: bytes, most: int) -> bytes:
    """An array of the unit, as often as there is room for or `most` says."""
    return b"[" + b",".join([unit] * min(most, ROOM // (len(unit) + 1))) + b"]"


@cache
def members(value: bytes, most: int) -> bytes:
    """An object of so many different members, or as many as there is room for."""
    number = min(most, ROOM // (12 + len(value)))
    return b"{" + b",".join(b'"%08x":%b' % (name, value) for name in range(number)) + b"}"


# What may stand in the place of any value, with so many values in it at most.
VALUES: dict[str, Callable[[int], bytes]] = {
    "powers of ten": lambda most: filled(b"1e5", most),
    "long numbers": lambda most: filled(b"0.12345678901234561", most),
    "inexact numbers": lambda most: filled(b"0.123456789012345678", most),
    "numbers of 700 digits": lambda most: filled(b"0." + b"1234567" * 100, most),
    "objects": lambda most: filled(b"{}", most),
    "texts": lambda most: filled(b'"read"', most),
    "marks": lambda most: filled(b'"' + "a\u0327\u0300".encode() * 600 + b'"', most),
    "members": lambda most: members(b"1", most // 4),
    "members with members": lambda most: members(b'{"a":{}}', most // 8),
    "arrays in arrays": lambda most: filled(b"[" * 30 + b"]" * 30, most // 30),
    "networks in a text": lambda _most: b"[" + orjson.dumps(",".join(["10.0.0.0/8"] * (ROOM // 11))) + b"]",
    "quotation marks": lambda _most: b'["' + b'\\"' * (ROOM // 2) + b'"]',
    "commas": lambda _most: b'"' + b"," * ROOM + b'"',
    "brackets": lambda _most: b"[" * ROOM,
    "deep members": lambda _most: b'{"a":' * (ROOM // 5),
}
# Those that fill a whole body, and those that cost something in being validated and not only in being parsed.
FILLING = ("powers of ten", "objects", "members", "commas", "deep members")
VALIDATED = ("texts", "marks", "members")
# Those whose bodies hold lists, objects or metadata; the models of the others have a few plain fields each.
IN_EVERY_RUN = {"POST /keys", "POST /query", "POST /query/patterns", "POST /rules", "POST /triples/batch"}
OPERATIONS_WITH_BODIES = [
    pytest.param(operation, marks=() if str(operation) in IN_EVERY_RUN else pytest.mark.long)
    for operation in OPERATIONS
    if operation.takes_json
]


def properties(operation: Operation) -> Iterator[str]:
    """The names of what a body may hold at its top."""
    [media] = operation.described["requestBody"]["content"].values()
    names: dict[str, None] = {}

    def collect(schema: dict[str, Any]) -> None:
        if "$ref" in schema:
            schema = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        names.update(dict.fromkeys(schema.get("properties", ())))
        for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
            collect(part)

    collect(media["schema"])
    return iter(names)


def hostile_bodies(operation: Operation) -> Iterator[tuple[str, bytes]]:
    """Hostile values in the place of a body, and of each of its members; as many as a body can hold, or may hold."""
    allowed = batches.MAX_VALUES if operation.path() == "/triples/batch" else sizes.MAX_VALUES
    first, *others = properties(operation)
    for name, make in VALUES.items():
        yield f"{name} in {first}", _with(operation.example, first, make(allowed - 50))
    for name in FILLING:
        yield f"a body of {name}", _with(operation.example, first, VALUES[name](MAX_BODY))
    for name in VALIDATED:
        value = VALUES[name](allowed - 50)
        yield f"{name} as the body", value
        for member in (*others, "unknown"):
            yield f"{name} in {member}", _with(operation.example, member, value)


def _with(example: dict[str, Any], member: str, value: bytes) -> bytes:
    rest = {name: content for name, content in example.items() if name != member}
    return orjson.dumps({**rest, member: orjson.Fragment(value)})


class Stalls:
    """The processor time for which the event loop was kept from anything else, at the longest.

    What other processes took of a busy machine meanwhile is no part of it.
    """

    longest = 0.0


@asynccontextmanager
async def watched_loop() -> AsyncIterator[Stalls]:
    stalls = Stalls()

    async def watch() -> None:
        while True:
            before = thread_time()
            await asyncio.sleep(0.001)
            stalls.longest = max(stalls.longest, thread_time() - before)

    task = asyncio.create_task(watch())
    await asyncio.sleep(0.01)
    stalls.longest = 0.0
    try:
        yield stalls
    finally:
        # Whatever kept the loop shows when the watch comes to its turn.
        await asyncio.sleep(0.002)
        task.cancel()


@pytest.fixture
def world(
    anonymous: httpx.AsyncClient,
    issue_key: IssueKey,
    change_settings: ChangeSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    return World(anonymous, issue_key, change_settings, monkeypatch, issue_key())


@pytest.mark.repetitive
@pytest.mark.parametrize("operation", OPERATIONS_WITH_BODIES, ids=str)
async def test_no_body_keeps_the_event_loop_or_draws_out_a_large_answer(world: World, operation: Operation) -> None:
    slow = []
    for name, body in hostile_bodies(operation):
        assert len(body) <= MAX_BODY, name
        # Where the machine is busy with something else, the next time shows it.
        longest = 0.0
        for _ in range(3):
            request = world.request(operation, content=body, headers={"Content-Type": "application/json"})
            async with watched_loop() as stalls:
                answer = await world.client.send(request)
            assert answer.status_code < 500, f"{name}: {answer.text[:200]}"
            assert len(answer.content) < LARGEST_ANSWER, name
            longest = stalls.longest
            if longest < LONGEST_STALL:
                break
        else:
            slow.append((name, round(longest, 3)))
    assert not slow


async def test_a_hundred_faults_are_reported_and_the_number_of_the_others(api: httpx.AsyncClient) -> None:
    unknown = {f"unknown {number}": number for number in range(350)}
    answer = (await api.post("/triples/add", json={**FACT, **unknown})).json()
    assert answer["detail"] == "The input is not valid in 350 places; the first 100 are listed."
    assert (len(answer["errors"]), answer["more_errors"]) == (100, 250)
    assert answer["errors"][0] == {
        "loc": ["unknown 0"],
        "msg": "Extra inputs are not permitted",
        "type": "extra_forbidden",
    }
    few = (await api.post("/triples/add", json={**FACT, "unknown": 1})).json()
    assert (len(few["errors"]), "more_errors" in few) == (1, False)


async def test_a_batchs_facts_are_looked_at_until_there_are_a_hundred_faults(api: httpx.AsyncClient) -> None:
    wide = FACT | {f"unknown {number}": 1 for number in range(1000)}
    content: dict[str, Any] = {}
    for flag in ({}, {"skip_invalid": True}):
        answer = await api.post("/triples/batch", json={"triples": [wide] * 20 + [FACT], **flag})
        content = answer.json()
        errors = content["errors"] if not flag else content["error_details"][0]["errors"]
        assert errors[0] | {"msg": ""} == {"loc": ["triples", 0], "msg": "", "type": "too_many_members"}
        assert "1,003 members" in errors[0]["msg"]
    assert (content["accepted"], content["errors"]) == (1, 20)


def test_a_large_batch_is_not_looked_at_to_its_end() -> None:
    with pytest.raises(Invalid) as caught:
        batches._in_slices([FACT] * 150 + [{"subject": 1}] * 1000)
    assert [len(caught.value.errors), caught.value.errors[0]["loc"]] == [100, ["triples", 150, "subject"]]
    assert "what comes after them was not looked at" in str(caught.value.detail)
    assert len(batches._in_slices([FACT] * 250)) == 250


async def test_what_a_client_sent_comes_back_cut_off(api: httpx.AsyncClient) -> None:
    name = "n" * 100_000
    for body in ({**FACT, name: 1}, {**FACT, "metadata": {name: 10**17}}):
        answer = await api.post("/triples/add", json=body)
        assert (answer.status_code, len(answer.content) < 1000) == (422, True)
    twice = await api.post(
        "/triples/add", content=f'{{"{name}": 1, "{name}": 1}}', headers={"Content-Type": "application/json"}
    )
    assert (twice.status_code, twice.json()["errors"][0]["type"]) == (422, "duplicate_key")
    assert len(twice.content) < 1000


async def test_a_batch_with_vectors_among_its_metadata_is_stored(api: httpx.AsyncClient) -> None:
    vector = [number / 7919 for number in range(700)]
    facts = [{**FACT, "object": f"o{number}", "metadata": {"vector": vector}} for number in range(100)]
    answer = await api.post("/triples/batch", json={"triples": facts})
    assert answer.json()["accepted"] == 100, answer.text
