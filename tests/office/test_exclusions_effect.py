"""The effect of a proposal on the ratings: what is shown is what comes, and showing it leaves nothing behind."""

import random
from collections.abc import Callable
from functools import partial

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from arena.accounts.tables import Act
from arena.battles.tables import Battle
from arena.clock import now
from arena.db import Database
from arena.errors import ConflictError
from arena.office.effect import Figures, Move, Weighed, approve_weighed, weigh
from arena.office.exclusions_page import effect_view
from arena.ratings.actions import Computed
from arena.rounds.queries import find_round
from arena.rounds.tables import Round
from arena.stats.rating import MIN_VOTERS
from tests.battles.deciding import battle_of, proposes, reproposes
from tests.battles.test_exclusions import refused
from tests.data import MINJI, closes, in_parallel, opened, rated_now, voted, voter
from tests.staff import HANA, hire

CHOICES = ("a", "b", "tie", "both_bad")


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


def test_what_was_shown_is_what_the_ratings_then_are_to_the_last_digit(db: Database) -> None:
    round_ = played(db, MIN_VOTERS + 2, 1)
    for _ in range(5):
        voted(db, "citizen-1", "b")
    before = published(rated_now(db))
    assert before["entries"]["e1"]["interval"]
    assert before["entries"]["e1"]["rank"]
    (one,), chosen = of(db, 4), of(db, 1)[:3]
    shown = weigh(db, round_.id or 0, [Move("exclude", [one, *chosen])])
    assert shown.before == before
    assert shown.after["votes"] == before["votes"] - 2, "of six, three remain where four would count"

    approves(db, proposes(db, [one, *chosen]))
    assert published(rated_now(db)) == shown.after

    back = weigh(db, round_.id or 0, [Move("reinstate", [one])])
    approves(db, reproposes(db, [one]))
    assert published(rated_now(db)) == back.after
    assert back.before == shown.after


def test_several_proposals_are_weighed_together(db: Database, round_: Round) -> None:
    out, back = of(db, 0), of(db, 5)
    approves(db, proposes(db, back))
    shown = weigh(db, round_.id or 0, [Move("exclude", out), Move("reinstate", back), Move("exclude", out)])
    approves(db, proposes(db, out))
    approves(db, reproposes(db, back))
    assert published(rated_now(db)) == shown.after


def test_showing_it_leaves_no_trace(db: Database, round_: Round) -> None:
    before = everything(db)
    for _ in range(2):
        weigh(db, round_.id or 0, [Move("exclude", of(db, 2, 3))])
    assert everything(db) == before


def test_a_write_beside_it_is_not_undone_with_it(db: Database, round_: Round) -> None:
    """On SQLite writes that queue up share a transaction."""
    tries: list[Callable[[], object]] = []
    for number in range(3):
        tries += [
            partial(weigh, db, round_.id or 0, [Move("exclude", of(db, 2))]),
            partial(voter, db, f"late-{number}"),
        ]
    assert not [found for found in in_parallel(tries) if isinstance(found, Exception)]
    known = everything(db)["voter"]
    assert sum("late-" in row for row in known) == 3


def test_the_trail_keeps_the_ratings_before_and_after_each_decision(db: Database, round_: Round) -> None:
    before, chosen = published(rated_now(db)), of(db, 6)
    approves(db, proposes(db, chosen))
    with db.reading() as session:
        (act,) = session.exec(select(Act).where(Act.what == "exclusion.approve")).all()
    assert (act.who, act.detail["proposed_by"], act.detail["reason"]) == (HANA, "operator-1", "automated_voting")
    assert (act.detail["before"], act.detail["after"]) == (before, published(rated_now(db)))


def test_a_closed_round_has_no_effect_to_show(db: Database, round_: Round) -> None:
    closes(db)
    refused("round_closed", ConflictError, partial(weigh, db, round_.id or 0, [Move("exclude", of(db, 1))]))


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
    shown = weigh(db, found.id or 0, [Move("exclude", [battle_of(db, vote)])])
    assert (shown.before["votes"], shown.after["votes"]) == (1, 0)
    with db.reading() as session:
        effect = effect_view(session, found, shown, "en")
    assert effect.rated == (False, False)
