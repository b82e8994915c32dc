"""Turns: one relay at a time streams one, and none once its battle is over."""

from datetime import timedelta
from functools import partial

import pytest

from arena.battles.actions import LEASE, MAX_ATTEMPTS, ask_again, checkpoint_turn, claim_turn
from arena.battles.queries import answers_of, turn_job, turns_of
from arena.battles.relay import Outcome
from arena.battles.tables import Turn
from arena.clock import now
from arena.db import Database
from arena.errors import ConflictError
from arena.rounds.tables import Round
from tests.data import (
    ANSWERS,
    JUNHO,
    KIMCHI,
    MINJI,
    WEATHER,
    answered,
    asks,
    battle_state,
    claims,
    closes,
    ends,
    expires,
    fresh,
    in_parallel,
    opened,
    turn_state,
    voter,
)


@pytest.fixture
def round_(db: Database) -> Round:
    """An open round; Minji and Junho have consented."""
    for name in (MINJI, JUNHO):
        voter(db, name)
    return opened(db)


def test_a_follow_up_goes_to_both_sides_up_to_the_rules_limit(db: Database) -> None:
    voter(db, MINJI)
    opened(db, max_turns=2)
    battle = answered(db, MINJI)
    turn = db.writing(lambda session: ask_again(session, MINJI, battle.id, WEATHER, now()))
    assert (turn.number, battle_state(db, battle.id)) == (2, "streaming")
    with db.reading() as session:
        job = turn_job(session, turn)
    assert [[message.content for message in said] for said in job.conversations] == [
        [KIMCHI, ANSWERS[0].text, WEATHER],
        [KIMCHI, ANSWERS[1].text, WEATHER],
    ]
    ends(db, turn)
    with pytest.raises(ConflictError) as refused:
        db.writing(lambda session: ask_again(session, MINJI, battle.id, WEATHER, now()))
    assert refused.value.code == "turn_limit"
    assert battle_state(db, battle.id) == "votable"


def test_of_concurrent_follow_ups_one_is_asked(database_url: str, db: Database, round_: Round) -> None:
    battle = answered(db, MINJI)
    other_process = Database(database_url)

    def follow_up(process: Database) -> Turn:
        return process.writing(lambda session: ask_again(session, MINJI, battle.id, WEATHER, now()))

    done = in_parallel([partial(follow_up, (db, other_process)[i % 2]) for i in range(8)])
    assert sum(isinstance(outcome, Turn) for outcome in done) == 1
    assert sum(isinstance(outcome, ConflictError) for outcome in done) == 7
    with db.reading() as session:
        assert [turn.number for turn in turns_of(session, battle.id)] == [1, 2]
    other_process.close()


def test_a_turn_that_is_streamed_is_nobody_elses_until_its_lease_runs_out(db: Database, round_: Round) -> None:
    _, turn = asks(db)
    assert not claims(db, turn, turn.alive_at + LEASE)
    assert claims(db, turn, turn.alive_at + LEASE + timedelta(seconds=1))


def test_a_checkpoint_keeps_the_lease_and_saves_what_was_said(db: Database, round_: Round) -> None:
    _, turn = asks(db)
    later = turn.alive_at + LEASE
    assert db.writing(lambda s: checkpoint_turn(s, turn_job(s, fresh(s, turn)), ANSWERS, later))
    assert not claims(db, turn, later + LEASE)
    with db.reading() as session:
        assert [answer.text for answer in answers_of(session, turn.id or 0)] == ["가 답변", "나 답변"]


@pytest.mark.parametrize(("outcome", "stopped"), [("paused", False), ("stopped", True)])
def test_of_many_who_begin_a_turn_again_one_does(
    database_url: str, db: Database, round_: Round, outcome: Outcome, stopped: bool
) -> None:
    _, turn = asks(db)
    ends(db, turn, outcome)
    other_process = Database(database_url)
    calls = [partial(claims, (db, other_process)[i % 2], turn, now(), stopped=stopped) for i in range(10)]
    assert sorted(in_parallel(calls), key=str) == [False] * 9 + [True]
    other_process.close()


def test_a_stopped_turn_waits_for_the_voter_and_a_paused_one_for_a_reader(db: Database, round_: Round) -> None:
    _, turn = asks(db)
    ends(db, turn, "stopped")
    assert not claims(db, turn, now())
    assert claims(db, turn, now(), stopped=True)
    ends(db, turn, "paused")
    assert not claims(db, turn, now(), stopped=True)
    assert claims(db, turn, now())


def test_a_relay_that_lost_its_turn_to_another_saves_nothing_more(db: Database, round_: Round) -> None:
    battle, turn = asks(db)
    with db.reading() as session:
        lost = turn_job(session, turn)
    assert claims(db, turn, turn.alive_at + LEASE + timedelta(seconds=1))
    assert not db.writing(lambda session: checkpoint_turn(session, lost, ANSWERS, now()))
    with db.reading() as session:
        assert [answer.text for answer in answers_of(session, turn.id or 0)] == ["", ""]
    assert ends(db, turn)
    assert not ends(db, turn, "failed")
    assert battle_state(db, battle.id) == "votable"


def test_a_turn_that_was_begun_too_often_fails_and_voids_its_battle(db: Database, round_: Round) -> None:
    battle, turn = asks(db)
    for _ in range(MAX_ATTEMPTS - 1):
        ends(db, turn, "paused")
        assert claims(db, turn, now())
    ends(db, turn, "paused")
    assert not claims(db, turn, now())
    assert (turn_state(db, turn), battle_state(db, battle.id)) == ("failed", "void")


@pytest.mark.parametrize("over", ["expired", "closed"])
@pytest.mark.parametrize("outcome", ["paused", "stopped"])
def test_no_answer_is_asked_for_again_once_the_battle_is_over(
    db: Database, round_: Round, outcome: Outcome, over: str
) -> None:
    battle, turn = asks(db)
    ends(db, turn, outcome)
    if over == "expired":
        expires(db, battle)
    else:
        closes(db)
    assert not claims(db, turn, now() + 2 * LEASE)
    assert not claims(db, turn, now() + 2 * LEASE, stopped=True)


def test_an_answer_that_ends_after_its_battle_expired_opens_nothing(db: Database, round_: Round) -> None:
    battle, turn = asks(db)
    with db.reading() as session:
        job = turn_job(session, turn)
    asks(db, WEATHER)
    assert not db.writing(lambda session: checkpoint_turn(session, job, ANSWERS, now()))
    assert not ends(db, turn)
    assert battle_state(db, battle.id) == "expired"


def test_who_saw_the_turn_before_it_was_begun_again_does_not_take_it(db: Database, round_: Round) -> None:
    _, seen = asks(db)
    for _ in range(2):
        ends(db, seen, "paused")
        assert claims(db, seen, now())
    ends(db, seen, "paused")
    assert not db.writing(lambda session: claim_turn(session, seen, now()))
    assert claims(db, seen, now())
