"""Cells are kept with every vote: whatever happens in whatever order, they are what the votes add up to."""

import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, event
from sqlmodel import Session

from arena.battles.cells import changes, recount
from arena.battles.counting import RatedVote, Tallies, contribution
from arena.battles.dealing import start_battle
from arena.battles.tables import Battle
from arena.battles.votes import cast_vote
from arena.clock import now
from arena.db import Database
from arena.errors import InvalidError
from arena.rounds.tables import Epoch, Round
from arena.stats.cells import OUTCOMES
from arena.teams.actions import add_entry
from tests.battles.by_hand import CREDIT, check_cells
from tests.data import (
    KIMCHI,
    MINJI,
    NOWHERE,
    answered,
    closes,
    end_turn,
    excludes,
    opened,
    reinstates,
    voted,
    voter,
    votes,
)
from tests.support import open_round, round_file

ballots = st.lists(
    st.builds(
        lambda pair, choice: RatedVote(pair[0], pair[1], choice),
        st.sampled_from(list(permutations((3, 7, 12), 2))),
        st.sampled_from(OUTCOMES),
    ),
    max_size=12,
)


def numbers(*parts: Tallies) -> Counter[tuple[object, ...]]:
    """Every number of the tallies, added up, but for zeros."""
    total: Counter[tuple[object, ...]] = Counter()
    for tallies in parts:
        for pair, tally in tallies.items():
            total.update({(pair, column): number for column, number in tally.counts.items()})
            for other, products in tally.together.items():
                total.update({(pair, other, place): number for place, number in enumerate(products)})
    return +total


@given(ballots)
def test_a_voters_contribution_holds_every_vote_with_every_vote_before_it(votes: list[RatedVote]) -> None:
    expected: Counter[tuple[object, ...]] = Counter()
    for place, vote in enumerate(votes):
        row = vote.entry_a, vote.entry_b
        expected[row, vote.choice] += 1
        expected[row, "voters"] += place == 0
        for earlier in votes[:place]:
            own, other = CREDIT[vote.choice], CREDIT[earlier.choice]
            for kind, product in enumerate((1, other, own, own * other)):
                expected[row, f"{earlier.entry_a}-{earlier.entry_b}", kind] += product
    assert numbers(contribution(votes)) == +expected


@given(ballots, st.integers(0, 12))
def test_what_votes_add_does_not_depend_on_those_after_them(votes: list[RatedVote], since: int) -> None:
    assert numbers(contribution(votes[:since]), contribution(votes, since)) == numbers(contribution(votes))


@pytest.mark.parametrize("seed", range(3))
def test_cells_are_what_the_votes_add_up_to_after_every_step(db: Database, seed: int) -> None:
    chance = random.Random(seed)
    round_ = opened(db, teams=3, rated_votes_per_voter=4)
    people = [voter(db, f"citizen-{number}") for number in range(3)]
    cast: list[int] = []
    for _ in range(30):
        step = chance.choice(["vote", "vote", "vote", "exclude", "reinstate"])
        some = chance.sample(cast, chance.randint(0, min(3, len(cast))))
        if step == "vote":
            cast.append(voted(db, chance.choice(people), chance.choice(OUTCOMES)).id)
        elif step == "exclude":
            excludes(db, *some)
        else:
            reinstates(db, *some)
        check_cells(db, round_)


def test_votes_beyond_the_cap_are_not_counted(db: Database) -> None:
    round_ = opened(db, rated_votes_per_voter=2)
    voter(db, MINJI)
    counted, changed = [], []
    for _ in range(4):
        voted(db, MINJI)
        counted.append(check_cells(db, round_))
        with db.reading() as session:
            changed.append(changes(session, round_.id or 0))
    assert counted == [1, 2, 2, 2]
    assert changed == [1, 2, 2, 2]


def test_a_vote_that_is_undone_leaves_the_cells_as_they_were(db: Database) -> None:
    round_ = opened(db)
    voter(db, MINJI)
    voted(db, MINJI)
    battle = answered(db, MINJI)

    def fail(session: Session) -> None:
        cast_vote(session, MINJI, battle.id, "a", now())
        raise InvalidError

    with pytest.raises(InvalidError):
        db.writing(fail)
    assert check_cells(db, round_) == 1
    votes(db, battle)
    assert check_cells(db, round_) == 2


def test_the_same_vote_twice_counts_once(db: Database) -> None:
    round_ = opened(db)
    voter(db, MINJI)
    battle = answered(db, MINJI)
    votes(db, battle)
    votes(db, battle)
    assert check_cells(db, round_) == 1


def test_entries_that_join_later_are_counted_with_the_others(db: Database) -> None:
    round_ = opened(db, teams=2)
    voter(db, MINJI)
    voted(db, MINJI)
    db.writing(lambda session: third_entry_joins(session, round_))
    for choice in OUTCOMES:
        voted(db, MINJI, choice)
    assert check_cells(db, round_) == 5


def third_entry_joins(session: Session, round_: Round) -> None:
    assert round_.id is not None
    add_entry(
        session,
        round_.id,
        "e3",
        names=("늦은 팀", "Late team"),
        model="late",
        base_url=NOWHERE,
        api_key_env=None,
        aliases=[],
        extra_body={},
    )
    session.add(Epoch(round_id=round_.id, number=2, entries=["e3", "e1"], started_at=now()))


def test_a_voters_rounds_are_counted_apart(db: Database) -> None:
    first = opened(db)
    voter(db, MINJI)
    voted(db, MINJI)
    closes(db)
    second = open_round(db, round_file(NOWHERE, slug="stage-2"))
    battle = db.writing(lambda session: battle_in(session, second))
    votes(db, battle, "b")
    assert (check_cells(db, first), check_cells(db, second)) == (1, 1)


def battle_in(session: Session, round_: Round) -> Battle:
    dealt = start_battle(session, round_, MINJI, KIMCHI, "ko", now())
    assert end_turn(session, dealt.turn)
    return dealt.battle


@contextmanager
def statements(db: Database) -> Iterator[list[tuple[str, Any]]]:
    """What is asked of the database in the block: SQL and parameters."""
    seen = list[tuple[str, Any]]()

    def note(_connection: Connection, _cursor: object, sql: str, parameters: object, *_: object) -> None:
        if sql.lstrip().startswith(("SELECT", "INSERT", "UPDATE")):
            seen.append((sql, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


def test_counting_a_vote_takes_at_most_three_statements(db: Database) -> None:
    opened(db)
    voter(db, MINJI)
    needed = []
    for _ in range(3):
        battle = answered(db, MINJI)
        with statements(db) as seen:
            votes(db, battle)
        needed.append(len(seen) - 3)  # one takes the battle, one stores the vote, one its entry in the ledger
    assert needed == [2, 3, 3]


def test_neither_a_vote_nor_a_recount_scans_a_table(sqlite_url: str) -> None:
    db = Database(sqlite_url)
    round_ = opened(db)
    voter(db, MINJI)
    voted(db, MINJI)
    battle = answered(db, MINJI)
    with statements(db) as seen:
        votes(db, battle)
        with db.reading() as session:
            recount(session, round_)
    with db.engine.connect() as connection:
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given).all() for sql, given in seen]
    steps = [step[3] for plan in plans for step in plan]
    assert any("ix_battle_voter" in step for step in steps)
    assert [step for step in steps if re.match(r"SCAN (battle|vote|voter)\b", step)] == []
    db.close()
