"""What tests of the ledger need: entries written by hand, and a log checked from its first entry to its last."""

import json
from typing import Any

from sqlmodel import Session, col, select

from arena.clock import now
from arena.db import Database
from arena.ledger.actions import append, sequence
from arena.ledger.queries import bodies, checkpoints, tree_of, verifier_after
from arena.ledger.tables import Leaf, Log, Node, StoredCheckpoint
from arena.proofs import merkle
from arena.proofs.merkle import Growing, consistency_proof, extends, fold, includes, inclusion_proof, leaf_hash
from arena.proofs.notes import Checkpoint, SigningKey, VerifierKey
from arena.rounds.tables import Round
from tests.support import KEY

NEW_KEY = SigningKey(KEY.name, bytes(range(32, 64)))


def add(session: Session, round_: Round, *texts: str) -> None:
    """Writes an entry for each text."""
    for text in texts:
        append(session, round_.id or 0, round_.slug, "battle.ended", now(), text=text)


def numbers(count: int, name: str = "") -> list[str]:
    return [f"{name}{number}" for number in range(count)]


def writes(db: Database, round_: Round, *texts: str) -> None:
    db.writing(lambda session: add(session, round_, *texts))


def sequences(db: Database, round_: Round, key: SigningKey = KEY) -> StoredCheckpoint | None:
    return db.writing(lambda session: sequence(session, round_.id or 0, key, now()))


def sequences_all(db: Database, round_: Round, key: SigningKey = KEY) -> int:
    """How many checkpoints it took."""
    count = 0
    while sequences(db, round_, key):
        count += 1
    return count


def entries(db: Database) -> list[dict[str, Any]]:
    """All entries in the order in which they were written."""
    with db.reading() as session:
        return [json.loads(body) for body in session.exec(select(Leaf.body).order_by(col(Leaf.id)))]


def tree(db: Database, round_: Round) -> list[dict[str, Any]]:
    """The entries that have their position, in its order."""
    with db.reading() as session:
        return [json.loads(body) for body in bodies(session, round_.id or 0, 0, 10**9)]


def sizes(db: Database, round_: Round) -> list[int]:
    """Those of all checkpoints."""
    with db.reading() as session:
        return [checkpoint.size for checkpoint in checkpoints(session, round_.id or 0)]


def check_log(db: Database, round_: Round) -> int:
    """Checks positions, hashes, stored nodes, every checkpoint and proofs of entries; the tree's size."""
    with db.reading() as session:
        placed = select(Leaf).where(Leaf.round_id == round_.id, col(Leaf.position).is_not(None))
        leaves = list(session.exec(placed.order_by(col(Leaf.position))))
        assert [leaf.position for leaf in leaves] == list(range(len(leaves)))
        assert [leaf.hash for leaf in leaves] == [leaf_hash(leaf.body.encode()) for leaf in leaves]
        _check_checkpoints(session, round_, leaves)
        _check_nodes(session, [leaf.hash for leaf in leaves])
        return len(leaves)


def _check_checkpoints(session: Session, round_: Round, leaves: list[Leaf]) -> None:
    """Each is of the tree so far, extends all before it, and is signed by the key in force."""
    growing, hashes = Growing(), tree_of(session, round_.id or 0)
    key, signed = json.loads(leaves[0].body)["key"], list[Checkpoint]()
    for stored in checkpoints(session, round_.id or 0):
        while growing.size < stored.size:
            leaf = leaves[growing.size]
            key = verifier_after(leaf.body) if leaf.type == "key.rotated" else key
            growing.add(leaf.hash)
        found = Checkpoint.parse(VerifierKey.parse(key).signed(stored.note))
        assert found == Checkpoint(KEY.origin(round_.slug), stored.size, growing.root())
        assert stored.root == found.root
        for before in signed[-3:] + signed[:1]:
            proof = consistency_proof(hashes, before.size, found.size)
            assert extends(before.size, before.root, found.size, found.root, proof)
        signed.append(found)
    assert growing.size == len(leaves)
    for index in {*range(0, len(leaves), len(leaves) // 50 + 1), len(leaves) - 1}:
        proof = inclusion_proof(hashes, index, len(leaves))
        assert includes(leaves[index].hash, index, len(leaves), proof, growing.root())
    assert session.get_one(Log, round_.id).verifier == key


def _check_nodes(session: Session, leaves: list[bytes]) -> None:
    """The roots of complete subtrees are stored, and no others."""
    expected, below, level, fanout = list[tuple[int, int, bytes]](), leaves, 1, merkle.FANOUT
    while above := [fold(below[at : at + fanout]) for at in range(0, len(below) - fanout + 1, fanout)]:
        expected += [(level, place, hash_) for place, hash_ in enumerate(above)]
        below, level = above, level + 1
    stored = select(Node.level, Node.place, Node.hash).order_by(col(Node.level), col(Node.place))
    assert list(session.exec(stored)) == expected
