"""Closing a round while people ask, read and vote: PostgreSQL lets them meet, and none of them loses.

Each test holds one transaction open at the moment that matters, lets another run into it, and then lets go.
"""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest
from sqlmodel import Session, col, func, select

from arena.battles.actions import ask_again, expire
from arena.battles.queries import CastVote
from arena.battles.tables import Battle, Turn, Vote
from arena.battles.votes import cast_vote
from arena.clock import now
from arena.db import Database, Work
from arena.errors import ArenaError, ConflictError
from arena.ratings.actions import close_round, store
from arena.ratings.jobs import rating
from arena.ratings.queries import snapshot_of
from arena.ratings.tables import RatingSnapshot
from arena.rounds.tables import Round
from arena.stats import live
from arena.teams.queries import entries_of
from tests.data import answered, ask, battle_state, end_turn, opened, rated_now, voted, voter, waiting_for_a_lock
from tests.support import KEY, eventually

RATING = next(task for task in rating(KEY) if task.name == "ratings")
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


@pytest.fixture
def round_(db: Database) -> Round:
    for name in ("minji", "junho"):
        voter(db, name)
    return opened(db)


@contextmanager
def under_way(db: Database) -> Iterator[Session]:
    """A transaction that is committed at the end of the block, and not before."""
    with Session(db.engine, expire_on_commit=False) as session, session.begin():
        yield session


def run_into(db: Database, pool: ThreadPoolExecutor, work: Work[object]) -> "Future[object]":
    """Starts a write that has to wait for another transaction, and returns once it waits."""
    before = waiting_for_a_lock(db)
    future = pool.submit(db.writing, work)
    assert eventually(lambda: waiting_for_a_lock(db) > before)
    return future


def closing(session: Session) -> Round:
    return close_round(session, "stage-1", KEY, now())


def voting(battle: Battle, session: Session) -> CastVote:
    return cast_vote(session, battle.voter_id, battle.id, "a", now())


def snapshot(db: Database, round_: Round) -> RatingSnapshot:
    with db.reading() as session:
        found = snapshot_of(session, round_.id or 0)
    assert found is not None
    return found


def rated(db: Database, round_: Round) -> int:
    return sum(pair["battles"] for pair in snapshot(db, round_).pairs)


def rate(db: Database) -> None:
    """What the worker does when there are votes to rate."""

    async def run() -> None:
        await RATING.run(db)

    asyncio.run(run())


def open_battles(db: Database) -> int:
    open_ = col(Battle.state).in_(("streaming", "votable"))
    with db.reading() as session:
        return session.exec(select(func.count()).select_from(Battle).where(open_)).one()


@on_postgresql
def test_a_vote_that_was_first_is_in_the_final_ratings(db: Database, round_: Round, pool: ThreadPoolExecutor) -> None:
    battle = answered(db, "minji")
    with under_way(db) as session:
        voting(battle, session)
        close = run_into(db, pool, closing)
    close.result(10)
    assert battle_state(db, battle.id) == "voted"
    assert (snapshot(db, round_).final, rated(db, round_)) == (True, 1)


@on_postgresql
def test_a_vote_that_was_second_is_refused(db: Database, round_: Round, pool: ThreadPoolExecutor) -> None:
    battle = answered(db, "minji")
    with under_way(db) as session:
        closing(session)
        vote = run_into(db, pool, partial(voting, battle))
    with pytest.raises(ConflictError) as refused:
        vote.result(10)
    assert refused.value.code == "round_closed"
    assert (battle_state(db, battle.id), rated(db, round_)) == ("expired", 0)


@on_postgresql
def test_a_battle_that_began_first_is_expired_by_the_closing(
    db: Database, round_: Round, pool: ThreadPoolExecutor
) -> None:
    with under_way(db) as session:
        battle, _ = ask(session, "minji")
        close = run_into(db, pool, closing)
    close.result(10)
    assert battle_state(db, battle.id) == "expired"


@on_postgresql
def test_a_battle_that_would_begin_second_is_refused(db: Database, round_: Round, pool: ThreadPoolExecutor) -> None:
    with under_way(db) as session:
        closing(session)
        start = run_into(db, pool, lambda session: ask(session, "minji"))
    with pytest.raises(ConflictError) as refused:
        start.result(10)
    assert refused.value.code == "round_closed"
    assert open_battles(db) == 0


@on_postgresql
def test_a_follow_up_that_was_first_is_stopped_with_its_battle(
    db: Database, round_: Round, pool: ThreadPoolExecutor
) -> None:
    battle = answered(db, "minji")
    with under_way(db) as session:
        ask_again(session, "minji", battle.id, "또 물어볼게요", now())
        close = run_into(db, pool, closing)
    close.result(10)
    with db.reading() as session:
        assert session.exec(select(Turn.state).order_by(col(Turn.number))).all() == ["complete", "stopped"]
    assert battle_state(db, battle.id) == "expired"


@on_postgresql
def test_an_answer_that_ends_while_its_battle_is_closed_does_not_block_it(
    db: Database, round_: Round, pool: ThreadPoolExecutor
) -> None:
    """Both want the battle and the turn; taken in opposite orders, each would wait for the other for ever."""
    battle, turn = db.writing(lambda session: ask(session, "minji"))
    with under_way(db) as session:
        session.exec(select(Battle.id).where(Battle.id == battle.id).with_for_update()).one()
        over = run_into(db, pool, lambda session: expire(session, round_, battle.id, now()))
        end = run_into(db, pool, lambda session: end_turn(session, turn))
    over.result(10)
    assert end.result(10) is False
    assert battle_state(db, battle.id) == "expired"


@on_postgresql
def test_the_worker_does_not_replace_final_ratings_that_come_while_it_stores_its_own(
    db: Database, round_: Round, pool: ThreadPoolExecutor
) -> None:
    rate(db)
    voted(db, "minji")
    earlier = rated_now(db)
    voted(db, "junho")
    with under_way(db) as session:
        closing(session)
        late = run_into(db, pool, lambda session: store(session, round_.id or 0, earlier, now()))
    late.result(10)
    assert (snapshot(db, round_).final, rated(db, round_)) == (True, 2)


def replayed(db: Database, round_: Round, *battles: Battle) -> dict[str, list[float]]:
    """The live indicator after side A was preferred in each of the battles, in this order."""
    with db.reading() as session:
        codes = {entry.id: entry.code for entry in entries_of(session, round_.id or 0)}
    state = live.start(codes.values())
    for battle in battles:
        state = live.update(state, codes[battle.entry_a], codes[battle.entry_b], "a")
    return {code: list(skill) for code, skill in state.items()}


@on_postgresql
def test_a_vote_that_commits_after_a_later_one_is_rated_too(db: Database, round_: Round) -> None:
    """PostgreSQL gives ids when rows are inserted, and shows them when they are committed."""
    slow, quick = answered(db, "minji"), answered(db, "junho")
    with under_way(db) as session:
        first = voting(slow, session)
        second = db.writing(partial(voting, quick))
        assert first.id < second.id
        rate(db)
        assert rated(db, round_) == 1
    with db.reading() as session:
        assert RATING.wanted(session, now())
    rate(db)
    assert rated(db, round_) == 2
    db.writing(closing)
    seen = snapshot(db, round_).live
    assert seen["last"] == second.id
    assert seen["skills"] == replayed(db, round_, slow, quick)


def test_every_acknowledged_vote_is_in_the_final_ratings_and_no_battle_stays_open(
    database_url: str, db: Database
) -> None:
    """Citizens on two processes vote as fast as they can while the round is closed under them."""
    round_ = opened(db, max_battles_per_voter=10**6, rated_votes_per_voter=10**6)
    processes = (db, Database(database_url))
    citizens = [voter(db, f"citizen-{number}") for number in range(8)]
    under_load, acknowledged = threading.Semaphore(0), list[str]()

    def take_part(name: str, process: Database) -> str:
        while True:
            try:
                receipt = voted(process, name, at=now()).receipt
            except ArenaError as refused:
                return refused.code
            acknowledged.append(receipt)
            under_load.release()

    with ThreadPoolExecutor(len(citizens)) as pool:
        people = [pool.submit(take_part, name, processes[i % 2]) for i, name in enumerate(citizens)]
        for _ in range(2 * len(citizens)):
            assert under_load.acquire(timeout=10)
        db.writing(closing)
        assert {person.result(10) for person in people} == {"round_closed"}
    with db.reading() as session:
        assert sorted(session.exec(select(Vote.receipt)).all()) == sorted(acknowledged)
    assert (snapshot(db, round_).final, rated(db, round_)) == (True, len(acknowledged))
    assert open_battles(db) == 0
    processes[1].close()
