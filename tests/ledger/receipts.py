"""Receipts as the arena hands them out, made from a bundle."""

from pathlib import Path
from typing import Any

from arena.offline.witnesses import RECEIPT_FORMAT
from arena.proofs.merkle import in_memory, inclusion_proof, leaf_hash
from arena.proofs.notes import SigningKey, promise_text
from tests.ledger.played import rows
from tests.support import KEY

ORIGIN = KEY.origin("stage-1")
VOTE = 10


def receipt_of(folder: Path, position: int = VOTE, key: SigningKey = KEY, origin: str = ORIGIN) -> dict[str, Any]:
    """What the arena hands to the voter of an entry."""
    lines = (folder / "ledger.jsonl").read_bytes().splitlines()
    hashes = [leaf_hash(line) for line in lines]
    return {
        "format": RECEIPT_FORMAT,
        "origin": origin,
        "key": str(key.verifier(origin)),
        "leaf": lines[position].decode(),
        "promise": key.sign(origin, promise_text(origin, hashes[position])),
        "proof": {
            "index": position,
            "hashes": [node.hex() for node in inclusion_proof(in_memory(hashes), position, len(hashes))],
            "checkpoint": rows(folder, "checkpoints.jsonl")[-1]["note"],
        },
    }
