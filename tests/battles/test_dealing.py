"""Dealing around endpoints that fail, and for voters who leave one battle after the other."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from arena.battles.column import Said
from arena.battles.dealing import LEFT_WITHIN, MAY_LEAVE, start_battle
from arena.battles.queries import battles_left
from arena.battles.tables import Battle, Vote
from arena.clock import now
from arena.db import Database
from arena.errors import BusyError, LimitError
from arena.rounds.tables import Round
from arena.teams.outages import (
    FAILURES_IN_A_ROW,
    FIRST_CHECK,
    checked,
    note_answer,
    out_of_service,
    outages,
    to_check,
)
from arena.teams.queries import entries_of
from tests.data import MINJI, answered, asks, battle_state, cell, ends, opened, voter, votes

GOOD = Said("네", "complete", 1, 2)
BAD = Said("", "idle", None, 2)
CUT_OFF_BY_THE_OTHER = Said("", None, None, None)


@pytest.fixture
def round_(db: Database) -> Round:
    voter(db, MINJI)
    return opened(db)


def fails(db: Database, round_: Round, code: str, times: int = FAILURES_IN_A_ROW) -> None:
    """An entry's answers fail so often in a row."""
    for _ in range(times):
        db.writing(lambda session: note_answer(session, ids(session, round_)[code], "idle", now(), good=False))


def check_failed(db: Database, round_: Round) -> timedelta:
    """Checks an outage in vain when its check is due; how long the next one is away."""

    def check(session: Session) -> timedelta:
        (outage,) = outages(session, round_.id or 0)
        at = outage.check_at
        assert not to_check(session, round_.id or 0, at - timedelta(seconds=1))
        assert to_check(session, round_.id or 0, at) == [outage]
        checked(session, outage.id or 0, at, good=False)
        return outage.check_at - at

    return db.writing(check)


def recovers(db: Database, round_: Round) -> None:
    def check(session: Session) -> None:
        for outage in outages(session, round_.id or 0):
            checked(session, outage.id or 0, now(), good=True)

    db.writing(check)


def ids(session: Session, round_: Round) -> dict[str, int]:
    return {entry.code: entry.id for entry in entries_of(session, round_.id or 0)}


def out(db: Database, round_: Round) -> frozenset[str]:
    with db.reading() as session:
        return out_of_service(session, round_.id or 0)


def codes_of(db: Database, round_: Round, battle: Battle) -> set[str]:
    with db.reading() as session:
        return {code for code, id_ in ids(session, round_).items() if id_ in (battle.entry_a, battle.entry_b)}


def dealt(db: Database, number: int) -> Iterator[Battle]:
    for _ in range(number):
        battle = answered(db, MINJI)
        votes(db, battle)
        yield battle


def test_an_endpoint_that_fails_three_times_in_a_row_is_not_dealt(db: Database, round_: Round) -> None:
    fails(db, round_, "e2", FAILURES_IN_A_ROW - 1)
    assert out(db, round_) == frozenset()
    fails(db, round_, "e2", 1)
    assert out(db, round_) == {"e2"}
    assert all("e2" not in codes_of(db, round_, battle) for battle in dealt(db, 12))


def test_a_good_answer_between_failures_keeps_an_endpoint_in_service(db: Database, round_: Round) -> None:
    for _ in range(3):
        fails(db, round_, "e2", FAILURES_IN_A_ROW - 1)
        db.writing(lambda session: note_answer(session, ids(session, round_)["e2"], "complete", now(), good=True))
    assert out(db, round_) == frozenset()


def test_further_failures_belong_to_the_same_outage(db: Database, round_: Round) -> None:
    fails(db, round_, "e2", 3 * FAILURES_IN_A_ROW)
    with db.reading() as session:
        assert len(outages(session, round_.id or 0)) == 1


def test_the_pairs_that_an_outage_left_out_are_dealt_after_it(db: Database, round_: Round) -> None:
    fails(db, round_, "e2")
    during = list(dealt(db, 12))
    recovers(db, round_)
    after = list(dealt(db, 8))
    assert all("e2" in codes_of(db, round_, battle) for battle in after)
    assert sorted(battle.k for battle in during + after) == list(range(20))
    assert len({cell(battle)[1:] for battle in during + after}) == 20


def test_with_fewer_than_two_entries_in_service_nothing_is_dealt(db: Database, round_: Round) -> None:
    for code in ("e1", "e2", "e3"):
        fails(db, round_, code)
    asks(db)
    fails(db, round_, "e4")
    with pytest.raises(BusyError) as refused:
        asks(db, "다른 질문")
    assert refused.value.code == "out_of_service"


def test_checks_come_ever_later_until_one_is_good(db: Database, round_: Round) -> None:
    fails(db, round_, "e2")
    waits = [check_failed(db, round_) / FIRST_CHECK for _ in range(8)]
    assert waits == [2, 4, 8, 16, 32, 32, 32, 32]
    recovers(db, round_)
    assert out(db, round_) == frozenset()
    fails(db, round_, "e2", FAILURES_IN_A_ROW - 1)
    assert out(db, round_) == frozenset()


def test_a_turn_that_fails_counts_against_the_side_that_failed_alone(db: Database, round_: Round) -> None:
    for _ in range(FAILURES_IN_A_ROW):
        battle, turn = asks(db)
        with db.reading() as session:
            names = {id_: code for code, id_ in ids(session, round_).items()}
        fails(db, round_, names[battle.entry_a], FAILURES_IN_A_ROW - 1)
        ends(db, turn, "failed", (BAD, CUT_OFF_BY_THE_OTHER))
        assert out(db, round_) == {names[battle.entry_a]}
        recovers(db, round_)


def test_another_question_after_a_few_left_battles_has_to_wait_and_loses_nothing(db: Database, round_: Round) -> None:
    for number in range(MAY_LEAVE + 1):
        battle, _ = asks(db, f"{number}번째 질문")
    with pytest.raises(LimitError) as refused:
        asks(db, "또 다른 질문")
    assert refused.value.code == "left_too_often"
    assert 0 < refused.value.retry_after_s <= LEFT_WITHIN.total_seconds()
    assert battle_state(db, battle.id) == "streaming"
    with db.reading() as session:
        assert len(battles_left(session, round_.id or 0, MINJI, now() - LEFT_WITHIN)) == MAY_LEAVE


def test_whoever_votes_may_go_on_and_whoever_waits_too(db: Database, round_: Round) -> None:
    for number in range(MAY_LEAVE + 1):
        battle, turn = asks(db, f"{number}번째 질문")
    ends(db, turn)
    votes(db, battle)
    asks(db, "표를 낸 다음 질문")
    with pytest.raises(LimitError):
        asks(db, "또 다른 질문")
    later = now() + LEFT_WITHIN
    db.writing(lambda session: start_battle(session, round_, MINJI, "또 다른 질문", "ko", later))


@pytest.mark.parametrize(("rule", "excluded"), [("exclude", True), ("flag", False)])
def test_a_vote_on_answers_that_name_their_model_is_rated_as_the_rules_say(
    db: Database, rule: str, excluded: bool
) -> None:
    voter(db, MINJI)
    opened(db, identity_leak=rule)
    battle, turn = asks(db)
    ends(db, turn, "complete", (Said("저는 [모델]", "complete", 1, 2, names=1, raw="저는 한빛"), GOOD))
    votes(db, battle)
    with db.reading() as session:
        vote = session.exec(select(Vote)).one()
    assert (vote.excluded, vote.excluded_why) == (excluded, "identity_leak" if excluded else None)
