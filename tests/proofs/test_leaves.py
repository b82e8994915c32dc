"""Entries have one form, byte for byte, and what they hide cannot be guessed."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.proofs.leaves import SALT_BYTES, commitment, leaf_body, timestamp
from arena.proofs.merkle import leaf_hash

AT = datetime(2026, 3, 1, 9, 5, 7, 123_999, tzinfo=UTC)
# The example of RFC 8785, section 3.2.2, as an entry's body.
EXAMPLE: dict[str, Any] = json.loads(
    r"""{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}"""
)
EXAMPLE_BODY = (
    r'{"at":"2026-03-01T09:05:07.123Z","literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
    r'"round":"stage-1","string":"€$\u000f\nA' + r"'" + r'B\"\\\\\"/","type":"vote.cast"}'
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
SALTS = st.binary(min_size=SALT_BYTES, max_size=SALT_BYTES)


def test_an_entry_is_canonical_json() -> None:
    assert leaf_body("vote.cast", "stage-1", AT, EXAMPLE).decode() == EXAMPLE_BODY


def test_an_entrys_hash_is_that_of_its_bytes_with_a_zero_before_them() -> None:
    body = leaf_body("round.closed", "stage-1", AT, {})
    assert body == b'{"at":"2026-03-01T09:05:07.123Z","round":"stage-1","type":"round.closed"}'
    # printf '\0{"at":...}' | sha256sum
    assert leaf_hash(body).hex() == "a176554d262983b11f7496782899aefdcf01060134596ea242f483592c9bbb1b"


@given(st.dictionaries(st.text().map("_".__add__), VALUES, max_size=4))
def test_the_order_in_which_a_body_is_told_does_not_matter(body: dict[str, Any]) -> None:
    turned = dict(reversed(body.items()))
    found = leaf_body("vote.cast", "stage-1", AT, body)
    assert found == leaf_body("vote.cast", "stage-1", AT, turned)
    assert json.loads(found) == body | {"type": "vote.cast", "round": "stage-1", "at": timestamp(AT)}


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (AT, "2026-03-01T09:05:07.123Z"),
        (AT.replace(microsecond=0), "2026-03-01T09:05:07.000Z"),
        (AT.replace(microsecond=999_999), "2026-03-01T09:05:07.999Z"),
        (datetime(2026, 3, 1, 0, 5, 7, tzinfo=timezone(timedelta(hours=9))), "2026-02-28T15:05:07.000Z"),
    ],
)
def test_a_moment_is_told_in_utc_to_the_millisecond(at: datetime, told: str) -> None:
    assert timestamp(at) == told


def test_a_commitment_is_the_hash_of_salt_and_canonical_value() -> None:
    salt = bytes(range(32))
    expected = hashlib.sha256(salt + '{"a":"가","b":1}'.encode()).hexdigest()
    assert commitment(salt, {"b": 1, "a": "가"}) == expected
    assert commitment(salt, "가") == "8e28876046baa8b7ce1faa92f9414d07978b469bf039953afce350978d3d8920"


@given(SALTS, SALTS, VALUES)
def test_the_same_value_under_another_salt_is_another_commitment(salt: bytes, other: bytes, value: Any) -> None:
    assert (commitment(salt, value) == commitment(other, value)) == (salt == other)


@given(SALTS, VALUES, VALUES)
def test_another_value_under_the_same_salt_is_another_commitment(salt: bytes, value: Any, other: Any) -> None:
    same = json.dumps(value, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (commitment(salt, value) == commitment(salt, other)) == same
