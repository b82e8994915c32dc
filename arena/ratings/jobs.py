"""What the worker does: ratings soon after votes, and rounds opened and closed when their time has come."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import structlog
from sqlmodel import Session, col, select

from arena.accounts.trail import SCHEDULE, record
from arena.battles.cells import changes, recount
from arena.clock import now
from arena.db import Database
from arena.errors import RefusedError
from arena.jobs import Task
from arena.proofs.notes import SigningKey
from arena.ratings.actions import close_round, compute, count, store, store_beside, store_recount
from arena.ratings.beside import beside
from arena.ratings.publishing import publish, to_publish
from arena.ratings.queries import newest_vote, snapshot_of
from arena.ratings.tables import RatingSnapshot
from arena.rounds.actions import start_round
from arena.rounds.queries import open_round
from arena.rounds.tables import Round

log = structlog.get_logger()

RECOUNT_EVERY = timedelta(minutes=10)
PUBLISH_CLAIM = timedelta(minutes=30)
AFTER_FAILURE_S = 60.0


def _votes_to_rate(session: Session, _at: datetime) -> bool:
    round_ = open_round(session)
    if round_ is None or round_.id is None:
        return False
    kept = snapshot_of(session, round_.id)
    if kept is None:
        return True
    return kept.changes != changes(session, round_.id) or kept.live["last"] != newest_vote(session, round_.id)


async def _rate_open_round(db: Database, key: SigningKey) -> None:
    round_ = await db.read(open_round)
    if round_ is None or round_.id is None:
        return
    round_id = round_.id
    counted = await db.write(lambda session: count(session, round_, key, now()))
    if counted is None:
        return
    computed = await db.read(lambda session: compute(session, round_, counted))
    await db.write(lambda session: store(session, round_id, computed, now()))


def _to_recount(session: Session, at: datetime) -> RatingSnapshot | None:
    """The open round's ratings when a recount is due: after votes, and not more often than every ten minutes."""
    round_ = open_round(session)
    kept = snapshot_of(session, round_.id) if round_ and round_.id else None
    if kept is None or (kept.recounted_at and not kept.recounted_at + RECOUNT_EVERY < at):
        return None
    return kept if kept.recounted_at is None or kept.recounted_at < kept.computed_at else None


async def _recount_open_round(db: Database) -> None:
    round_ = await db.read(open_round)
    if round_ is None or round_.id is None:
        return
    round_id = round_.id
    found = await db.read(lambda session: recount(session, round_))
    if found:
        log.error("cells_differ_from_votes", round=round_.slug, cells=found)
    await db.write(lambda session: store_recount(session, round_id, found, now()))


def _without_beside(session: Session) -> Round | None:
    """A closed round whose final ratings stand alone yet."""
    missing = select(Round).join(RatingSnapshot, col(RatingSnapshot.round_id) == Round.id)
    return session.exec(
        missing.where(col(RatingSnapshot.final), col(RatingSnapshot.beside).is_(None)).limit(1)
    ).first()


async def _compute_beside(db: Database) -> None:
    round_ = await db.read(_without_beside)
    if round_ is None or round_.id is None:
        return
    round_id = round_.id
    found = await db.read(lambda session: beside(session, round_))
    await db.write(lambda session: store_beside(session, round_id, found))


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


async def _keep_schedule(db: Database, key: SigningKey) -> None:
    await db.write(lambda session: _move_due_rounds(session, key))


def _move_due_rounds(session: Session, key: SigningKey) -> None:
    at = now()
    for state, slug in _due(session, at):
        move, what = (close_round, "round.close") if state == "open" else (start_round, "round.open")
        try:
            move(session, slug, key, at)
        except RefusedError:
            continue  # somebody was quicker at the command line
        record(session, SCHEDULE, what, slug, "done", at, detail={})


def rating(key: SigningKey) -> Sequence[Task]:
    """What the worker does for ratings; `key` signs the ledger."""
    return (
        Task("schedule", _round_due, partial(_keep_schedule, key=key)),
        Task("ratings", _votes_to_rate, partial(_rate_open_round, key=key)),
        Task("recount", lambda session, at: _to_recount(session, at) is not None, _recount_open_round, every_s=5),
        Task("beside", lambda session, _at: _without_beside(session) is not None, _compute_beside, every_s=2),
    )


def publishing(data_dir: Path) -> Task:
    """Publishes the bundles of closed rounds in the data folder."""

    async def run(db: Database) -> None:
        written = [
            await _publish(db, round_, data_dir)
            for round_ in await db.read(lambda session: to_publish(session, data_dir))
        ]
        if not all(written):
            await asyncio.sleep(AFTER_FAILURE_S)

    def wanted(session: Session, _at: datetime) -> bool:
        return bool(to_publish(session, data_dir))

    return Task("bundles", wanted, run, every_s=5, claim=PUBLISH_CLAIM)


async def _publish(db: Database, round_: Round, data_dir: Path) -> bool:
    """False when the data folder cannot be written, as when the disk is full."""
    try:
        await asyncio.to_thread(publish, db, round_, data_dir)
    except (OSError, RefusedError) as error:
        log.error("bundle_not_written", round=round_.slug, why=str(error))
        return False
    log.info("bundle_written", round=round_.slug)
    return True
