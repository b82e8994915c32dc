"""A round's life: draft, open, closed, in this order, one open at a time, by hand or at its time."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from arena.clock import now
from arena.db import Database
from arena.errors import NotFoundError, RefusedError
from arena.ratings.actions import close_round
from arena.ratings.jobs import rating
from arena.rounds.actions import create_round, start_round
from arena.rounds.queries import accepts, find_round, newest_epoch, open_round, published_round, published_rounds
from arena.rounds.tables import Round
from tests.data import NOWHERE, in_parallel
from tests.support import KEY, round_file

HOUR = timedelta(hours=1)
SCHEDULE = next(task for task in rating(KEY) if task.name == "schedule")


def draft(db: Database, slug: str, opens_at: datetime | None = None, closes_at: datetime | None = None) -> Round:
    file = round_file(NOWHERE, slug=slug).model_copy(update={"opens_at": opens_at, "closes_at": closes_at})
    return db.writing(lambda session: create_round(session, file, allow=["127.0.0.0/8"], now=now()))


def start(db: Database, slug: str) -> Round:
    return db.writing(lambda session: start_round(session, slug, KEY, now()))


def close(db: Database, slug: str) -> Round:
    return db.writing(lambda session: close_round(session, slug, KEY, now()))


def states(db: Database) -> dict[str, str]:
    with db.reading() as session:
        return {row.slug: row.state for row in session.exec(select(Round))}


def keep_schedule(db: Database) -> None:
    """What the worker does when it looks at the schedule, until there is nothing left to do."""

    async def look() -> None:
        while await db.read(lambda session: SCHEDULE.wanted(session, now())):
            await SCHEDULE.run(db)

    asyncio.run(asyncio.wait_for(look(), 10))


def test_a_round_is_drafted_opened_and_closed(db: Database) -> None:
    assert draft(db, "stage-1").state == "draft"
    opened = start(db, "stage-1")
    assert (opened.state, opened.opened_at is not None, opened.closed_at) == ("open", True, None)
    closed = close(db, "stage-1")
    assert (closed.state, closed.closed_at is not None) == ("closed", True)
    assert (closed.rules, closed.rules_hash, closed.seed) == (opened.rules, opened.rules_hash, opened.seed)


def test_opening_begins_the_first_epoch_with_every_entry_in_the_files_order(db: Database) -> None:
    draft(db, "stage-1")
    opened = start(db, "stage-1")
    with db.reading() as session:
        epoch = newest_epoch(session, opened.id or 0)
    assert (epoch.number, epoch.entries) == (1, ["e1", "e2", "e3", "e4", "e5"])


@pytest.mark.parametrize("state", ["open", "closed", "unknown"])
def test_only_a_draft_is_opened(db: Database, state: str) -> None:
    if state != "unknown":
        draft(db, "stage-1")
        start(db, "stage-1")
    if state == "closed":
        close(db, "stage-1")
    before = states(db)
    with pytest.raises(RefusedError, match=f"stage-1.*{state}" if before else "no round 'stage-1'"):
        start(db, "stage-1")
    assert states(db) == before


@pytest.mark.parametrize("state", ["draft", "closed", "unknown"])
def test_only_an_open_round_is_closed(db: Database, state: str) -> None:
    if state != "unknown":
        draft(db, "stage-1")
    if state == "closed":
        start(db, "stage-1")
        close(db, "stage-1")
    before = states(db)
    with pytest.raises(RefusedError, match=f"stage-1.*{state}" if before else "no round 'stage-1'"):
        close(db, "stage-1")
    assert states(db) == before


def test_one_round_is_open_at_a_time(db: Database) -> None:
    draft(db, "stage-1")
    draft(db, "stage-2")
    start(db, "stage-1")
    with pytest.raises(RefusedError, match="'stage-1' is open"):
        start(db, "stage-2")
    close(db, "stage-1")
    assert start(db, "stage-2").state == "open"


def test_of_two_rounds_opened_at_once_one_is_refused(db: Database) -> None:
    for number in range(4):
        draft(db, f"stage-{number}")
    done = in_parallel([partial(start, db, f"stage-{number}") for number in range(4)])
    assert sum(isinstance(outcome, RefusedError) for outcome in done) == 3
    assert sorted(states(db).values()) == ["draft", "draft", "draft", "open"]


def test_the_database_itself_holds_no_second_open_round(db: Database) -> None:
    draft(db, "stage-1")
    draft(db, "stage-2")
    with pytest.raises(IntegrityError):
        db.writing(lambda session: session.execute(text("update round set state = 'open'")))


@pytest.mark.parametrize("move", [start, close])
def test_of_many_who_move_a_round_at_once_one_does(db: Database, move: Callable[[Database, str], Round]) -> None:
    draft(db, "stage-1")
    if move is close:
        start(db, "stage-1")
    done = in_parallel([partial(move, db, "stage-1") for _ in range(6)])
    assert sum(isinstance(outcome, Round) for outcome in done) == 1
    assert sum(isinstance(outcome, RefusedError) for outcome in done) == 5


def test_the_public_knows_of_no_draft(db: Database) -> None:
    draft(db, "stage-1")
    draft(db, "stage-2")
    start(db, "stage-1")
    with db.reading() as session:
        assert [found.slug for found in published_rounds(session)] == ["stage-1"]
        with pytest.raises(NotFoundError):
            published_round(session, "stage-2")


def test_a_round_accepts_until_it_is_closed_or_its_time_is_over(db: Database) -> None:
    at = now()
    made = draft(db, "stage-1", closes_at=at + HOUR)
    assert not accepts(made, at)
    opened = start(db, "stage-1")
    assert accepts(opened, at + HOUR - timedelta(seconds=1))
    assert not accepts(opened, at + HOUR)
    assert not accepts(close(db, "stage-1"), at)


def test_the_worker_opens_and_closes_rounds_when_their_time_has_come(db: Database) -> None:
    at = now()
    draft(db, "over", at - 3 * HOUR, at - 2 * HOUR)
    draft(db, "running", at - HOUR, at + HOUR)
    draft(db, "to-come", at + HOUR)
    draft(db, "by-hand")
    keep_schedule(db)
    assert states(db) == {"over": "closed", "running": "open", "to-come": "draft", "by-hand": "draft"}


def test_the_worker_leaves_a_round_without_times_as_it_is(db: Database) -> None:
    draft(db, "stage-1")
    start(db, "stage-1")
    keep_schedule(db)
    assert states(db) == {"stage-1": "open"}


def test_a_draft_whose_time_has_come_waits_for_the_open_round_to_close(db: Database) -> None:
    draft(db, "stage-1")
    start(db, "stage-1")
    draft(db, "stage-2", opens_at=now() - HOUR)
    keep_schedule(db)
    assert states(db) == {"stage-1": "open", "stage-2": "draft"}
    close(db, "stage-1")
    keep_schedule(db)
    assert states(db) == {"stage-1": "closed", "stage-2": "open"}


def test_an_open_round_is_found_and_a_closed_one_is_not(db: Database) -> None:
    def found(session: Session) -> str | None:
        round_ = open_round(session)
        return round_.slug if round_ else None

    draft(db, "stage-1")
    for move, expected in ((start, "stage-1"), (close, None)):
        move(db, "stage-1")
        with db.reading() as session:
            assert found(session) == expected
            assert find_round(session, "stage-1") is not None
