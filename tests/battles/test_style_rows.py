"""The style of answers, counted when a turn ends and added up for the votes that count."""

import pytest
from sqlalchemy import update
from sqlmodel import Session, col

from arena.battles.actions import ask_again, finish_turn
from arena.battles.column import Said
from arena.battles.queries import answers_of, turn_job
from arena.battles.rated import StyleRow, style_rows
from arena.battles.relay import Outcome
from arena.battles.tables import Answer, Turn
from arena.clock import now
from arena.db import Database
from arena.rounds.tables import Round
from arena.stats.style import FEATURES
from tests.data import JUNHO, MINJI, WEATHER, asks, excludes, opened, voted, voter, votes

RICH = Said("# 제목\n- **하나**\n- `둘`", "complete", 10, 20)
PLAIN = Said("비가 와요", "complete", 10, 20)
STYLE_OF_RICH, STYLE_OF_PLAIN = (19, 1, 2, 1, 1), (5, 0, 0, 0, 0)


@pytest.fixture
def round_(db: Database) -> Round:
    """An open round; Minji and Junho have consented."""
    for name in (MINJI, JUNHO):
        voter(db, name)
    return opened(db, rated_votes_per_voter=2)


def ends(db: Database, turn: Turn, outcome: Outcome = "complete") -> None:
    def work(session: Session) -> None:
        assert finish_turn(session, turn_job(session, turn), outcome, (RICH, PLAIN), now())

    db.writing(work)


def styles(db: Database, turn: Turn) -> list[tuple[int | None, ...]]:
    with db.reading() as session:
        return [tuple(getattr(answer, name) for name in FEATURES) for answer in answers_of(session, turn.id or 0)]


def styled(db: Database, round_: Round) -> list[StyleRow]:
    with db.reading() as session:
        return style_rows(session, round_)


def test_the_style_of_both_answers_is_counted_when_a_turn_ends(db: Database, round_: Round) -> None:
    _, turn = asks(db)
    assert styles(db, turn) == [(None,) * 5] * 2
    ends(db, turn)
    assert styles(db, turn) == [STYLE_OF_RICH, STYLE_OF_PLAIN]


@pytest.mark.parametrize("outcome", ["paused", "stopped"])
def test_an_answer_that_may_begin_again_has_no_style_yet(db: Database, round_: Round, outcome: Outcome) -> None:
    _, turn = asks(db)
    ends(db, turn, outcome)
    assert styles(db, turn) == [(None,) * 5] * 2


def test_a_votes_style_is_that_of_all_turns(db: Database, round_: Round) -> None:
    battle, turn = asks(db)
    ends(db, turn)
    ends(db, db.writing(lambda session: ask_again(session, MINJI, battle.id, WEATHER, now())))
    votes(db, battle, "tie")
    twice = [tuple(2 * number for number in style) for style in (STYLE_OF_RICH, STYLE_OF_PLAIN)]
    assert styled(db, round_) == [StyleRow(battle.entry_a, battle.entry_b, "tie", 0, *twice)]


def test_styles_come_with_the_votes_that_count_by_numbered_voters(db: Database, round_: Round) -> None:
    ids = [voted(db, name).id for name in (MINJI, JUNHO, MINJI, MINJI)]
    assert [row.voter for row in styled(db, round_)] == [1, 0, 1]
    excludes(db, *ids[1:3])
    assert [row.voter for row in styled(db, round_)] == [0, 0]


def test_a_vote_on_an_answer_whose_style_was_never_counted_is_left_out(db: Database, round_: Round) -> None:
    voted(db, MINJI)
    voted(db, JUNHO)
    old = update(Answer).where(col(Answer.id) == 1).values(dict.fromkeys(FEATURES))
    db.writing(lambda session: session.execute(old))
    assert [row.voter for row in styled(db, round_)] == [0]
