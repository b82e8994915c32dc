"""What an entry of the ledger looks like: canonical JSON (RFC 8785) with `type`, `round`, `at` and a body.

No entry holds a text or, before the round is closed, tells whose answers were read: such things are there as
commitments, salted hashes that can be opened later or never.
"""

import hashlib
from datetime import UTC, datetime
from typing import Any, Literal

import rfc8785

LeafType = Literal[
    "round.opened",
    "battle.started",
    "battle.ended",
    "vote.cast",
    "vote.excluded",
    "vote.reinstated",
    "outage.began",
    "outage.ended",
    "entry.changed",
    "key.rotated",
    "round.closed",
    "round.scored",
]

SALT_BYTES = 32


def timestamp(at: datetime) -> str:
    """A moment in UTC to the millisecond, as entries give it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def leaf_body(type_: LeafType, slug: str, at: datetime, body: dict[str, Any]) -> bytes:
    """The bytes of an entry."""
    return rfc8785.dumps({"type": type_, "round": slug, "at": timestamp(at)} | body)


def commitment(salt: bytes, value: Any) -> str:
    """SHA-256, in hex, of a salt of 32 bytes and a value as canonical JSON."""
    return sealed(salt, rfc8785.dumps(value))


def sealed(salt: bytes, canonical: bytes) -> str:
    """The commitment to what is canonical JSON already."""
    return hashlib.sha256(salt + canonical).hexdigest()
