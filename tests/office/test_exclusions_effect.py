"""The effect of a proposal on the ratings: what is shown is what comes, and showing it leaves nothing behind."""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from arena.accounts.tables import Act, Voter
from arena.battles.cells import at_one_moment
from arena.battles.counting import held
from arena.battles.standing import standing_of
from arena.battles.tables import Battle
from arena.clock import now
from arena.db import Database
from arena.errors import ConflictError
from arena.office.effect import Figures, Move, Weighed, approve_weighed, weigh
from arena.office.exclusion_views import effect_view
from arena.ratings.actions import Computed
from arena.rounds.queries import find_round
from arena.rounds.tables import Round
from arena.stats.rating import MIN_VOTERS
from tests.battles.by_hand import check_cells
from tests.battles.deciding import battle_of, proposes, reproposes
from tests.battles.test_exclusions import refused
from tests.data import (
    JUNHO,
    MINJI,
    answered,
    closes,
    opened,
    rated_now,
    run_into,
    under_way,
    voted,
    voter,
    votes,
)
from tests.staff import HANA, hire

CHOICES = ("a", "b", "tie", "both_bad")

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def played(db: Database, voters: int, votes: int) -> Round:
    """An open round of three teams in which a voter's first four votes count."""
    hire(db)
    found = opened(db, teams=3, rated_votes_per_voter=4)
    chance = random.Random(5)
    for number in range(voters):
        name = voter(db, f"citizen-{number}")
        for _ in range(votes):
            voted(db, name, chance.choice(CHOICES))
    return found


@pytest.fixture
def round_(db: Database) -> Round:
    """Rated: eight voters, of whom each has a vote more than count."""
    return played(db, 8, 5)


def of(db: Database, *voters: int) -> list[str]:
    """The battles of voters."""
    names = [f"citizen-{number}" for number in voters]
    with db.reading() as session:
        return list(session.exec(select(Battle.id).where(col(Battle.voter_id).in_(names)).order_by(col(Battle.id))))


def published(computed: Computed) -> Figures:
    """Of what the worker computes for the leaderboard, what an effect shows."""
    points = {entry["entry"]: entry["points"] for entry in computed.scores["entries"]}
    return {
        "state": computed.ratings["state"],
        "votes": sum(pair["battles"] for pair in computed.pairs),
        "entries": {
            entry["entry"]: {name: entry[name] for name in ("rating", "interval", "rank", "votes")}
            | {"points": points[entry["entry"]]}
            for entry in computed.ratings["entries"]
        },
    }


def everything(db: Database) -> dict[str, list[str]]:
    """All rows of all tables."""
    with db.reading() as session:
        names = sorted(Round.metadata.tables)
        return {
            name: sorted(str(tuple(row)) for row in session.execute(sa.select(Round.metadata.tables[name])))
            for name in names
        }


def approves(db: Database, proposal: int) -> None:
    db.writing(lambda session: approve_weighed(session, proposal, HANA, now()))


def weighs(db: Database, round_: Round, *moves: Move) -> Weighed:
    with db.reading() as session:
        at_one_moment(session)
        return weigh(session, session.get_one(Round, round_.id), moves)


def approved(db: Database) -> Act:
    """The newest approval on the trail."""
    with db.reading() as session:
        found = select(Act).where(Act.what == "exclusion.approve").order_by(col(Act.id).desc())
        return session.exec(found.limit(1)).one()


def standing_now(db: Database, kind: str, battles: Sequence[str]) -> list[str]:
    """Those of these battles whose votes could be taken out, or back in."""
    with db.reading() as session:
        return [battle for battle in battles if standing_of(session, kind, [battle]).votes]


def test_what_was_shown_is_what_the_ratings_then_are_to_the_last_digit(db: Database) -> None:
    round_ = played(db, MIN_VOTERS + 2, 1)
    for _ in range(5):
        voted(db, "citizen-1", "b")
    before = published(rated_now(db))
    assert before["entries"]["e1"]["interval"]
    assert before["entries"]["e1"]["rank"]
    (one,), chosen = of(db, 4), of(db, 1)[:3]
    shown = weighs(db, round_, Move("exclude", [one, *chosen]))
    assert shown.before == before
    assert shown.after["votes"] == before["votes"] - 2, "of six, three remain where four would count"

    approves(db, proposes(db, [one, *chosen]))
    assert published(rated_now(db)) == shown.after

    back = weighs(db, round_, Move("reinstate", [one]))
    approves(db, reproposes(db, [one]))
    assert published(rated_now(db)) == back.after
    assert back.before == shown.after


def test_several_proposals_are_weighed_together(db: Database, round_: Round) -> None:
    out, back = of(db, 0), of(db, 5)
    approves(db, proposes(db, back))
    shown = weighs(db, round_, Move("exclude", out), Move("reinstate", back), Move("exclude", out))
    approves(db, proposes(db, out))
    approves(db, reproposes(db, back))
    assert published(rated_now(db)) == shown.after


def test_showing_it_leaves_no_trace(db: Database, round_: Round) -> None:
    before = everything(db)
    for _ in range(2):
        weighs(db, round_, Move("exclude", of(db, 2, 3)))
    assert everything(db) == before


def test_a_vote_that_lands_while_it_is_computed_is_no_part_of_it(db: Database, round_: Round) -> None:
    out, late = of(db, 2)[0], answered(db, voter(db, "citizen-9"))
    with db.reading() as session:
        at_one_moment(session)
        found = session.get_one(Round, round_.id)
        votes(db, late, voter_id="citizen-9")
        shown = weigh(session, found, [Move("exclude", [out])])
    assert (shown.before["votes"], shown.after["votes"]) == (32, 32), "the voter's fifth vote moves up"


@on_postgresql
def test_a_vote_that_lands_while_a_proposal_is_approved_is_no_part_of_its_effect(db: Database) -> None:
    hire(db)
    opened(db, teams=2)
    for name in (MINJI, JUNHO):
        voter(db, name)
    proposal, late = proposes(db, [battle_of(db, voted(db, MINJI))]), answered(db, JUNHO)
    with ThreadPoolExecutor(1) as pool:
        with under_way(db) as session:
            session.execute(held(col(Voter.id) == MINJI))
            approval = run_into(db, pool, partial(approve_weighed, proposal_id=proposal, by=HANA, at=now()))
            votes(db, late, voter_id=JUNHO)
        approval.result(10)
    effect = approved(db).detail
    assert (effect["before"]["votes"], effect["after"]["votes"]) == (2, 1)
    assert effect["after"] == published(rated_now(db))


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_chosen_the_computed_ratings_are_those_that_come(db: Database, round_: Round, seed: int) -> None:
    chance = random.Random(seed)
    everybody = of(db, *range(8))
    for _ in range(8):
        exclude, chosen = chance.random() < 0.6, chance.sample(everybody, chance.randint(1, 12))
        standing = standing_now(db, "exclude" if exclude else "reinstate", chosen)
        if not standing:
            continue
        shown = weighs(db, round_, Move("exclude" if exclude else "reinstate", chosen))
        approves(db, (proposes if exclude else reproposes)(db, standing))
        assert weighs(db, round_).before == shown.after == published(rated_now(db))
        assert (approved(db).detail["before"], approved(db).detail["after"]) == shown
        check_cells(db, round_)


def test_the_trail_keeps_the_ratings_before_and_after_each_decision(db: Database, round_: Round) -> None:
    before, chosen = published(rated_now(db)), of(db, 6)
    approves(db, proposes(db, chosen))
    act = approved(db)
    assert (act.who, act.detail["proposed_by"], act.detail["reason"]) == (HANA, "operator-1", "automated_voting")
    assert (act.detail["before"], act.detail["after"]) == (before, published(rated_now(db)))


def test_a_closed_round_has_no_effect_to_show(db: Database, round_: Round) -> None:
    closes(db)
    refused("round_closed", ConflictError, partial(weighs, db, round_, Move("exclude", of(db, 1))))


def test_a_change_of_the_order_and_of_rank_ranges_is_marked(db: Database, round_: Round) -> None:
    def figures(**ratings: tuple[str, list[int]]) -> Figures:
        entries = {
            code: {"rating": rating, "interval": None, "rank": rank, "votes": 1, "points": None}
            for code, (rating, rank) in ratings.items()
        }
        return {"state": "ok", "votes": 3, "entries": entries}

    one = figures(e1=("1000.1", [1, 2]), e2=("999.0", [1, 3]), e3=("900.0", [3, 3]))
    other = figures(e1=("998.0", [1, 2]), e2=("999.0", [1, 2]), e3=("900.0", [3, 3]))
    with db.reading() as session:
        found = find_round(session, "stage-1")
        assert found is not None
        effect = effect_view(session, found, Weighed(one, other), "ko")
        same = effect_view(session, found, Weighed(one, one), "ko")
    assert [(row.places, row.new_place, row.new_rank) for row in effect.rows] == [
        ((1, 2), True, False),
        ((2, 1), True, True),
        ((3, 3), False, False),
    ]
    assert (effect.new_order, effect.new_ranks) == (True, True)
    assert (same.new_order, same.new_ranks) == (False, False)


def test_without_votes_that_can_be_compared_it_says_so(db: Database) -> None:
    hire(db)
    found = opened(db, teams=2)
    voter(db, MINJI)
    vote = voted(db, MINJI)
    shown = weighs(db, found, Move("exclude", [battle_of(db, vote)]))
    assert (shown.before["votes"], shown.after["votes"]) == (1, 0)
    with db.reading() as session:
        effect = effect_view(session, found, shown, "en")
    assert effect.rated == (False, False)
