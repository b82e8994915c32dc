"""What tests below HTTP need: voters, battles moved by hand, and threads that set off together."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import func, text
from sqlmodel import Session, select

from arena.accounts.actions import record_consent
from arena.battles.actions import claim_turn, expire, finish_turn
from arena.battles.column import Said
from arena.battles.dealing import start_battle
from arena.battles.queries import CastVote, round_of, turn_job
from arena.battles.relay import Outcome
from arena.battles.tables import Battle, Feedback, Turn, Vote
from arena.battles.votes import cast_vote, exclude_votes, reinstate_votes
from arena.clock import now
from arena.db import Database, Work
from arena.ratings.actions import Computed, close_round, compute, count
from arena.rounds.decisions import Decision
from arena.rounds.queries import find_round
from arena.rounds.tables import Round
from tests.support import KEY, eventually, open_round, round_file

T = TypeVar("T")

MINJI, JUNHO = "minji", "junho"
KIMCHI, WEATHER = "김치찌개는 어떻게 끓이나요?", "비가 오면 무엇을 할까요?"
NOWHERE = "http://127.0.0.1:9"
ANSWERS = (Said("가 답변", "complete", 10, 20), Said("나 답변", "complete", 11, 21))
LONG_AGO = timedelta(minutes=1)
BY_TWO = Decision("mistake", ("operator-1", "operator-2"))
TEST_VOTES = Decision("test_votes", BY_TWO.persons)


def opened(db: Database, *, teams: int = 5, **rules: Any) -> Round:
    """An open round whose endpoints nobody asks."""
    return open_round(db, round_file(NOWHERE, teams=teams, **rules))


def voter(db: Database, name: str) -> str:
    """The id of a citizen who has consented."""
    db.writing(lambda session: record_consent(session, name, "1", publish=True, now=now()))
    return name


def ask(session: Session, voter_id: str, prompt: str = KIMCHI) -> tuple[Battle, Turn]:
    round_ = find_round(session, "stage-1")
    assert round_ is not None
    dealt = start_battle(session, round_, voter_id, prompt, "ko", now())
    return dealt.battle, dealt.turn


def end_turn(session: Session, turn: Turn, outcome: Outcome = "complete", said: tuple[Said, Said] = ANSWERS) -> bool:
    return finish_turn(session, turn_job(session, turn), outcome, said, now())


def answered(db: Database, voter_id: str, prompt: str = KIMCHI) -> Battle:
    """A voter's battle that may be voted on."""

    def work(session: Session) -> Battle:
        battle, turn = ask(session, voter_id, prompt)
        assert end_turn(session, turn)
        return battle

    return db.writing(work)


def voted(db: Database, voter_id: str, choice: str = "a", at: datetime | None = None) -> CastVote:
    """A whole battle of a voter; the vote was cast a minute ago unless told."""
    battle = answered(db, voter_id)
    return db.writing(lambda s: cast_vote(s, voter_id, battle.id, choice, at or now() - LONG_AGO))


def asks(db: Database, prompt: str = KIMCHI, voter_id: str = MINJI) -> tuple[Battle, Turn]:
    return db.writing(lambda session: ask(session, voter_id, prompt))


def ends(db: Database, turn: Turn, outcome: Outcome = "complete", said: tuple[Said, Said] = ANSWERS) -> bool:
    return db.writing(lambda session: end_turn(session, fresh(session, turn), outcome, said))


def fresh(session: Session, turn: Turn) -> Turn:
    return session.exec(select(Turn).where(Turn.id == turn.id)).one()


def votes(db: Database, battle: Battle, choice: str = "a", voter_id: str = MINJI) -> CastVote:
    return db.writing(lambda session: cast_vote(session, voter_id, battle.id, choice, now()))


def excludes(db: Database, *vote_ids: int) -> tuple[int, ...]:
    return db.writing(lambda session: exclude_votes(session, vote_ids, TEST_VOTES, now()).votes)


def reinstates(db: Database, *vote_ids: int) -> tuple[int, ...]:
    return db.writing(lambda session: reinstate_votes(session, vote_ids, BY_TWO, now()).votes)


def claims(db: Database, turn: Turn, at: datetime, *, stopped: bool = False) -> bool:
    return db.writing(lambda session: claim_turn(session, fresh(session, turn), at, stopped=stopped))


def turn_state(db: Database, turn: Turn) -> str:
    with db.reading() as session:
        return fresh(session, turn).state


def cell(battle: Battle) -> tuple[int, int, int]:
    return battle.k, battle.entry_a, battle.entry_b


def rows(db: Database, table: type[Battle] | type[Vote] | type[Feedback] | type[Turn]) -> int:
    with db.reading() as session:
        return session.exec(select(func.count()).select_from(table)).one()


def closes(db: Database) -> None:
    db.writing(lambda session: close_round(session, "stage-1", KEY, now()))


def rated_now(db: Database) -> Computed:
    """The open round's ratings as the worker would compute them, not stored."""
    with db.reading() as session:
        round_ = find_round(session, "stage-1")
    assert round_ is not None
    counted = db.writing(lambda session: count(session, round_, KEY, now()))
    assert counted is not None
    with db.reading() as session:
        return compute(session, round_, counted)


def expires(db: Database, battle: Battle) -> None:
    db.writing(lambda session: expire(session, round_of(session, battle.id), battle.id, now()))


def battle_state(db: Database, battle_id: str) -> str:
    with db.reading() as session:
        return session.exec(select(Battle.state).where(Battle.id == battle_id)).one()


def in_parallel(calls: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """What each call returned or raised, all let go at once, each in a thread of its own."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T | Exception:
        gate.wait()
        try:
            return call()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@contextmanager
def under_way(db: Database) -> Iterator[Session]:
    """A transaction that is committed at the end of the block, and not before."""
    with Session(db.engine, expire_on_commit=False) as session, session.begin():
        yield session


def run_into(db: Database, pool: ThreadPoolExecutor, work: Work[T]) -> Future[T]:
    """Starts a write that has to wait for another PostgreSQL transaction, and returns once it waits."""
    before = waiting_for_a_lock(db)
    future = pool.submit(db.writing, work)
    assert eventually(lambda: waiting_for_a_lock(db) > before)
    return future


def waiting_for_a_lock(db: Database) -> int:
    """How many PostgreSQL connections of this database wait for another one's transaction."""
    with db.engine.connect() as connection:
        found = connection.execute(
            text(
                "select count(*) from pg_stat_activity"
                " where datname = current_database() and wait_event_type = 'Lock'"
            )
        )
        return int(found.scalar_one())
