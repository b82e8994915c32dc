"""The kept cells checked against the votes, and mended."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from alembic import command
from sqlalchemy import text
from sqlmodel import select

from arena.battles.cells import changes, counted_cells, kept_cells, recount
from arena.battles.counting import mend
from arena.battles.tables import VoteCell
from arena.battles.votes import cast_vote
from arena.clock import now
from arena.db import Database
from arena.migrations import config, migrate
from arena.rounds.tables import Round
from arena.teams.queries import entries_of, entry
from tests.battles.by_hand import check_cells
from tests.data import (
    JUNHO,
    MINJI,
    answered,
    excludes,
    opened,
    run_into,
    under_way,
    voted,
    voter,
    votes,
)

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def round_(db: Database) -> Round:
    """An open round of two entries; Minji has voted three times and Junho twice, once excluded."""
    for name in (MINJI, JUNHO):
        voter(db, name)
    opened_ = opened(db, teams=2)
    for choice in ("a", "tie", "b"):
        voted(db, MINJI, choice)
    voted(db, JUNHO)
    excludes(db, voted(db, JUNHO).id)
    return opened_


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


def differences(db: Database, round_: Round) -> list[str]:
    with db.reading() as session:
        return recount(session, round_)


def run(db: Database, sql: str) -> None:
    db.writing(lambda session: session.connection().execute(text(sql)))


def changed(db: Database, round_: Round) -> int:
    with db.reading() as session:
        return changes(session, round_.id or 0)


def mends(db: Database, round_: Round) -> None:
    db.writing(lambda session: mend(session, round_))


def rows(db: Database) -> list[dict[str, Any]]:
    """The rows of the cells, but for how often they were changed."""
    with db.reading() as session:
        return sorted(
            (row.model_dump(exclude={"changes"}) for row in session.exec(select(VoteCell))),
            key=lambda row: (row["entry_a"], row["entry_b"]),
        )


def test_where_nothing_is_wrong_a_recount_finds_nothing_and_mending_changes_nothing(
    db: Database, round_: Round
) -> None:
    kept = rows(db)
    assert differences(db, round_) == []
    mends(db, round_)
    assert (rows(db), check_cells(db, round_)) == (kept, 4)


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        ("UPDATE vote_cell SET tie = tie + 1 WHERE entry_a < entry_b", {"e1-e2"}),
        ("UPDATE vote_cell SET a = a + 1, b = b - 1 WHERE entry_a > entry_b", {"e2-e1"}),
        ("UPDATE vote_cell SET voters = voters + 1 WHERE entry_a < entry_b", {"voters"}),
        ("UPDATE vote_cell SET together = '{}'", {"e1-e2", "e2-e1"}),
        ("UPDATE vote SET excluded = true WHERE choice = 'tie'", {"e1-e2", "e2-e1"}),
        ("DELETE FROM vote_cell", {"voters", "e1-e2", "e2-e1"}),
    ],
)
def test_cells_that_differ_from_the_votes_are_named_and_mended(
    db: Database, round_: Round, harm: str, named: set[str]
) -> None:
    run(db, harm)
    before = changed(db, round_)
    found = differences(db, round_)
    assert {line.partition(":")[0] for line in found} == named
    mends(db, round_)
    assert differences(db, round_) == []
    assert changed(db, round_) > before
    check_cells(db, round_)


def test_a_difference_says_what_was_kept_and_what_was_counted(db: Database) -> None:
    round_ = opened(db, teams=2)
    battle = answered(db, voter(db, MINJI))
    votes(db, battle, "tie")
    with db.reading() as session:
        cell = "-".join(entry(session, id_).code for id_ in (battle.entry_a, battle.entry_b))
    run(db, "UPDATE vote_cell SET both_bad = 1")
    assert differences(db, round_) == [
        f"{cell}: a=0 b=0 tie=1 both_bad=1 kept, a=0 b=0 tie=1 both_bad=0 counted",
        f"{cell}: 4 products with votes of the same voters differ",
    ]


def test_a_recount_reads_one_moment(db: Database, round_: Round) -> None:
    with db.reading() as session:
        recount(session, round_)
        before = changes(session, round_.id or 0)
        voted(db, JUNHO)
        assert changes(session, round_.id or 0) == before
        assert recount(session, round_) == []
    assert changed(db, round_) > before


@on_postgresql
def test_mending_waits_for_a_vote_that_is_under_way(db: Database, round_: Round, pool: ThreadPoolExecutor) -> None:
    battle = answered(db, JUNHO)
    with under_way(db) as session:
        cast_vote(session, JUNHO, battle.id, "a", now())
        mending = run_into(db, pool, lambda session: mend(session, round_))
    mending.result(10)
    assert (differences(db, round_), check_cells(db, round_)) == ([], 5)


@on_postgresql
def test_a_vote_waits_for_mending_that_is_under_way(db: Database, round_: Round, pool: ThreadPoolExecutor) -> None:
    battle = answered(db, JUNHO)
    with under_way(db) as session:
        mend(session, round_)
        vote = run_into(db, pool, lambda session: cast_vote(session, JUNHO, battle.id, "a", now()))
    vote.result(10)
    assert (differences(db, round_), check_cells(db, round_)) == ([], 5)


def test_cells_of_a_round_without_votes_are_empty(db: Database) -> None:
    round_ = opened(db)
    assert (differences(db, round_), changed(db, round_), check_cells(db, round_)) == ([], 0, 0)


def test_cells_are_refused_for_fewer_entries_than_were_voted_on(db: Database, round_: Round) -> None:
    with db.reading() as session:
        one = entries_of(session, round_.id or 0)[:1]
        with pytest.raises(KeyError):
            kept_cells(session, round_.id or 0, one)
        with pytest.raises(KeyError):
            counted_cells(session, round_, one)


def test_votes_from_before_there_were_cells_count_once_they_are_mended(db: Database, round_: Round) -> None:
    with db.engine.connect().execution_options(arena_write=True) as connection, connection.begin():
        command.downgrade(config(connection), "0001")
        connection.execute(text("UPDATE round SET state = 'closed'"))
    migrate(db.engine)
    assert rows(db) == []
    assert {line.partition(":")[0] for line in differences(db, round_)} == {"voters", "e1-e2", "e2-e1"}
    mends(db, round_)
    assert (differences(db, round_), check_cells(db, round_)) == ([], 5)
