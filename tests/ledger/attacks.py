"""What an attacker does who has SQL, and no key."""

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text, update
from sqlmodel import col, select

from arena.battles.tables import Vote
from arena.db import Database
from arena.ledger.tables import Leaf, StoredCheckpoint
from arena.proofs.leaves import leaf_body
from arena.proofs.merkle import Growing, leaf_hash
from tests.ledger.played import (
    played_round,
    sequenced,
)

TARGET = 10
"""The position of the vote that is tampered with: the second of the second voter's three."""
DAY = timedelta(days=1)


def sql(db: Database, statement: str, **values: Any) -> None:
    with db.engine.begin() as connection:
        assert connection.execute(text(statement), values).rowcount


def target(db: Database) -> Vote:
    with db.reading() as session:
        return session.exec(
            select(Vote).join(Leaf, col(Leaf.id) == Vote.leaf_id).where(Leaf.position == TARGET)
        ).one()


def on_target(db: Database, change: str, **values: Any) -> None:
    sql(db, f"UPDATE vote SET {change} WHERE id = :id", id=target(db).id, **values)


def other_choice(db: Database) -> str:
    return "both_bad" if target(db).choice == "a" else "a"


def back_date(db: Database, at: datetime) -> None:
    mine = update(Vote).where(col(Vote.id) == target(db).id)
    db.writing(lambda session: session.execute(mine.values(cast_at=at)))


def rewrite(db: Database, position: int, **body: Any) -> None:
    """Changes an entry, and all that follows from it and needs no key: its hash, the roots of later checkpoints."""
    with db.reading() as session:
        leaf = session.exec(select(Leaf).where(Leaf.position == position)).one()
    changed = json.dumps(json.loads(leaf.body) | body, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    digest = leaf_hash(changed.encode())
    sql(db, "UPDATE leaf SET body = :body, hash = :hash WHERE id = :id", id=leaf.id, body=changed, hash=digest)
    roots_again(db)


def roots_again(db: Database) -> None:
    tree = Growing()
    with db.reading() as session:
        hashes = session.exec(
            select(Leaf.hash).where(col(Leaf.position).is_not(None)).order_by(col(Leaf.position))
        ).all()
    for hash_ in hashes:
        tree.add(hash_)
        with db.engine.begin() as connection:
            found = text("UPDATE checkpoint SET root = :root WHERE size = :size")
            connection.execute(found, {"root": tree.root(), "size": tree.size})


def move(db: Database, first: int, by: int) -> None:
    """Shifts the positions from `first` on; positions are unique at every moment."""
    sql(db, "UPDATE leaf SET position = -position - 1 WHERE position >= :first", first=first)
    sql(db, "UPDATE leaf SET position = -position - 1 + :by WHERE position < 0", by=by)


def insert_leaf(db: Database, type_: Any, position: int | None, at: datetime, **body: Any) -> int:
    round_ = played_round(db)
    data = leaf_body(type_, round_.slug, at, body)
    leaf = Leaf(round_id=round_.id or 0, position=position, type=type_, body=data.decode(), hash=leaf_hash(data))

    def work(session: Any) -> int:
        session.add(leaf)
        session.flush()
        return leaf.id or 0

    return db.writing(work)


def sign_again(db: Database, position: int) -> None:
    """Makes the honest sequencer sign what stands from `position` on once more: its tree forgets, and waits."""
    sql(db, "DELETE FROM checkpoint WHERE size > :size", size=position)
    with db.reading() as session:
        size = max([0, *session.exec(select(StoredCheckpoint.size))])
    sql(db, "UPDATE leaf SET position = NULL WHERE position >= :size", size=size)
    sequenced(db)


def forge_row(db: Database, battle: str, leaf: int, at: datetime) -> None:
    """A battle with a vote whose entry is there."""
    some = target(db)
    sql(
        db,
        "INSERT INTO battle (id, round_id, voter_id, epoch, k, entry_a, entry_b, state, locale, created_at)"
        " SELECT :battle, round_id, 'citizen-5', 1, 0, entry_a, entry_b, 'voted', locale, created_at FROM battle"
        " WHERE id = :like",
        battle=battle,
        like=some.battle_id,
    )
    sql(
        db,
        "INSERT INTO vote (battle_id, receipt, choice, cast_at, excluded, leaf_id)"
        " SELECT :battle, 'forged', 'a', cast_at, excluded, :leaf FROM vote WHERE id = :like",
        battle=battle,
        leaf=leaf,
        like=some.id,
    )
