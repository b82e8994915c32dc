"""What must hold for ratings, whatever the votes."""

from itertools import pairwise
from math import exp, isfinite, log, sqrt
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.stats.bradley_terry import NotRatable, covariance, fit
from arena.stats.cells import Cells
from arena.stats.clusters import Independent
from arena.stats.rating import METHOD, METHOD_VERSION, METHOD_WITHOUT_SIDE, MIN_VOTERS, EntryRating, rate
from tests.stats.answers import ELO, Z_95, figures, half_widths, points, ranks
from tests.stats.votes import Round, Vote, names, rounds


@given(rounds(most=1_000_000) | rounds(most=1_000, ratable=True), st.booleans())
def test_every_number_is_finite_or_absent(drawn: Round, side: bool) -> None:
    ratings = rate(drawn.cells(), side=side)

    assert all(map(isfinite, figures(ratings)))
    assert (ratings.method, ratings.method_version) == (METHOD if side else METHOD_WITHOUT_SIDE, METHOD_VERSION)
    for entry in ratings.entries:
        assert (entry.rating is None) == (entry.win_share is None) == (ratings.state == "not_ratable")
        assert (entry.interval is None) == (entry.rank is None) == (ratings.why is not None)
    assert (ratings.last is None) == (ratings.why is not None)
    assert (ratings.side is None) == (not side or ratings.state == "not_ratable")
    assert len(ratings.neighbours) == (drawn.entries - 1 if ratings.state == "ok" else 0)


@given(rounds())
def test_votes_are_tallied_whether_or_not_there_is_a_rating(drawn: Round) -> None:
    ratings = rate(drawn.cells())
    for place, entry in enumerate(ratings.entries):
        own = [vote for vote in drawn.votes if place in (vote.first, vote.second)]
        won = sum(vote.number for vote in own if vote.outcome == ("a" if vote.first == place else "b"))
        tied = sum(vote.number for vote in own if vote.outcome in ("tie", "both_bad"))
        cast = sum(vote.number for vote in own)
        assert (entry.votes, entry.wins, entry.losses, entry.ties) == (cast, won, cast - won - tied, tied)
    assert ratings.voters == len({vote.voter for vote in drawn.votes})


def test_entries_without_votes_have_tallies_of_zero_and_a_reason() -> None:
    ratings = rate(Round(2, ()).cells())

    assert ratings.why == NotRatable("no_votes", names(2))
    assert ratings.entries == tuple(EntryRating(entry, 0, 0, 0, 0) for entry in names(2))


@given(rounds(ratable=True), st.booleans())
def test_ratings_are_strengths_on_the_elo_scale_around_1000(drawn: Round, side: bool) -> None:
    cells = drawn.cells()
    found, ratings = fit(cells.counts, side=side), rate(cells, side=side)
    errors = np.sqrt(covariance(found, cells).diagonal())

    assert points(ratings) == pytest.approx(1000 + ELO * found.strengths, abs=1e-7)
    assert half_widths(ratings) == pytest.approx(ELO * Z_95 * errors[: drawn.entries], rel=1e-7)
    for entry in ratings.entries:
        assert entry.interval is not None
        assert entry.rating == pytest.approx(sum(entry.interval) / 2)


@given(rounds(ratable=True))
def test_a_win_share_is_the_mean_chance_against_the_others_without_the_side(drawn: Round) -> None:
    ratings = rate(drawn.cells())
    for i, entry in enumerate(ratings.entries):
        chances = [1 / (1 + 10 ** ((other - points(ratings)[i]) / 400)) for other in points(ratings)]
        assert entry.win_share == pytest.approx((sum(chances) - 0.5) / (drawn.entries - 1), abs=1e-9)
    assert np.mean([entry.win_share for entry in ratings.entries]) == pytest.approx(0.5, abs=1e-12)


@given(rounds(ratable=True))
def test_the_sides_effect_is_told_in_log_odds_and_as_a_share_between_equals(drawn: Round) -> None:
    cells = drawn.cells()
    found, side = fit(cells.counts), rate(cells).side
    assert side is not None
    assert side.standard_error is not None
    error = sqrt(covariance(found, cells)[-1, -1])

    assert (side.log_odds, side.standard_error) == pytest.approx((found.side, error), abs=1e-9)
    assert side.win_share == pytest.approx(1 / (1 + exp(-found.side)))
    assert side.interval == pytest.approx([1 / (1 + exp(-found.side + z * error)) for z in (Z_95, -Z_95)])


@given(rounds(ratable=True))
def test_votes_with_their_sides_swapped_mirror_the_side_and_nothing_else(drawn: Round) -> None:
    here, there = rate(drawn.cells()), rate(drawn.changed(Vote.sides_swapped).cells())
    assert here.side is not None
    assert there.side is not None

    assert points(there) == pytest.approx(points(here), abs=1e-6)
    assert half_widths(there) == pytest.approx(half_widths(here), rel=1e-6)
    assert ranks(there) == ranks(here)
    assert there.side.win_share == pytest.approx(1 - here.side.win_share)
    assert there.side.standard_error == pytest.approx(here.side.standard_error, rel=1e-6)


@given(rounds(ratable=True))
def test_reversed_votes_mirror_ratings_and_ranks(drawn: Round) -> None:
    here, there = rate(drawn.cells()), rate(drawn.changed(Vote.reversed).cells())

    assert points(there) == pytest.approx([2000 - point for point in points(here)], abs=1e-6)
    assert half_widths(there) == pytest.approx(half_widths(here), rel=1e-6)
    assert ranks(there) == [(drawn.entries + 1 - worst, drawn.entries + 1 - best) for best, worst in ranks(here)]


@given(rounds(ratable=True), st.randoms(use_true_random=False))
def test_other_names_another_order_and_other_voter_numbers_change_nothing(drawn: Round, random: Random) -> None:
    place = list(range(drawn.entries))
    random.shuffle(place)
    votes = list(drawn.votes)
    random.shuffle(votes)
    moved = [v._replace(voter=-v.voter, first=place[v.first], second=place[v.second]) for v in votes]
    here, there = rate(drawn.cells()), rate(Round(drawn.entries, tuple(moved)).cells())

    assert [points(there)[i] for i in place] == pytest.approx(points(here), abs=1e-6)
    assert [half_widths(there)[i] for i in place] == pytest.approx(half_widths(here), rel=1e-6)
    assert [ranks(there)[i] for i in place] == ranks(here)


@given(rounds(ratable=True))
def test_neighbours_are_the_entries_in_the_order_of_their_ratings(drawn: Round) -> None:
    ratings = rate(drawn.cells())
    rating = dict(zip(names(drawn.entries), points(ratings), strict=True))
    chain = [ratings.neighbours[0].entries[0], *(pair.entries[1] for pair in ratings.neighbours)]

    assert sorted(chain) == list(names(drawn.entries))
    assert [pair.entries for pair in ratings.neighbours] == list(pairwise(chain))
    for pair in ratings.neighbours:
        better, worse = pair.entries
        assert pair.gap == pytest.approx(rating[better] - rating[worse], abs=1e-9)
        assert pair.gap >= -1e-6


@given(rounds(ratable=True))
def test_neighbours_are_apart_where_the_interval_of_their_gap_excludes_0(drawn: Round) -> None:
    ratings = rate(drawn.cells())
    rank = dict(zip(names(drawn.entries), ranks(ratings), strict=True))
    for pair in ratings.neighbours:
        assert pair.interval is not None
        assert pair.apart == (pair.interval[0] > 0) == (pair.votes_needed == 0)
        assert pair.apart <= (rank[pair.entries[0]][0] < rank[pair.entries[1]][0])
        assert sum(pair.interval) / 2 == pytest.approx(pair.gap, abs=1e-6)


@given(st.integers(MIN_VOTERS, 10_000), st.integers(1, 10_000), st.integers(0, 10_000))
def test_two_entries_have_the_textbook_answer(won: int, lost: int, tied: int) -> None:
    """Without the side: the logit of the mean vote (1, 0, 1/2), its error that of the mean by the delta method."""
    counts = Round(2, (Vote(0, 0, 1, "a", won), Vote(0, 1, 0, "a", lost), Vote(0, 0, 1, "tie", tied))).cells().counts
    ratings = rate(Cells(names(2), counts, Independent(counts)), side=False)
    votes = won + lost + tied
    mean = (won + tied / 2) / votes
    variance = (won * (1 - mean) ** 2 + lost * mean**2 + tied * (0.5 - mean) ** 2) / votes / (votes - 1)
    gap, error = log(mean / (1 - mean)), sqrt(variance) / (mean * (1 - mean))

    assert points(ratings) == pytest.approx([1000 + ELO * gap / 2, 1000 - ELO * gap / 2], abs=1e-8)
    assert half_widths(ratings) == pytest.approx([ELO * Z_95 * error / 2] * 2, rel=1e-7)
    assert ratings.entries[0].win_share == pytest.approx(mean, rel=1e-10)
    assert (ranks(ratings)[0] == (1, 1)) == (gap > Z_95 * error)


def test_what_are_no_cells_is_refused() -> None:
    cells = Round(2, ()).cells()
    with pytest.raises(ValueError, match="2 entries need integer counts"):
        rate(Cells(cells.entries, np.zeros((3, 3, 4), dtype=np.int64), cells.clusters))
