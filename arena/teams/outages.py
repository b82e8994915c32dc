"""The breaker of each endpoint: one that fails again and again is not dealt until it answers a check.

Kept in the database, so that all processes see the same. A check is a question of our own: no citizen waits for an
endpoint that is known to be down.
"""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from arena.db import add_unless_there
from arena.teams.tables import Entry, Failures, Outage

FAILURES_IN_A_ROW = 3
FIRST_CHECK = timedelta(seconds=20)
DOUBLINGS = 5


def note_answer(session: Session, entry_id: int, ending: str, now: datetime, *, good: bool) -> Outage | None:
    """Counts how an answer of an entry ended; the third failure in a row begins the outage that is returned."""
    if good:
        session.execute(delete(Failures).where(col(Failures.entry_id) == entry_id))
        return None
    add_unless_there(session, Failures(entry_id=entry_id, in_a_row=0))
    failures = session.execute(
        update(Failures)
        .where(col(Failures.entry_id) == entry_id)
        .values(in_a_row=col(Failures.in_a_row) + 1)
        .returning(col(Failures.in_a_row))
        .execution_options(synchronize_session=False)
    ).scalar_one()
    if failures < FAILURES_IN_A_ROW:
        return None
    begun = Outage(
        entry_id=entry_id, began_at=now, ending=ending, salt=secrets.token_hex(32), check_at=now + FIRST_CHECK
    )
    return begun if add_unless_there(session, begun) else None


def out_of_service(session: Session, round_id: int) -> frozenset[str]:
    """The codes of a round's entries that are not to be dealt now."""
    found = (
        select(Entry.code)
        .join(Outage, col(Outage.entry_id) == Entry.id)
        .where(Entry.round_id == round_id, col(Outage.ended_at).is_(None))
    )
    return frozenset(session.exec(found))


def outages(session: Session, round_id: int) -> list[Outage]:
    """All outages of a round's entries, the first to begin first."""
    found = select(Outage).join(Entry, col(Entry.id) == Outage.entry_id).where(Entry.round_id == round_id)
    return list(session.exec(found.order_by(col(Outage.began_at), col(Outage.id))))


def to_check(session: Session, round_id: int, now: datetime) -> list[Outage]:
    """The outages of a round whose endpoints are to be asked now."""
    return [outage for outage in outages(session, round_id) if outage.ended_at is None and outage.check_at <= now]


def checked(session: Session, outage_id: int, now: datetime, *, good: bool) -> Outage | None:
    """Ends an outage after a good check, and returns it.

    After a bad one the next is twice as far away, in the end ten minutes.
    """
    outage = session.exec(select(Outage).where(Outage.id == outage_id).with_for_update()).one()
    if outage.ended_at is not None:
        return None
    if good:
        outage.ended_at = now
        session.execute(delete(Failures).where(col(Failures.entry_id) == outage.entry_id))
    outage.checks += 1
    outage.check_at = now + FIRST_CHECK * 2 ** min(outage.checks, DOUBLINGS)
    session.add(outage)
    return outage if good else None
