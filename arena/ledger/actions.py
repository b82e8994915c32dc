"""Writes of the ledger: entries with the facts they tell of, and the sequencer that puts them into the tree."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import LargeBinary, bindparam, insert, text, update
from sqlmodel import Session, col, select

from arena.db import Row
from arena.ledger.queries import size_of, tree_of, verifier_after
from arena.ledger.tables import Leaf, Log, Node, StoredCheckpoint
from arena.proofs.leaves import LeafType, leaf_body
from arena.proofs.merkle import FANOUT, fold, leaf_hash, root
from arena.proofs.notes import Checkpoint, NoteError, SigningKey, VerifierKey, rotation_text

log = structlog.get_logger()

AT_ONCE = 5000

_LEAVES = Row.metadata.tables["leaf"]
# The hot path of a vote: built once, as building a statement takes ten times as long as running it.
_INSERT = (
    insert(_LEAVES)
    .values(
        round_id=bindparam("round"),
        type=bindparam("kind"),
        body=bindparam("json"),
        hash=bindparam("digest", type_=LargeBinary),
    )
    .returning(_LEAVES.c.id)
)
_PLACE = update(_LEAVES).where(_LEAVES.c.id == bindparam("leaf")).values(position=bindparam("place"))


@dataclass(frozen=True, slots=True)
class Written:
    """An entry that was written: the id of its row, and its leaf hash."""

    id: int
    hash: bytes


def open_log(session: Session, round_id: int, origin: str, verifier: VerifierKey) -> None:
    """Begins the log of a round."""
    session.add(Log(round_id=round_id, origin=origin, verifier=str(verifier)))
    session.flush()


def append(session: Session, round_id: int, slug: str, type_: LeafType, at: datetime, /, **body: Any) -> Written:
    """Writes an entry, in the transaction of the fact it tells of."""
    data = leaf_body(type_, slug, at, body)
    found = leaf_hash(data)
    row = {"round": round_id, "kind": type_, "json": data.decode(), "digest": found}
    return Written(session.connection().execute(_INSERT, row).scalar_one(), found)


def sequence(session: Session, round_id: int, key: SigningKey, now: datetime) -> StoredCheckpoint | None:
    """Gives waiting entries of a round their positions, at most `AT_ONCE`, and signs the tree they make.

    One process at a time; the others wait. None when nothing waits, or nothing that this key may sign: from the entry
    that rotates keys on, it is the new key's turn.
    """
    _alone(session)
    waiting = select(Leaf.id, Leaf.hash, Leaf.type, Leaf.body).where(
        Leaf.round_id == round_id, col(Leaf.position).is_(None)
    )
    rows = list(session.exec(waiting.order_by(col(Leaf.id)).limit(AT_ONCE)))
    if not rows:
        return None
    log_ = session.get_one(Log, round_id)
    mine = str(key.verifier(log_.origin))
    number = _signable(log_.verifier, mine, [(type_, body) for _, _, type_, body in rows])
    if not number:
        log.error("ledger_key_differs", origin=log_.origin, expected=log_.verifier)
        return None
    before = size_of(session, round_id)
    places = [{"leaf": row[0], "place": before + place} for place, row in enumerate(rows[:number])]
    session.connection().execute(_PLACE, places)
    log_.verifier = mine
    _store_nodes(session, round_id, before, before + number)
    return _store_checkpoint(session, round_id, key, log_.origin, before + number, now)


def _signable(verifier: str, mine: str, entries: list[tuple[str, str]]) -> int:
    """How many of these entries make a tree that the key `mine` signs, where `verifier` signed what came before."""
    number = 0
    for place, (type_, body) in enumerate(entries, start=1):
        if type_ == "key.rotated":
            verifier = verifier_after(body)
        if verifier == mine:
            number = place
    return number


def settle(session: Session, round_id: int, key: SigningKey, now: datetime) -> StoredCheckpoint | None:
    """Sequences all that this transaction sees.

    Where it sees one moment only, as SQLite's writer does, what it reads of votes is what the checkpoint covers, no
    more and no less. None when there are entries that this key may not sign.
    """
    while sequence(session, round_id, key, now):
        pass
    if not _signs(session, round_id, key):
        return None
    return session.get(StoredCheckpoint, (round_id, size_of(session, round_id)))


def _signs(session: Session, round_id: int, key: SigningKey) -> bool:
    """Whether further entries of a log are this key's to sign."""
    log_ = session.get_one(Log, round_id)
    handed_over = select(Leaf.id).where(
        Leaf.round_id == round_id, col(Leaf.position).is_(None), Leaf.type == "key.rotated"
    )
    return log_.verifier == str(key.verifier(log_.origin)) and session.exec(handed_over).first() is None


def rotate_key(session: Session, round_id: int, slug: str, old: SigningKey, new: SigningKey, now: datetime) -> None:
    """Hands a log over to another key, by an entry that the old one signs. Raises NoteError when it may not.

    The old key signs all that is there before, so that the new one finds the entry among the first that wait.
    """
    _alone(session)
    log_ = session.get_one(Log, round_id)
    signer, follower = old.verifier(log_.origin), new.verifier(log_.origin)
    if str(signer) != log_.verifier:
        raise NoteError(f"the log {log_.origin} is signed by {log_.verifier}, not by the given key")
    if settle(session, round_id, old, now) is None:
        raise NoteError("the log's key was changed just now; start the servers with the new one first")
    append(
        session,
        round_id,
        slug,
        "key.rotated",
        now,
        key=str(follower),
        note=old.sign(log_.origin, rotation_text(follower)),
    )


def _alone(session: Session) -> None:
    """On SQLite a writer is alone anyway.

    A lock of a table, as no other lock, leaves the moment that a transaction sees until after it has waited.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE checkpoint IN SHARE ROW EXCLUSIVE MODE"))


def _store_nodes(session: Session, round_id: int, before: int, after: int) -> None:
    """Stores the roots of the subtrees that became complete as the tree grew."""
    tree, level, unit = tree_of(session, round_id), 0, FANOUT
    while after // unit > before // unit:
        for place in range(before // unit, after // unit):
            below = tree(level, place * FANOUT, (place + 1) * FANOUT)
            session.add(Node(round_id=round_id, level=level + 1, place=place, hash=fold(below)))
        session.flush()
        level, unit = level + 1, unit * FANOUT


def _store_checkpoint(
    session: Session, round_id: int, key: SigningKey, origin: str, size: int, now: datetime
) -> StoredCheckpoint:
    found = Checkpoint(origin, size, root(tree_of(session, round_id), size))
    stored = StoredCheckpoint(
        round_id=round_id, size=size, root=found.root, note=key.sign(origin, found.text()), signed_at=now
    )
    session.add(stored)
    session.flush()
    return stored
