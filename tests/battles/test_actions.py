"""Battles, turns and votes in the database: one open battle, one vote, and no wrong move from any state."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import func, update
from sqlmodel import Session, select

from arena.battles.actions import (
    LEASE,
    MAX_ATTEMPTS,
    ask_again,
    cast_vote,
    checkpoint_turn,
    claim_turn,
    clean_prompt,
    expire,
    give_feedback,
    stop_turn,
)
from arena.battles.pages import PROMPT_LIMIT
from arena.battles.queries import CastVote, answers_of, battle_page, turn_job, turns_of
from arena.battles.relay import Outcome
from arena.battles.tables import Battle, Feedback, Turn, Vote
from arena.clock import now
from arena.db import Database
from arena.errors import ConflictError, InvalidError, NotFoundError
from arena.ratings.actions import close_round
from arena.rounds.pairing import pair
from arena.rounds.tables import Round
from arena.teams.queries import entry
from tests.data import (
    ANSWERS,
    answered,
    ask,
    battle_state,
    end_turn,
    in_parallel,
    opened,
    voted,
    voter,
)

MINJI, JUNHO = "minji", "junho"
KIMCHI, WEATHER = "김치찌개는 어떻게 끓이나요?", "비가 오면 무엇을 할까요?"


@pytest.fixture
def round_(db: Database) -> Round:
    """An open round; Minji and Junho have consented."""
    for name in (MINJI, JUNHO):
        voter(db, name)
    return opened(db)


def asks(db: Database, prompt: str = KIMCHI, voter_id: str = MINJI) -> tuple[Battle, Turn]:
    return db.writing(lambda session: ask(session, voter_id, prompt))


def ends(db: Database, turn: Turn, outcome: Outcome = "complete") -> bool:
    return db.writing(lambda session: end_turn(session, fresh(session, turn), outcome))


def fresh(session: Session, turn: Turn) -> Turn:
    return session.exec(select(Turn).where(Turn.id == turn.id)).one()


def votes(db: Database, battle: Battle, choice: str = "a", voter_id: str = MINJI) -> CastVote:
    return db.writing(lambda session: cast_vote(session, voter_id, battle.id, choice, now()))


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
    db.writing(lambda session: close_round(session, "stage-1", now()))


# Starting


def test_the_pair_is_the_one_fixed_in_advance_for_this_voter(db: Database, round_: Round) -> None:
    battle, turn = asks(db)
    codes = pair(bytes.fromhex(round_.seed), "stage-1", 1, ["e1", "e2", "e3", "e4", "e5"], MINJI, 0)
    with db.reading() as session:
        assert (entry(session, battle.entry_a).code, entry(session, battle.entry_b).code) == codes
        assert [answer.text for answer in answers_of(session, turn.id or 0)] == ["", ""]
    assert (battle.state, turn.state, turn.number, turn.prompt) == ("streaming", "streaming", 1, KIMCHI)


def test_the_same_question_sent_twice_finds_the_same_battle(db: Database, round_: Round) -> None:
    first, again = asks(db), asks(db)
    assert (again[0].id, again[1].id) == (first[0].id, first[1].id)
    ends(db, first[1])
    assert asks(db)[0].id == first[0].id
    assert rows(db, Battle) == 1


def test_another_question_expires_the_open_battle_and_deals_its_cell_again(db: Database, round_: Round) -> None:
    (first, first_turn), (second, _) = asks(db), asks(db, WEATHER)
    assert second.id != first.id
    assert cell(second) == cell(first)
    assert battle_state(db, first.id) == "expired"
    assert turn_state(db, first_turn) == "stopped"


def test_the_same_question_after_a_follow_up_begins_a_new_battle(db: Database, round_: Round) -> None:
    battle = answered(db, MINJI)
    db.writing(lambda session: ask_again(session, MINJI, battle.id, WEATHER, now()))
    assert asks(db)[0].id != battle.id


def test_a_vote_moves_the_voter_on_to_the_next_pair(db: Database, round_: Round) -> None:
    cells = []
    for _ in range(20):
        battle = answered(db, MINJI)
        votes(db, battle)
        cells.append(cell(battle))
    assert [k for k, _, _ in cells] == list(range(20))
    assert len({(a, b) for _, a, b in cells}) == 20


def test_a_void_battle_is_dealt_again_and_uses_nothing_up(db: Database) -> None:
    voter(db, MINJI)
    opened(db, max_battles_per_voter=1)
    (first, turn) = asks(db)
    ends(db, turn, "failed")
    assert battle_state(db, first.id) == "void"
    second, _ = asks(db)
    assert second.id != first.id
    assert cell(second) == cell(first)


def test_voters_do_not_meet_in_one_another_s_battles(db: Database, round_: Round) -> None:
    assert asks(db)[0].id != asks(db, voter_id=JUNHO)[0].id
    assert rows(db, Battle) == 2


def test_a_voter_starts_as_many_battles_as_the_rules_allow(db: Database) -> None:
    voter(db, MINJI)
    opened(db, max_battles_per_voter=2)
    voted(db, MINJI)
    voted(db, MINJI)
    with pytest.raises(ConflictError) as refused:
        asks(db)
    assert refused.value.code == "battle_limit"
    asks(db, voter_id=voter(db, JUNHO))


def test_at_the_limit_the_open_battle_is_not_lost_to_another_question(db: Database) -> None:
    voter(db, MINJI)
    opened(db, max_battles_per_voter=1)
    battle, _ = asks(db)
    with pytest.raises(ConflictError):
        asks(db, WEATHER)
    assert battle_state(db, battle.id) == "streaming"


@pytest.mark.parametrize("prompt", ["", "  \n\t ", "\0", "가" * (PROMPT_LIMIT + 1)])
def test_a_question_that_is_empty_or_too_long_is_refused(prompt: str) -> None:
    with pytest.raises(InvalidError):
        clean_prompt(prompt)


def test_a_question_is_kept_as_it_was_written(db: Database, round_: Round) -> None:
    prompt = clean_prompt("  첫 줄\r\n둘째 줄 \0🙂\ud800 ")
    assert prompt == "첫 줄\n둘째 줄 🙂?"
    assert asks(db, prompt)[1].prompt == prompt


def test_concurrent_starts_by_one_voter_give_one_open_battle(database_url: str, db: Database, round_: Round) -> None:
    other_process = Database(database_url)
    starts = [partial(asks, process) for process in (db, other_process) for _ in range(8)]
    found = in_parallel(starts)
    assert len({result[0].id for result in found if not isinstance(result, Exception)}) == 1
    assert [result for result in found if isinstance(result, Exception)] == []
    assert (rows(db, Battle), rows(db, Turn)) == (1, 1)
    other_process.close()


def test_concurrent_questions_of_one_voter_leave_one_open_battle(
    database_url: str, db: Database, round_: Round
) -> None:
    other_process = Database(database_url)
    answered(db, MINJI)
    starts = [partial(asks, (db, other_process)[i % 2], f"질문 {i}") for i in range(16)]
    assert [result for result in in_parallel(starts) if isinstance(result, Exception)] == []
    with db.reading() as session:
        states = session.exec(select(Battle.state)).all()
        cells = session.exec(select(Battle.k, Battle.entry_a, Battle.entry_b).distinct()).all()
    assert sorted(set(states)) == ["expired", "streaming"]
    assert states.count("streaming") == 1
    assert len(cells) == 1
    other_process.close()


# Turns


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
        db.writing(lambda session: expire(session, battle.id))
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


# Votes


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
        db.writing(lambda session: expire(session, battle.id))
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
    db.writing(lambda session: expire(session, battle.id))
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


def test_nothing_is_accepted_when_the_rounds_time_is_over_though_nobody_closed_it_yet(
    db: Database, round_: Round
) -> None:
    battle = answered(db, MINJI)
    db.writing(lambda session: session.execute(update(Round).values(closes_at=now() - timedelta(seconds=1))))
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
