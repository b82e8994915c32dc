"""Reads of the ledger: entries, checkpoints and proofs."""

import json
from collections.abc import Iterator, Sequence

from sqlmodel import Session, col, func, select

from arena.ledger.tables import Leaf, Log, Node, StoredCheckpoint
from arena.proofs.merkle import HashesOf


def log_of(session: Session, round_id: int) -> Log | None:
    """A round's log; None before its opening, and for rounds from before there were ledgers."""
    return session.get(Log, round_id)


def size_of(session: Session, round_id: int) -> int:
    """How many entries have their position: the size at the newest checkpoint."""
    found = select(func.max(StoredCheckpoint.size)).where(StoredCheckpoint.round_id == round_id)
    return session.exec(found).one() or 0


def newest_checkpoint(session: Session, round_id: int) -> StoredCheckpoint | None:
    return checkpoint_of(session, round_id, size_of(session, round_id))


def checkpoint_of(session: Session, round_id: int, size: int) -> StoredCheckpoint | None:
    """The checkpoint that was signed at this size, if one was."""
    return session.get(StoredCheckpoint, (round_id, size))


def checkpoints(session: Session, round_id: int) -> Iterator[StoredCheckpoint]:
    """All checkpoints, the smallest first."""
    found = select(StoredCheckpoint).where(StoredCheckpoint.round_id == round_id)
    yield from session.exec(found.order_by(col(StoredCheckpoint.size)).execution_options(yield_per=1000))


def tree_of(session: Session, round_id: int) -> HashesOf:
    """A round's tree, as far as it is sequenced."""

    def hashes(level: int, start: int, stop: int) -> Sequence[bytes]:
        if level:
            of_level = (Node.round_id == round_id, Node.level == level, col(Node.place).between(start, stop - 1))
            return list(session.exec(select(Node.hash).where(*of_level).order_by(col(Node.place))))
        sequenced = (Leaf.round_id == round_id, col(Leaf.position).between(start, stop - 1))
        return list(session.exec(select(Leaf.hash).where(*sequenced).order_by(col(Leaf.position))))

    return hashes


def leaf(session: Session, leaf_id: int) -> Leaf:
    return session.get_one(Leaf, leaf_id)


def leaf_by_hash(session: Session, round_id: int, found: bytes) -> Leaf | None:
    return session.exec(select(Leaf).where(Leaf.hash == found, Leaf.round_id == round_id)).first()


def bodies(session: Session, round_id: int, start: int, stop: int) -> list[str]:
    """The sequenced entries from position `start` to before `stop`."""
    found = select(Leaf.body).where(Leaf.round_id == round_id, col(Leaf.position).between(start, stop - 1))
    return list(session.exec(found.order_by(col(Leaf.position))))


def verifier_after(rotated: str) -> str:
    """The public key that an entry `key.rotated` brings."""
    return str(json.loads(rotated)["key"])
