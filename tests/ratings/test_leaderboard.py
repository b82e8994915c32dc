"""What a snapshot becomes on the leaderboard, and who may see it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.clock import now
from arena.db import Database
from arena.ratings.actions import close_round, store_beside
from arena.ratings.beside import beside
from arena.ratings.leaderboard import about, leaderboard_page, shade
from arena.ratings.pages import Neighbours, Why
from arena.rounds.queries import find_round
from arena.stats.rating import METHOD
from tests.data import opened
from tests.ratings.boards import NAMES, NO_POINTS, RATINGS, keep, not_ratable, shown, without_ranges
from tests.ratings.pipeline import BALLOTS, cast_ballots
from tests.support import KEY


def test_teams_come_best_first_with_their_own_figures() -> None:
    rows = shown().rows
    assert [row.team for row in rows] == [NAMES[code] for code in ("e5", "e3", "e1", "e2", "e4")]
    third = rows[2]
    assert (third.rating, third.interval, third.rank, third.win_share) == (1014.1, (995.0, 1033.2), (2, 3), 0.511)
    assert third.points
    assert (third.points.value, third.points.interval, third.points.provisional) == (13.4, (11.5, 15.3), False)
    assert (third.votes, third.wins, third.losses, third.ties) == (1200, 542, 538, 120)


def test_points_that_the_votes_do_not_give_are_left_out() -> None:
    pointless = shown(scores=NO_POINTS)
    assert pointless.score is None
    assert [row.points for row in pointless.rows] == [None] * 5


def test_every_vote_is_counted_once() -> None:
    assert shown().votes == sum(row.votes for row in shown().rows) / 2 == 2700


def test_neighbours_come_with_the_votes_they_would_still_need_to_two_digits() -> None:
    assert shown().neighbours == (
        Neighbours(NAMES["e5"], "Set", apart=True, votes_needed=0),
        Neighbours("Set", "Hana", apart=False, votes_needed=12_000),
        Neighbours("Hana", "Duri", apart=True, votes_needed=0),
        Neighbours("Duri", "Net", apart=False, votes_needed=8_000),
    )


@given(st.integers(0, 10**30))
def test_about_keeps_two_digits_and_is_off_by_a_twentieth_at_most(number: int) -> None:
    assert len(str(about(number)).rstrip("0")) <= 2
    assert abs(about(number) - number) * 20 <= number


def test_a_team_is_measured_against_each_team_it_met() -> None:
    rows = {row.team: row for row in shown().duels}
    order = [row.team for row in shown().rows]
    assert list(rows) == order
    hana = dict(zip(order, rows["Hana"].duels, strict=True))
    duel = hana["Duri"]
    assert duel
    assert duel.share == pytest.approx((160 + 15) / 300)
    assert duel.comparisons == 300
    assert hana["Hana"] is None
    assert rows["Set"].duels[order.index(NAMES["e5"])] is None


def test_what_one_team_won_the_other_did_not() -> None:
    rows = shown().duels
    for i, row in enumerate(rows):
        for j, duel in enumerate(row.duels):
            back = rows[j].duels[i]
            assert (duel is None) == (back is None)
            if duel and back:
                assert duel.share + back.share == pytest.approx(1)
                assert duel.comparisons == back.comparisons
                assert duel.shade + back.shade == 6


def test_half_gets_the_middle_shade_and_more_never_a_weaker_one() -> None:
    shades = [shade(percent / 100) for percent in range(101)]
    assert shades == sorted(shades)
    assert set(shades) == set(range(7))
    assert shade(0.5) == 3


@pytest.mark.parametrize(
    ("interval", "telling"),
    [(["0.500509", "0.520095"], True), (["0.480000", "0.499900"], True), (["0.499000", "0.521000"], False)],
)
def test_the_side_matters_only_when_its_range_leaves_out_one_half(interval: list[str], telling: bool) -> None:
    side = shown(ratings={"side": RATINGS["side"] | {"interval": interval}}).side
    assert side
    assert side.telling is telling


def test_ratings_without_ranges_are_not_drawn_nor_compared() -> None:
    bare = shown(ratings=without_ranges("no_spread", "e2", "e4"))
    assert bare.why == Why("no_spread", ("Duri", "Net"))
    assert (bare.rated, bare.plot, bare.neighbours, bare.last, bare.side) == (True, None, (), None, None)
    assert [row.rating for row in bare.rows] == [1092.5, 1026.445678, 1014.1, 941.3, 925.654322]
    assert [(row.interval, row.rank) for row in bare.rows] == [(None, None)] * 5


def test_where_there_are_no_ratings_the_votes_are_still_shown() -> None:
    bare = shown(ratings=not_ratable("one_sided", "e5"))
    assert (bare.rated, bare.plot, bare.why) == (False, None, Why("one_sided", (NAMES["e5"],)))
    assert [row.rating for row in bare.rows] == [None] * 5
    assert len(bare.duels) == 5


def sees(db: Database, *, operator: bool) -> bool:
    """Whether that reader sees the ratings, and the desk only if an operator."""
    with db.reading() as session:
        round_ = find_round(session, "stage-1")
        assert round_
        page = leaderboard_page(session, round_, "ko", operator=operator)
    assert page.visible == page.round.leaderboard == (page.board is not None)
    assert (page.desk is not None) == operator
    return page.visible


@pytest.mark.parametrize(
    ("reveal", "while_open", "when_closed"),
    [("after_vote", True, True), ("after_close", False, True), ("never", False, False)],
)
def test_the_public_sees_the_leaderboard_as_the_rules_allow_and_an_operator_always(
    db: Database, reveal: str, while_open: bool, when_closed: bool
) -> None:
    opened(db, reveal=reveal)
    keep(db)
    assert (sees(db, operator=False), sees(db, operator=True)) == (while_open, True)
    db.writing(lambda session: close_round(session, "stage-1", KEY, now()))
    keep(db)
    assert (sees(db, operator=False), sees(db, operator=True)) == (when_closed, True)


def test_a_closed_round_is_shown_as_it_was_computed(db: Database) -> None:
    cast_ballots(db, opened(db), BALLOTS)
    round_ = db.writing(lambda session: close_round(session, "stage-1", KEY, now()))
    with db.reading() as session:
        final = leaderboard_page(session, round_, "en", operator=False).board
    assert final
    ratings = [row.rating or 0 for row in final.rows]
    assert ratings == sorted(ratings, reverse=True)
    assert sum(ratings) / 5 == pytest.approx(1000)
    assert (final.votes, final.voters, final.method.name) == (len(BALLOTS), len(BALLOTS), METHOD)
    assert final.final
    assert final.plot
    assert final.score
    assert len(final.neighbours) == 4


def test_what_is_computed_beside_a_closed_round_is_shown_with_it(db: Database) -> None:
    cast_ballots(db, opened(db), BALLOTS)
    round_ = db.writing(lambda session: close_round(session, "stage-1", KEY, now()))
    db.writing(lambda session: store_beside(session, round_.id or 0, beside(session, round_)))
    with db.reading() as session:
        page = leaderboard_page(session, round_, "en", operator=True)
    assert page.board
    assert page.board.beside
    assert [(model.name, model.why, len(model.ratings)) for model in page.board.beside.models] == [
        ("davidson", None, 5),
        ("style", "no_votes", 0),  # on answers whose style was counted
    ]
    assert page.board.beside.firmness
    assert page.board.beside.firmness.one_voter
    assert [row.team for row in page.board.beside.firmness.standings] == [row.team for row in page.board.rows]
    assert page.desk
    assert page.desk.outlook.needed
    assert (page.desk.differences, page.desk.recounted_at is None) == ((), False)


def test_teams_are_called_by_their_names_in_the_readers_language(db: Database) -> None:
    opened(db, reveal="after_vote")
    keep(db)
    with db.reading() as session:
        round_ = find_round(session, "stage-1")
        assert round_
        best = [leaderboard_page(session, round_, locale, operator=False) for locale in ("ko", "en")]
    assert [page.board and page.board.rows[0].team for page in best] == ["별 팀", "Team Byeol"]
