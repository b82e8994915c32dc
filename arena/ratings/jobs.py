"""What the worker does: ratings soon after votes, and rounds opened and closed when their time has come."""

from datetime import datetime

from sqlmodel import Session, col, select

from arena.clock import now
from arena.db import Database
from arena.errors import RefusedError
from arena.jobs import Task
from arena.ratings.actions import close_round, compute, store
from arena.ratings.queries import newest_vote, snapshot_of
from arena.rounds.actions import start_round
from arena.rounds.queries import open_round
from arena.rounds.tables import Round


def _votes_to_rate(session: Session, _at: datetime) -> bool:
    round_ = open_round(session)
    if round_ is None or round_.id is None:
        return False
    newest, kept = newest_vote(session, round_.id), snapshot_of(session, round_.id)
    if kept is None:
        return True
    return kept.last_vote_id != newest or kept.live["last"] != newest


async def _rate_open_round(db: Database) -> None:
    round_ = await db.read(open_round)
    if round_ is None or round_.id is None:
        return
    round_id = round_.id
    computed = await db.read(lambda session: compute(session, round_))
    await db.write(lambda session: store(session, round_id, computed, now()))


def _due(session: Session, at: datetime) -> list[tuple[str, str]]:
    """Rounds whose time has come, as (state, slug): what is open is closed before a draft is opened."""
    closing = select(Round.slug).where(Round.state == "open", col(Round.closes_at) <= at)
    opening = select(Round.slug).where(Round.state == "draft", col(Round.opens_at) <= at)
    due = [("open", slug) for slug in session.exec(closing)]
    if due or open_round(session) is None:
        due += [("draft", slug) for slug in session.exec(opening.order_by(col(Round.opens_at)).limit(1))]
    return due


def _round_due(session: Session, at: datetime) -> bool:
    return bool(_due(session, at))


async def _keep_schedule(db: Database) -> None:
    await db.write(_move_due_rounds)


def _move_due_rounds(session: Session) -> None:
    at = now()
    for state, slug in _due(session, at):
        move = close_round if state == "open" else start_round
        try:
            move(session, slug, at)
        except RefusedError:
            continue  # somebody was quicker at the command line


TASKS = (
    Task("schedule", _round_due, _keep_schedule),
    Task("ratings", _votes_to_rate, _rate_open_round),
)
