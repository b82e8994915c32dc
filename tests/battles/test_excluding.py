"""Votes excluded and reinstated: the voter's next one moves up, and nobody's vote is lost on the way."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count

import pytest
from sqlmodel import Session, select

from arena.battles.cells import changes, kept_cells
from arena.battles.queries import CastVote
from arena.battles.tables import Battle, Vote, VoteCell
from arena.battles.votes import cast_vote, exclude_votes
from arena.clock import now
from arena.db import Database
from arena.errors import ConflictError, NotFoundError
from arena.ratings.actions import close_round
from arena.rounds.tables import Round
from arena.stats.cells import OUTCOMES
from arena.teams.queries import entries_of
from tests.battles.by_hand import check_cells
from tests.data import (
    BY_TWO,
    JUNHO,
    MINJI,
    answered,
    battle_state,
    closes,
    excludes,
    in_parallel,
    opened,
    reinstates,
    run_into,
    under_way,
    voted,
    voter,
    votes,
)
from tests.support import KEY

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def round_(db: Database) -> Round:
    """An open round that rates a voter's first three votes; Minji and Junho have consented."""
    for name in (MINJI, JUNHO):
        voter(db, name)
    return opened(db, teams=3, rated_votes_per_voter=3)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


def rated(db: Database, round_: Round) -> list[str]:
    """The choices that count."""
    check_cells(db, round_)
    with db.reading() as session:
        cells = kept_cells(session, round_.id or 0, entries_of(session, round_.id or 0))
    numbers = cells.counts.sum(axis=(0, 1))
    return [outcome for outcome, number in zip(OUTCOMES, numbers, strict=True) for _ in range(number)]


def changed(db: Database, round_: Round) -> int:
    with db.reading() as session:
        return changes(session, round_.id or 0)


def test_a_voters_next_vote_moves_up_for_an_excluded_one_and_steps_back_for_it(db: Database, round_: Round) -> None:
    ids = [voted(db, MINJI, choice).id for choice in OUTCOMES]
    assert rated(db, round_) == ["a", "b", "tie"]
    assert excludes(db, ids[1]) == (ids[1],)
    assert rated(db, round_) == ["a", "tie", "both_bad"]
    assert reinstates(db, ids[1]) == (ids[1],)
    assert rated(db, round_) == ["a", "b", "tie"]


def test_excluding_a_vote_beyond_the_cap_changes_no_cell_until_it_would_have_moved_up(
    db: Database, round_: Round
) -> None:
    ids = [voted(db, MINJI, choice).id for choice in OUTCOMES]
    before = changed(db, round_)
    assert excludes(db, ids[3]) == (ids[3],)
    assert changed(db, round_) == before
    excludes(db, ids[0])
    assert rated(db, round_) == ["b", "tie"]


def test_all_votes_of_a_voter_may_be_excluded_and_the_next_one_counts_as_their_first(
    db: Database, round_: Round
) -> None:
    excludes(db, *[voted(db, MINJI).id for _ in range(2)])
    assert rated(db, round_) == []
    voted(db, MINJI, "b")
    assert rated(db, round_) == ["b"]


def test_excluding_twice_changes_nothing_and_says_so(db: Database, round_: Round) -> None:
    first, second = (voted(db, MINJI, choice).id for choice in ("a", "b"))
    assert reinstates(db, first) == ()
    assert excludes(db, first) == (first,)
    before = changed(db, round_)
    assert excludes(db, first) == ()
    assert changed(db, round_) == before
    assert excludes(db, first, second) == (second,)
    assert reinstates(db, second, first, first) == (first, second)


def test_votes_of_several_voters_are_excluded_together(db: Database, round_: Round) -> None:
    ids = [voted(db, name, choice).id for choice in ("a", "b") for name in (MINJI, JUNHO)]
    assert excludes(db, *ids[:2]) == tuple(ids[:2])
    assert rated(db, round_) == ["b", "b"]
    assert excludes(db) == ()


def test_with_one_unknown_vote_none_is_excluded(db: Database, round_: Round) -> None:
    known = voted(db, MINJI).id
    with pytest.raises(NotFoundError):
        excludes(db, known, known + 1)
    assert rated(db, round_) == ["a"]


def test_nothing_is_excluded_or_reinstated_once_the_round_has_closed(db: Database, round_: Round) -> None:
    first, second = (voted(db, MINJI, choice).id for choice in ("a", "b"))
    excludes(db, second)
    closes(db)
    for refused in (partial(excludes, db, first), partial(reinstates, db, second)):
        with pytest.raises(ConflictError) as error:
            refused()
        assert error.value.code == "round_closed"
    assert rated(db, round_) == ["a"]


def voting(battle: Battle, session: Session) -> CastVote:
    return cast_vote(session, battle.voter_id, battle.id, "b", now())


@on_postgresql
def test_a_vote_waits_for_an_exclusion_of_the_same_voters(
    db: Database, round_: Round, pool: ThreadPoolExecutor
) -> None:
    earlier = [voted(db, MINJI).id for _ in range(3)]
    battle = answered(db, MINJI)
    with under_way(db) as session:
        exclude_votes(session, earlier[:1], BY_TWO, now())
        vote = run_into(db, pool, partial(voting, battle))
    vote.result(10)
    assert rated(db, round_) == ["a", "a", "b"]


@on_postgresql
def test_an_exclusion_waits_for_a_vote_of_the_same_voters(
    db: Database, round_: Round, pool: ThreadPoolExecutor
) -> None:
    earlier = [voted(db, MINJI).id for _ in range(3)]
    battle = answered(db, MINJI)
    with under_way(db) as session:
        voting(battle, session)
        exclusion = run_into(db, pool, lambda session: exclude_votes(session, earlier[:1], BY_TWO, now()))
    assert exclusion.result(10).votes == (earlier[0],)
    assert rated(db, round_) == ["a", "a", "b"]


@on_postgresql
def test_exclusions_of_one_voters_votes_wait_for_each_other(
    db: Database, round_: Round, pool: ThreadPoolExecutor
) -> None:
    first, second, *_ = (voted(db, MINJI, choice).id for choice in OUTCOMES)
    with under_way(db) as session:
        exclude_votes(session, [first], BY_TWO, now())
        other = run_into(db, pool, lambda session: exclude_votes(session, [second], BY_TWO, now()))
    assert other.result(10).votes == (second,)
    assert rated(db, round_) == ["tie", "both_bad"]


@on_postgresql
def test_a_closing_waits_for_an_exclusion_and_an_exclusion_after_it_is_refused(
    db: Database, round_: Round, pool: ThreadPoolExecutor
) -> None:
    first, second = (voted(db, MINJI, choice).id for choice in ("a", "b"))
    with under_way(db) as session:
        exclude_votes(session, [first], BY_TWO, now())
        closing = run_into(db, pool, lambda session: close_round(session, "stage-1", KEY, now()))
        late = run_into(db, pool, lambda session: exclude_votes(session, [second], BY_TWO, now()))
    closing.result(10)
    with pytest.raises(ConflictError):
        late.result(10)
    assert rated(db, round_) == ["b"]


@on_postgresql
def test_an_exclusion_does_not_keep_its_voter_from_asking(
    db: Database, round_: Round, pool: ThreadPoolExecutor
) -> None:
    known = voted(db, MINJI).id
    with under_way(db) as session:
        exclude_votes(session, [known], BY_TWO, now())
        battle = pool.submit(answered, db, MINJI).result(10)
    assert battle_state(db, battle.id) == "votable"


@on_postgresql
def test_exclusions_that_change_the_same_cells_do_not_wait_for_each_other_in_a_ring(
    db: Database, pool: ThreadPoolExecutor
) -> None:
    """One voter's votes touch one cell first, the other's the other; a third party lets both begin."""
    round_ = opened(db, teams=2)
    found: dict[bool, list[int]] = {}
    for name in (voter(db, f"citizen-{number}") for number in count()):
        battle = answered(db, name)
        found[battle.entry_a < battle.entry_b] = [votes(db, battle, voter_id=name).id, voted(db, name).id]
        if len(found) == 2:
            break
    with under_way(db) as session:
        session.exec(select(VoteCell).where(VoteCell.entry_a < VoteCell.entry_b).with_for_update()).one()
        exclusions = [
            run_into(db, pool, partial(exclude_votes, vote_ids=ids, decision=BY_TWO, now=now()))
            for ids in found.values()
        ]
    assert [len(exclusion.result(10).votes) for exclusion in exclusions] == [2, 2]
    check_cells(db, round_)


def test_votes_exclusions_and_reinstatements_at_once_lose_none_of_each_other(database_url: str, db: Database) -> None:
    """Citizens on two processes vote while moderators on both change which of their votes count."""
    round_ = opened(db, teams=3, max_battles_per_voter=100, rated_votes_per_voter=5)
    other_process = Database(database_url)
    processes = (db, other_process)
    citizens = [voter(db, f"citizen-{number}") for number in range(6)]
    for name in citizens:
        voted(db, name)

    def vote(number: int) -> None:
        chance = random.Random(number)
        for _ in range(12):
            voted(processes[number % 2], citizens[number], chance.choice(OUTCOMES))

    def moderate(number: int) -> None:
        chance, process = random.Random(number), processes[number % 2]
        for _ in range(12):
            with process.reading() as session:
                known = [id_ for id_ in session.exec(select(Vote.id)) if id_]
            chance.choice([excludes, reinstates])(process, *chance.sample(known, 4))

    work = [partial(vote, number) for number in range(6)] + [partial(moderate, number) for number in range(2)]
    assert [outcome for outcome in in_parallel(work) if outcome is not None] == []
    assert check_cells(db, round_) > 0
    other_process.close()
