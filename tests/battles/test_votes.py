"""Votes: one a battle, final, and from no wrong state."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import Session, select

from arena.battles.actions import (
    LEASE,
    ask_again,
    stop_turn,
)
from arena.battles.pages import COMMENT_LIMIT
from arena.battles.queries import CastVote, battle_page, turns_of
from arena.battles.tables import Battle, Feedback, Turn, Vote
from arena.battles.votes import give_feedback
from arena.clock import now
from arena.db import Database
from arena.errors import ConflictError, InvalidError, NotFoundError
from arena.rounds.tables import Round
from tests.data import (
    JUNHO,
    MINJI,
    WEATHER,
    answered,
    asks,
    battle_state,
    claims,
    closes,
    ends,
    expires,
    in_parallel,
    opened,
    rows,
    voter,
    votes,
)


@pytest.fixture
def round_(db: Database) -> Round:
    """An open round; Minji and Junho have consented."""
    for name in (MINJI, JUNHO):
        voter(db, name)
    return opened(db)


def in_state(db: Database, state: str) -> Battle:
    """A battle of Minji's in any state a battle can be in, brought there by what people do."""
    if state == "votable":
        return answered(db, MINJI)
    if state == "voted":
        battle = answered(db, MINJI)
        votes(db, battle, "a")
        return battle
    battle, turn = asks(db)
    if state == "void":
        ends(db, turn, "failed")
    elif state == "expired":
        expires(db, battle)
    elif state == "stopped":
        ends(db, turn, "stopped")
    return battle


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("streaming", "not_votable"),
        ("stopped", "not_votable"),
        ("void", "not_votable"),
        ("expired", "not_votable"),
        ("voted", "already_voted"),
    ],
)
def test_a_vote_in_a_wrong_state_is_refused_and_stores_nothing(
    db: Database, round_: Round, state: str, code: str
) -> None:
    battle = in_state(db, state)
    before = (battle_state(db, battle.id), rows(db, Vote))
    with pytest.raises(ConflictError) as refused:
        votes(db, battle, "b")
    assert refused.value.code == code
    assert (battle_state(db, battle.id), rows(db, Vote)) == before


@pytest.mark.parametrize("state", ["streaming", "stopped", "void", "expired", "voted"])
def test_a_follow_up_in_a_wrong_state_is_refused_and_stores_nothing(db: Database, round_: Round, state: str) -> None:
    battle = in_state(db, state)
    before = battle_state(db, battle.id)
    with pytest.raises(ConflictError):
        db.writing(lambda session: ask_again(session, MINJI, battle.id, WEATHER, now()))
    assert (battle_state(db, battle.id), rows(db, Turn)) == (before, 1)


@pytest.mark.parametrize("state", ["voted", "void", "expired"])
def test_a_battle_that_is_over_does_not_move_any_more(db: Database, round_: Round, state: str) -> None:
    battle = in_state(db, state)
    with db.reading() as session:
        turn = turns_of(session, battle.id)[0]
    expires(db, battle)
    db.writing(lambda session: stop_turn(session, turn))
    ends(db, turn)
    claims(db, turn, now() + 2 * LEASE)
    claims(db, turn, now() + 2 * LEASE, stopped=True)
    assert battle_state(db, battle.id) == state


@pytest.mark.parametrize("choice", ["a", "b", "tie", "both_bad"])
def test_each_choice_is_recorded_as_it_was_made(db: Database, round_: Round, choice: str) -> None:
    battle = answered(db, MINJI)
    cast = votes(db, battle, choice)
    with db.reading() as session:
        kept = session.exec(select(Vote)).one()
        assert (kept.battle_id, kept.choice, kept.receipt) == (battle.id, choice, cast.receipt)
        assert battle_page(session, MINJI, battle.id, "ko").battle.state == "voted"


@pytest.mark.parametrize("choice", ["", "A", "c", "both-bad", "a' or 1=1"])
def test_an_unknown_choice_is_refused(db: Database, round_: Round, choice: str) -> None:
    battle = answered(db, MINJI)
    with pytest.raises(InvalidError):
        votes(db, battle, choice)
    assert (battle_state(db, battle.id), rows(db, Vote)) == ("votable", 0)


def test_nobody_else_votes_on_a_battle(db: Database, round_: Round) -> None:
    battle = answered(db, MINJI)
    with pytest.raises(NotFoundError):
        votes(db, battle, voter_id=JUNHO)
    votes(db, battle)
    with pytest.raises(NotFoundError):
        votes(db, battle, voter_id=JUNHO)


def test_a_vote_after_the_round_has_closed_is_refused(db: Database, round_: Round) -> None:
    battle = answered(db, MINJI)
    closes(db)
    with pytest.raises(ConflictError) as refused:
        votes(db, battle)
    assert (refused.value.code, rows(db, Vote)) == ("round_closed", 0)


@pytest.mark.parametrize("over", [{"closes_at": now() - timedelta(seconds=1)}, {"state": "closed"}])
def test_nothing_is_accepted_in_a_round_that_is_over_though_its_battles_are_still_open(
    db: Database, round_: Round, over: dict[str, Any]
) -> None:
    battle = answered(db, MINJI)
    db.writing(lambda session: session.execute(update(Round).values(**over)))
    refusals: list[Callable[[], object]] = [
        lambda: votes(db, battle),
        lambda: asks(db, WEATHER),
        lambda: db.writing(lambda session: ask_again(session, MINJI, battle.id, WEATHER, now())),
    ]
    for refusal in refusals:
        with pytest.raises(ConflictError) as refused:
            refusal()
        assert refused.value.code == "round_closed"
    assert battle_state(db, battle.id) == "votable"


def test_the_same_vote_again_finds_the_same_receipt_even_after_closing(db: Database, round_: Round) -> None:
    battle = answered(db, MINJI)
    first = votes(db, battle)
    assert votes(db, battle) == first
    closes(db)
    assert votes(db, battle) == first
    assert rows(db, Vote) == 1


def test_fifty_posts_of_one_vote_give_one_row_and_one_receipt(database_url: str, db: Database, round_: Round) -> None:
    battle = answered(db, MINJI)
    other_process = Database(database_url)
    posts = [partial(votes, (db, other_process)[i % 2], battle, "tie") for i in range(50)]
    cast = in_parallel(posts)
    assert [outcome for outcome in cast if isinstance(outcome, Exception)] == []
    assert len({outcome.receipt for outcome in cast if isinstance(outcome, CastVote)}) == 1
    assert rows(db, Vote) == 1
    other_process.close()


def test_of_fifty_different_votes_on_one_battle_one_choice_wins(
    database_url: str, db: Database, round_: Round
) -> None:
    battle = answered(db, MINJI)
    other_process = Database(database_url)
    choices = ["a", "b", "tie", "both_bad"]
    cast = in_parallel([partial(votes, (db, other_process)[i % 2], battle, choices[i % 4]) for i in range(50)])
    won = {outcome.choice for outcome in cast if isinstance(outcome, CastVote)}
    refused = [outcome for outcome in cast if isinstance(outcome, Exception)]
    assert len(won) == 1
    assert all(isinstance(error, ConflictError) and error.code == "already_voted" for error in refused)
    assert len(refused) == 50 - sum(choice in won for choice in (choices[i % 4] for i in range(50)))
    assert rows(db, Vote) == 1
    other_process.close()


def test_reasons_and_a_comment_are_kept_once(db: Database, round_: Round) -> None:
    cast = votes(db, answered(db, MINJI))

    def give(session: Session, vote: CastVote, comment: str) -> CastVote:
        return give_feedback(session, vote, ["a:clear", "b:unsafe", "a:clear"], comment, now())

    again = db.writing(lambda session: give(session, cast, "  고마워요\0 "))
    assert again.feedback_given
    db.writing(lambda session: give(session, again, "another"))
    with db.reading() as session:
        kept = session.exec(select(Feedback)).one()
    assert (kept.reasons, kept.comment) == (["a:clear", "b:unsafe"], "고마워요")


def test_personal_data_in_a_comment_is_masked(db: Database, round_: Round) -> None:
    cast = votes(db, answered(db, MINJI))
    comment = "답을 010-1234-5678로 보내 주세요. " + "가" * COMMENT_LIMIT
    db.writing(lambda session: give_feedback(session, cast, [], comment, now()))
    with db.reading() as session:
        kept = session.exec(select(Feedback)).one().comment
    assert kept.startswith("답을 [전화번호]로 보내 주세요.")
    assert len(kept) == COMMENT_LIMIT


def test_an_unknown_reason_is_refused_with_all_that_came_with_it(db: Database, round_: Round) -> None:
    cast = votes(db, answered(db, MINJI))
    with pytest.raises(InvalidError):
        db.writing(lambda session: give_feedback(session, cast, ["a:clear", "c:clear"], "", now()))
    assert rows(db, Feedback) == 0


def test_concurrent_feedback_on_one_vote_is_kept_once(database_url: str, db: Database, round_: Round) -> None:
    cast = votes(db, answered(db, MINJI))
    other_process = Database(database_url)

    def give(process: Database, comment: str) -> CastVote:
        return process.writing(lambda session: give_feedback(session, cast, ["a:clear"], comment, now()))

    done = in_parallel([partial(give, (db, other_process)[i % 2], str(i)) for i in range(10)])
    assert [outcome for outcome in done if isinstance(outcome, Exception)] == []
    assert rows(db, Feedback) == 1
    other_process.close()
