"""Kept cells against the votes: what is rated while votes are excluded, what a recount reports, what closing does."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlmodel import Session, col, select

from arena.battles.cells import recount
from arena.battles.counting import mend
from arena.battles.tables import Vote
from arena.battles.votes import exclude_votes, reinstate_votes
from arena.clock import now
from arena.db import Database
from arena.ratings.actions import store, store_beside
from arena.ratings.jobs import RECOUNT_EVERY, rating
from arena.ratings.leaderboard import leaderboard_page
from arena.rounds.tables import Round
from arena.stats.outlook import WIN_SHARES
from tests.data import BY_TWO, opened, rated_now
from tests.ratings.by_hand import rated_by_hand
from tests.ratings.test_ratings import closes, current, figures, kept, live_by_hand, people_vote, votes_by_hand
from tests.support import KEY

TASK = {task.name: task for task in rating(KEY)}
LATER = RECOUNT_EVERY + timedelta(seconds=1)


def wanted(db: Database, name: str, at: datetime | None = None) -> bool:
    with db.reading() as session:
        return TASK[name].wanted(session, at or now())


def runs(db: Database, *names: str) -> None:
    for name in names:
        asyncio.run(asyncio.wait_for(_run(TASK[name].run, db), 20))


async def _run(run: Callable[[Database], Any], db: Database) -> None:
    await run(db)


def of_round(db: Database) -> Round:
    with db.reading() as session:
        return current(session)


def newest_votes(db: Database, number: int) -> list[int]:
    with db.reading() as session:
        return [vote_id or 0 for vote_id in session.exec(select(Vote.id).order_by(col(Vote.id)))][-number:]


def spoil(db: Database) -> str:
    """Adds a win to a cell behind the arena's back, and says which."""
    with db.engine.begin() as connection:
        first, second = connection.execute(text("SELECT entry_a, entry_b FROM vote_cell ORDER BY 1, 2")).first() or (
            0,
            0,
        )
        key = {"first": first, "second": second}
        connection.execute(text("UPDATE vote_cell SET a = a + 1 WHERE entry_a = :first AND entry_b = :second"), key)
    return f"e{first}-e{second}"


@pytest.fixture
def voted_on(db: Database) -> Database:
    """A round that fifty citizens have voted in, and that was rated."""
    opened(db)
    people_vote(db)
    runs(db, "ratings")
    return db


def test_excluded_votes_leave_the_ratings_and_come_back_as_if_nothing_had_been(voted_on: Database) -> None:
    before, votes, out = figures(voted_on), votes_by_hand(voted_on), newest_votes(voted_on, 3)
    assert not wanted(voted_on, "ratings")

    voted_on.writing(lambda session: exclude_votes(session, out, BY_TWO, now()))
    assert wanted(voted_on, "ratings")
    runs(voted_on, "ratings")
    assert figures(voted_on) == rated_by_hand(votes[:-3])
    assert kept(voted_on).live["skills"] == live_by_hand(voted_on, votes[:-3])

    voted_on.writing(lambda session: reinstate_votes(session, out, BY_TWO, now()))
    runs(voted_on, "ratings")
    assert figures(voted_on) == before
    assert kept(voted_on).live["skills"] == live_by_hand(voted_on, votes)


def test_ratings_of_more_votes_do_not_replace_those_of_a_later_exclusion(voted_on: Database) -> None:
    earlier = rated_now(voted_on)
    voted_on.writing(lambda session: exclude_votes(session, newest_votes(voted_on, 1), BY_TWO, now()))
    runs(voted_on, "ratings")
    after = kept(voted_on)
    voted_on.writing(lambda session: store(session, after.round_id, earlier, now()))
    assert kept(voted_on).model_dump() == after.model_dump()


def test_a_recount_is_made_after_votes_and_then_every_ten_minutes_at_most(voted_on: Database) -> None:
    assert wanted(voted_on, "recount")
    runs(voted_on, "recount")
    assert kept(voted_on).differences == []
    assert not wanted(voted_on, "recount", now() + LATER)

    people_vote(voted_on, people=1)
    runs(voted_on, "ratings")
    assert not wanted(voted_on, "recount")
    assert wanted(voted_on, "recount", now() + LATER)


def test_a_cell_that_differs_from_its_votes_is_named_until_it_is_mended(
    voted_on: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    cell = spoil(voted_on)
    runs(voted_on, "recount")
    assert [line for line in kept(voted_on).differences if line.startswith(f"{cell}: ") and "kept" in line]
    assert "cells_differ_from_votes" in capsys.readouterr().out

    round_ = of_round(voted_on)
    voted_on.writing(lambda session: mend(session, round_))
    runs(voted_on, "recount")
    assert kept(voted_on).differences == []


def test_new_ratings_keep_what_the_last_recount_found(voted_on: Database) -> None:
    spoil(voted_on)
    runs(voted_on, "recount")
    found = kept(voted_on)
    people_vote(voted_on, people=1)
    runs(voted_on, "ratings")
    assert (kept(voted_on).differences, kept(voted_on).recounted_at) == (found.differences, found.recounted_at)


def test_final_ratings_are_those_of_the_votes_even_where_the_kept_cells_are_wrong(voted_on: Database) -> None:
    cell = spoil(voted_on)
    closes(voted_on)
    assert figures(voted_on) == rated_by_hand(votes_by_hand(voted_on))
    assert any(line.startswith(cell) for line in kept(voted_on).differences)


def test_what_stands_beside_final_ratings_is_computed_once_after_the_closing(voted_on: Database) -> None:
    assert not wanted(voted_on, "beside")
    closes(voted_on)
    final = kept(voted_on)
    assert final.beside is None
    assert wanted(voted_on, "beside")
    runs(voted_on, "beside")
    beside = kept(voted_on).beside
    assert beside is not None
    assert len(beside["davidson"]["entries"]) == 5
    assert len(beside["style"]["entries"]) == 5
    assert sum(float(chance["last"]) for chance in beside["robustness"]["chances"]) == pytest.approx(1, abs=0.01)
    assert beside["robustness"]["one_voter_out"] is not None

    assert not wanted(voted_on, "beside")
    voted_on.writing(lambda session: store_beside(session, final.round_id, {}))
    assert kept(voted_on).beside == beside
    assert kept(voted_on).model_dump(exclude={"beside"}) == final.model_dump(exclude={"beside"})


def test_a_round_without_votes_has_nothing_beside_it_but_says_why(db: Database) -> None:
    opened(db)
    closes(db)
    runs(db, "beside")
    beside = kept(db).beside
    assert beside is not None
    assert (beside["davidson"]["why"], beside["style"]["why"], beside["robustness"]) == ("no_votes", "no_votes", None)


def test_an_operator_sees_how_many_votes_each_pair_needs(voted_on: Database) -> None:
    outlook = kept(voted_on).outlook
    assert [row["win_share"] for row in outlook["needed"]] == list(WIN_SHARES)
    assert outlook["planned"] == 5 * 100 / 2
    assert outlook["fewest"] == min(pair["battles"] for pair in kept(voted_on).pairs)
    assert outlook["design_effect"] > 0


def test_a_leaderboard_and_its_ratings_are_made_without_a_look_at_the_votes(voted_on: Database) -> None:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement.lower())

    event.listen(voted_on.engine, "before_cursor_execute", note)
    with voted_on.reading() as session:
        page = leaderboard_page(session, current(session), "ko", operator=True)
    event.remove(voted_on.engine, "before_cursor_execute", note)
    assert page.board is not None
    assert page.board.votes == 50
    assert not [statement for statement in statements if "from vote" in statement or "battle" in statement]


def test_a_recount_reads_one_moment(voted_on: Database) -> None:
    """On PostgreSQL two statements of a transaction may otherwise see different votes."""
    round_ = of_round(voted_on)
    with Session(voted_on.engine) as session:
        first = recount(session, round_)
        people_vote(voted_on, people=1)
        assert first == recount(session, round_) == []
