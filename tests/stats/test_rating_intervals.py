"""Intervals and rank ranges: what voters tell, and where votes tell nothing of how far ratings may vary."""

from collections.abc import Sequence
from math import sqrt

import numpy as np
import pytest
from hypothesis import given

from arena.stats.arithmetic import FLOATS, Estimate
from arena.stats.cells import OUTCOMES, Cells, Floats, Outcome
from arena.stats.clusters import Independent
from arena.stats.rating import MIN_VOTERS, Last, NoInterval, last_of, rank_ranges, rate, rate_exactly
from tests.stats.answers import half_widths, points, ranks
from tests.stats.votes import Round, Vote, names, rounds, voters_of_one_vote_each


@given(rounds(ratable=True))
def test_voters_who_cast_each_vote_twice_tell_nothing_more(drawn: Round) -> None:
    once = rate(drawn.cells())
    twice = rate(drawn.changed(lambda vote: vote._replace(number=2 * vote.number)).cells())

    assert points(twice) == points(once)
    assert half_widths(twice) == half_widths(once)
    assert ranks(twice) == ranks(once)


@given(rounds(ratable=True))
def test_twice_the_voters_halve_the_variances_but_for_the_small_sample_factor(drawn: Round) -> None:
    twins = drawn.changed(lambda vote: vote._replace(voter=vote.voter + 100))
    once, twice = rate(drawn.cells()), rate(drawn.plus(*twins.votes).cells())
    voters = once.voters
    factor = 2 * voters / (2 * voters - 1) / (voters / (voters - 1)) / 2

    assert twice.voters == 2 * voters
    assert points(twice) == pytest.approx(points(once), abs=1e-9)
    assert half_widths(twice) == pytest.approx([width * sqrt(factor) for width in half_widths(once)], rel=1e-9)


@given(rounds(most=3, ratable=True))
def test_voters_of_one_vote_each_are_independent_votes(drawn: Round) -> None:
    single = [vote._replace(number=1) for vote in drawn.votes for _ in range(vote.number)]
    alone = Round(drawn.entries, tuple(vote._replace(voter=voter) for voter, vote in enumerate(single))).cells()
    kept = rate(Cells(alone.entries, alone.counts, Independent(alone.counts)))

    assert half_widths(rate(alone)) == pytest.approx(half_widths(kept), rel=1e-9)
    assert kept.voters == len(single)


@given(rounds(ratable=True))
def test_rank_ranges_hold_the_place_by_rating_and_narrow_with_more_voters(drawn: Round) -> None:
    more = [vote._replace(voter=vote.voter + 100 * k) for vote in drawn.votes for k in range(9)]
    few, many = rate(drawn.cells()), rate(drawn._replace(votes=tuple(more)).cells())
    order = sorted(points(few), reverse=True)
    for rating, (best, worst), (still_best, still_worst) in zip(points(few), ranks(few), ranks(many), strict=True):
        assert 1 <= best <= order.index(rating) + 1 <= worst <= len(order)
        assert best <= still_best <= still_worst <= worst


def estimate(strengths: Sequence[float], covariance: Floats) -> Estimate[float]:
    return Estimate(strengths, None, covariance.tolist(), [], FLOATS)


@pytest.mark.parametrize(
    ("gap", "expected"),
    [(2.39, ((1, 2), (1, 3), (2, 3))), (2.40, ((1, 1), (2, 2), (3, 3)))],
)
def test_ranks_allow_for_all_three_differences_at_once(gap: float, expected: tuple[tuple[int, int], ...]) -> None:
    """Errors of 1: the normal quantile for three two-sided comparisons at 95 % together is 2.394, for one 1.960."""
    assert rank_ranges(estimate([gap, 0, -gap], np.eye(3) / 2)) == expected


def test_entries_that_vary_together_are_told_apart_sooner() -> None:
    assert rank_ranges(estimate([0.5, -0.5], np.array([[1, 0.9], [0.9, 1]]))) == ((1, 1), (2, 2))
    assert rank_ranges(estimate([0.5, -0.5], np.array([[1, 0.0], [0.0, 1]]))) == ((1, 2), (1, 2))


@pytest.mark.parametrize(
    ("worst_places", "last"),
    [
        ((1, 2, 3), Last("entry 02", ("entry 02",))),
        ((2, 3, 3), Last(None, ("entry 01", "entry 02"))),
        ((3, 3, 3), Last(None, names(3))),
    ],
)
def test_only_an_entry_surely_below_all_others_is_last(worst_places: tuple[int, ...], last: Last) -> None:
    assert last_of(names(3), tuple((1, worst) for worst in worst_places)) == last


@given(rounds(ratable=True))
def test_the_last_entry_is_surely_below_every_other(drawn: Round) -> None:
    cells = drawn.cells()
    ratings = rate(cells)
    assert ratings.last is not None
    if ratings.last.entry:
        place = cells.entries.index(ratings.last.entry)
        assert ranks(ratings)[place] == (drawn.entries, drawn.entries)
        assert points(ratings)[place] == min(points(ratings))
        assert ratings.neighbours[-1].apart
    assert {cells.entries[i] for i, (_, worst) in enumerate(ranks(ratings)) if worst == drawn.entries} == set(
        ratings.last.tied
    )


def test_fewer_voters_than_intervals_need_have_ratings_but_no_intervals() -> None:
    voters = voters_of_one_vote_each(2)
    few, enough = rate(Round(2, tuple(voters[1:])).cells()), rate(Round(2, tuple(voters)).cells())

    assert (few.voters, enough.voters) == (MIN_VOTERS - 1, MIN_VOTERS)
    assert (few.state, few.why) == ("ok", NoInterval("too_few_voters", ()))
    assert (enough.state, enough.why) == ("ok", None)
    assert few.side is not None
    assert (few.side.standard_error, few.side.interval, few.last) == (None, None, None)
    assert [(pair.interval, pair.apart, pair.votes_needed) for pair in few.neighbours] == [(None, False, None)]
    assert len(points(few)) == len(half_widths(enough)) == 2


@pytest.mark.parametrize("exactly", [False, True])
def test_a_single_voter_has_ratings_but_no_intervals(exactly: bool) -> None:
    cells = Round(2, tuple(vote._replace(voter=0) for vote in voters_of_one_vote_each(2))).cells()
    ratings = rate_exactly(cells) if exactly else rate(cells)

    assert (ratings.state, ratings.voters, ratings.why) == ("ok", 1, NoInterval("too_few_voters", ()))


def test_ties_alone_show_no_spread() -> None:
    ties = [vote._replace(outcome="tie") for vote in voters_of_one_vote_each(3)]
    ratings = rate(Round(3, tuple(ties)).cells())

    assert points(ratings) == pytest.approx([1000] * 3)
    assert ratings.why == NoInterval("no_spread", names(3))


def test_an_entry_that_ties_alone_join_to_the_rest_has_no_known_spread() -> None:
    drawn = Round(3, (*voters_of_one_vote_each(2), *(Vote(k, 0, 2, "tie") for k in range(5))))

    assert rate(drawn.cells()).why == NoInterval("no_spread", ("entry 02",))


def all_four_ways(voter: int) -> list[Vote]:
    """Votes of which each takes back another: entries 0 and 1 both win on both sides."""
    return [Vote(voter, first, 1 - first, outcome) for first in (0, 1) for outcome in OUTCOMES[:2]]


def test_voters_whose_votes_cancel_out_show_no_spread() -> None:
    cancelling = [vote for voter in range(MIN_VOTERS) for vote in all_four_ways(voter)]

    assert rate(Round(2, tuple(cancelling)).cells()).why == NoInterval("no_spread", names(2))


def test_only_the_entries_between_which_votes_cancel_out_are_named() -> None:
    """Entry 2 wins and loses, but always against both others alike."""
    votes = []
    for voter in range(MIN_VOTERS):
        outcome: Outcome = "a" if voter % 3 else "b"
        votes += [*all_four_ways(voter), Vote(voter, 2, 0, outcome), Vote(voter, 2, 1, outcome)]

    assert rate(Round(3, tuple(votes)).cells()).why == NoInterval("no_spread", names(2))


def test_a_newcomer_with_three_votes_may_stand_anywhere() -> None:
    preferences = [Vote(k, 0, 1, "a" if k % 9 else "b") for k in range(100)]
    shown = [vote.sides_swapped() if vote.voter % 2 else vote for vote in preferences]
    newcomer = [Vote(100, 0, 2, "tie"), Vote(101, 2, 1, "a"), Vote(102, 2, 0, "b")]

    assert ranks(rate(Round(3, (*shown, *newcomer)).cells())) == [(1, 2), (2, 3), (1, 3)]


def test_a_side_effect_that_may_be_anything_has_an_interval_from_0_to_1() -> None:
    busy = [Vote(0, 0, 1, "b", 303_335), Vote(0, 0, 3, "a", 22_145)]
    side = rate(Round(4, (*voters_of_one_vote_each(4), *busy)).cells()).side

    assert side is not None
    assert side.interval == pytest.approx((0, 1), abs=1e-9)


def test_billions_of_votes_have_narrow_intervals() -> None:
    votes = [Vote(0, i, j, "a", 10**9 + i) for i in range(5) for j in range(5) if i != j]
    votes += [Vote(0, i, j, "b", 10**9) for i in range(5) for j in range(5) if i != j]
    counts = Round(5, tuple(votes)).cells().counts
    ratings = rate(Cells(names(5), counts, Independent(counts)))

    assert ratings.why is None
    assert points(ratings) == pytest.approx([1000] * 5, abs=1e-5)
    assert all(0 < width < 0.01 for width in half_widths(ratings))
