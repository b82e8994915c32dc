"""The sequencer: what was written becomes part of the tree within a second."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session, col, select

from arena.clock import now
from arena.db import Database
from arena.jobs import Task
from arena.ledger.actions import sequence
from arena.ledger.tables import Leaf
from arena.proofs.notes import SigningKey

CLAIM = timedelta(seconds=5)


def sequencing(key: SigningKey) -> Task:
    """Sequences every round's waiting entries. A process that dies holds up the others for five seconds at most."""

    async def run(db: Database) -> None:
        for round_id in await db.read(_waiting):
            await db.write(partial(_sequence, round_id=round_id, key=key))

    def wanted(session: Session, _at: datetime) -> bool:
        return bool(_waiting(session))

    return Task("ledger", wanted, run, every_s=1, claim=CLAIM)


def _sequence(session: Session, round_id: int, key: SigningKey) -> None:
    sequence(session, round_id, key, now())


def _waiting(session: Session) -> Sequence[int]:
    return session.exec(select(Leaf.round_id).where(col(Leaf.position).is_(None)).distinct()).all()
