"""What a key is made of, and that a mistyped one is told from a wrong one."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apikeys.keys import (
    ALPHABET,
    Fault,
    configured_digest,
    digest_of,
    is_public_id,
    make_key,
    make_public_id,
    parse_key,
    same_digest,
)

TOKENS = st.builds(lambda: make_key("prod").clear_text)


def test_a_key_has_the_documented_form() -> None:
    key = make_key("prod")
    assert re.fullmatch(r"skg_prod_[A-Za-z0-9]{40}", key.clear_text)
    assert key.clear_text.startswith(f"skg_prod_{key.public_id}")
    assert is_public_id(key.public_id)
    assert parse_key(key.clear_text.encode()).public_id == key.public_id
    assert parse_key(key.clear_text.encode()).fault is None


def test_the_secret_has_150_bits() -> None:
    assert len(ALPHABET) == len(set(ALPHABET)) == 62
    assert 62**26 > 2**150


def test_what_is_stored_is_the_sha256_of_the_whole_key() -> None:
    key = make_key("prod")
    assert key.digest == digest_of(key.clear_text.encode())
    assert len(key.digest) == 32
    assert same_digest(key.digest, digest_of(key.clear_text.encode()))
    assert not same_digest(key.digest, digest_of(b"another"))


def test_no_two_keys_are_alike() -> None:
    assert len({make_key("prod").clear_text for _ in range(1000)}) == 1000
    assert len({make_public_id() for _ in range(1000)}) == 1000


def test_a_traceback_or_log_that_shows_a_new_key_shows_no_secret() -> None:
    key = make_key("prod")
    assert key.clear_text not in repr(key)
    assert repr(key.digest) not in repr(key)


@pytest.mark.parametrize("environment", ["", "Prod", "1prod", "prod-1", "prod_1", "a" * 11, "pród", "prod\n"])
def test_an_environment_that_cannot_stand_in_a_key_is_refused(environment: str) -> None:
    with pytest.raises(ValueError, match=r"cannot stand in a key|ordinal not in range"):
        make_key(environment)


@given(token=TOKENS, place=st.integers(0, 48), character=st.sampled_from(string.printable))
def test_every_change_of_one_character_is_seen(token: str, place: int, character: str) -> None:
    changed = token[:place] + character + token[place + 1 :]
    assert (parse_key(changed.encode()).fault is None) == (changed == token)


@given(token=TOKENS, place=st.integers(0, 47))
def test_every_swap_of_neighbours_is_seen(token: str, place: int) -> None:
    swapped = token[:place] + token[place + 1] + token[place] + token[place + 2 :]
    assert (parse_key(swapped.encode()).fault is None) == (swapped == token)


@given(token=TOKENS, place=st.integers(0, 48))
def test_a_lost_or_doubled_character_is_seen(token: str, place: int) -> None:
    for wrong in (token[:place] + token[place + 1 :], token[:place] + token[place] + token[place:]):
        assert parse_key(wrong.encode()).fault is not None


@given(st.binary(max_size=100))
def test_no_bytes_at_all_upset_the_parser(token: bytes) -> None:
    assert parse_key(token).fault is not None


def test_a_mistyped_key_can_still_be_named() -> None:
    token = make_key("prod").clear_text
    wrong = token[:-1] + ("a" if token[-1] != "a" else "b")
    parsed = parse_key(wrong.encode())
    assert parsed.fault is Fault.CHECK_DIGITS
    assert parsed.public_id == token.removeprefix("skg_prod_")[:8]


def test_the_configured_hash_is_read() -> None:
    digest = digest_of(b"anything")
    assert configured_digest(f"sha256:{digest.hex()}") == digest
    assert configured_digest("") is None


@pytest.mark.parametrize("text", ["", "short", "123456789", "abc-defg", "abcdefg\n", "äbcdefgh", "abcdefg\0"])
def test_what_is_no_public_id_is_told(text: str) -> None:
    assert not is_public_id(text)
