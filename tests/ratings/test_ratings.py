"""From votes to ratings: every vote counts once, final ratings stay, and only the right people see them."""

import asyncio
import random
from itertools import combinations
from typing import Any

import pytest
from sqlmodel import Session, col, select

from arena.battles.tables import Battle, Turn, Vote
from arena.battles.votes import cast_vote
from arena.clock import now
from arena.db import Database
from arena.errors import ConflictError, RefusedError
from arena.ratings import actions
from arena.ratings.actions import close_round, store
from arena.ratings.jobs import rating
from arena.ratings.queries import snapshot_of
from arena.ratings.tables import RatingSnapshot
from arena.rounds.queries import find_round
from arena.rounds.tables import Round
from arena.stats import live
from arena.stats.cells import OUTCOMES, Outcome
from arena.stats.figures import cells_hash
from arena.teams.queries import entries_of
from tests.data import answered, ask, battle_state, end_turn, opened, rated_now, voted, voter
from tests.ratings.by_hand import CODES, Ballot, cells_by_hand, rated_by_hand
from tests.support import KEY

RATING = next(task for task in rating(KEY) if task.name == "ratings")
CHOICES = ("a", "a", "b", "tie", "both_bad")


def worker_looks(db: Database) -> int:
    """Does what the worker does about ratings until it finds nothing to do; returns how often it computed."""

    async def look() -> int:
        computed = 0
        while await db.read(lambda session: RATING.wanted(session, now())):
            await RATING.run(db)
            computed += 1
        return computed

    return asyncio.run(asyncio.wait_for(look(), 10))


def people_vote(db: Database, people: int = 50, battles: int = 1) -> None:
    """Citizens vote at random, one after the other."""
    chance = random.Random(7)
    for name in [voter(db, f"citizen-{number}") for number in range(people)]:
        for _ in range(battles):
            voted(db, name, chance.choice(CHOICES))


def current(session: Session) -> Round:
    found = find_round(session, "stage-1")
    assert found is not None
    return found


def kept(db: Database) -> RatingSnapshot:
    with db.reading() as session:
        found = snapshot_of(session, current(session).id or 0)
    assert found is not None
    return found


def closes(db: Database) -> Round:
    return db.writing(lambda session: close_round(session, "stage-1", KEY, now()))


def votes_by_hand(db: Database) -> list[Ballot]:
    """Every vote as (voter, entry at A, entry at B, choice), in the order they were cast."""
    with db.reading() as session:
        codes = {entry.id: entry.code for entry in entries_of(session, current(session).id or 0)}
        rows = session.exec(
            select(Battle.voter_id, Battle.entry_a, Battle.entry_b, Vote.choice)
            .join(Vote, col(Vote.battle_id) == Battle.id)
            .order_by(col(Vote.id))
        )
        return [(voter_id, codes[a], codes[b], choice) for voter_id, a, b, choice in rows]


def figures(db: Database) -> dict[str, Any]:
    """What is kept of the ratings, without what only the round knows."""
    kept_figures = dict(kept(db).ratings)
    for name in ("filter", "cells_hash"):
        del kept_figures[name]
    return kept_figures


def test_the_worker_rates_every_vote_and_then_rests(db: Database) -> None:
    opened(db)
    people_vote(db)
    assert worker_looks(db) >= 1
    votes = votes_by_hand(db)
    assert figures(db) == rated_by_hand(votes)
    assert sum(entry["votes"] for entry in kept(db).ratings["entries"]) == 2 * len(votes) == 100
    assert kept(db).ratings["why"] is None
    assert worker_looks(db) == 0


def test_a_single_vote_is_in_the_ratings_the_worker_computes_next(db: Database) -> None:
    opened(db)
    people_vote(db)
    worker_looks(db)
    before = kept(db)
    voted(db, voter(db, "minji"), "b")
    assert worker_looks(db) >= 1
    after = kept(db)
    assert sum(pair["battles"] for pair in after.pairs) == sum(pair["battles"] for pair in before.pairs) + 1
    assert after.ratings != before.ratings


def test_a_round_without_votes_is_not_ratable_and_says_why(db: Database) -> None:
    opened(db)
    worker_looks(db)
    ratings = kept(db).ratings
    assert (ratings["state"], ratings["why"]["code"]) == ("not_ratable", "no_votes")
    assert [entry["rating"] for entry in ratings["entries"]] == [None] * 5


def test_what_was_not_voted_on_counts_for_nothing(db: Database) -> None:
    opened(db)
    answered(db, voter(db, "minji"))
    voter(db, "junho")
    db.writing(lambda session: end_turn(session, ask(session, "junho")[1], "failed"))
    worker_looks(db)
    assert sum(pair["battles"] for pair in kept(db).pairs) == 0


def test_a_voters_first_votes_are_rated_up_to_the_cap_and_the_rest_only_kept(db: Database) -> None:
    opened(db, rated_votes_per_voter=3)
    people_vote(db, people=3, battles=5)
    worker_looks(db)
    seen: dict[str, int] = {}
    rated = []
    for voter_id, a, b, choice in votes_by_hand(db):
        seen[voter_id] = seen.get(voter_id, 0) + 1
        if seen[voter_id] <= 3:
            rated.append((voter_id, a, b, choice))
    assert (len(rated), sum(seen.values())) == (9, 15)
    assert figures(db) == rated_by_hand(rated)
    assert sum(pair["battles"] for pair in kept(db).pairs) == 9


def test_the_pairs_add_up_to_the_votes_by_hand(db: Database) -> None:
    opened(db)
    people_vote(db)
    worker_looks(db)
    votes = votes_by_hand(db)
    pairs = {tuple(pair["entries"]): pair for pair in kept(db).pairs}
    assert list(pairs) == list(combinations(CODES, 2))
    for (i, j), pair in pairs.items():
        sides = {
            (a, b): {outcome: sum(v[1:] == (a, b, outcome) for v in votes) for outcome in OUTCOMES}
            for a, b in ((i, j), (j, i))
        }
        assert {(side["a"], side["b"]): side["counts"] for side in pair["by_side"]} == sides
        first, second = sides[i, j], sides[j, i]
        assert pair["wins"] == [first["a"] + second["b"], first["b"] + second["a"]]
        assert pair["ties"] == first["tie"] + second["tie"]
        assert pair["both_bad"] == first["both_bad"] + second["both_bad"]
        assert pair["battles"] == sum(pair["wins"]) + pair["ties"] + pair["both_bad"]
    assert sum(pair["battles"] for pair in pairs.values()) == len(votes)


def live_by_hand(db: Database, votes: list[Ballot] | None = None) -> dict[str, list[float]]:
    """The live indicator from all votes, or these, in one go."""
    state = live.start(CODES)
    outcomes: dict[str, Outcome] = {outcome: outcome for outcome in OUTCOMES}
    for _, a, b, choice in votes_by_hand(db) if votes is None else votes:
        state = live.update(state, a, b, outcomes[choice])
    return {code: list(skill) for code, skill in state.items()}


def test_the_live_indicator_goes_on_from_where_it_was_to_the_same_end(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "LIVE_STEP", 4)
    opened(db)
    people_vote(db, people=2, battles=5)
    assert worker_looks(db) == 3
    people_vote(db, people=2, battles=3)
    worker_looks(db)
    assert kept(db).live["skills"] == live_by_hand(db)


def test_closing_keeps_the_final_ratings_of_every_vote(db: Database) -> None:
    opened(db)
    people_vote(db)
    closes(db)
    votes = votes_by_hand(db)
    final = kept(db)
    assert final.final
    assert figures(db) == rated_by_hand(votes)
    assert final.ratings["filter"] == {"name": "first-k", "version": "1", "votes_per_voter": 30}
    assert final.ratings["cells_hash"] == cells_hash(cells_by_hand(votes))
    assert (final.differences, final.recounted_at) == ([], final.computed_at)
    assert final.last_vote_id == len(votes)
    assert final.live["skills"] == live_by_hand(db)


def test_final_ratings_are_never_replaced(db: Database) -> None:
    opened(db)
    people_vote(db)
    earlier = rated_now(db)
    closes(db)
    before = kept(db)
    db.writing(lambda session: store(session, before.round_id, earlier, now()))
    db.writing(lambda session: store(session, before.round_id, earlier, now(), final=True))
    assert kept(db).model_dump() == before.model_dump()
    assert worker_looks(db) == 0


def test_older_ratings_do_not_replace_newer_ones(db: Database) -> None:
    opened(db)
    people_vote(db, people=2)
    older = rated_now(db)
    voted(db, voter(db, "minji"))
    worker_looks(db)
    before = kept(db)
    db.writing(lambda session: store(session, before.round_id, older, now()))
    assert kept(db).model_dump() == before.model_dump()


def test_closing_expires_open_battles_and_refuses_later_votes(db: Database) -> None:
    opened(db)
    votable = answered(db, voter(db, "minji"))
    voter(db, "junho")
    streaming, turn = db.writing(lambda session: ask(session, "junho"))
    closes(db)
    assert [battle_state(db, battle.id) for battle in (votable, streaming)] == ["expired", "expired"]
    with db.reading() as session:
        assert session.exec(select(Turn.state).where(Turn.id == turn.id)).one() == "stopped"
    with pytest.raises(ConflictError) as refused:
        db.writing(lambda session: cast_vote(session, "minji", votable.id, "a", now()))
    assert refused.value.code == "round_closed"
    assert sum(pair["battles"] for pair in kept(db).pairs) == 0


def test_a_round_is_closed_once(db: Database) -> None:
    opened(db)
    first = closes(db)
    with pytest.raises(RefusedError):
        closes(db)
    with db.reading() as session:
        assert current(session).closed_at == first.closed_at
