"""The planner against the published table, the mathematics behind it, and simulated votes."""

from decimal import Decimal
from math import inf, nan, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.stats.planner import design_effect, votes_needed, votes_per_pair


@pytest.mark.parametrize(("win_share", "votes"), [(0.51, 6_277), (0.52, 1_567), (0.53, 695), (0.55, 249), (0.60, 60)])
def test_five_teams_with_a_fifth_of_ties(win_share: float, votes: int) -> None:
    assert votes_per_pair(5, win_share, ties=0.2) == votes


def test_all_pairs_together_know_a_difference_with_two_nths_of_the_variance_of_its_own_votes() -> None:
    """Votes as unit resistors between every two of n entries: 2/n from one to another (Kirchhoff)."""
    for size in range(2, 12):
        known = np.linalg.pinv(size * np.eye(size) - 1)
        assert known[0, 0] + known[1, 1] - 2 * known[0, 1] == pytest.approx(2 / size)


def test_the_planned_votes_find_the_difference_in_four_of_five_simulated_rounds() -> None:
    win_share, ties = 0.55, 0.2
    votes = votes_per_pair(2, win_share, ties=ties)
    won, _, tied = np.random.default_rng(4).multinomial(votes, [win_share - ties / 2, 0.35, ties], 20_000).T
    mean = (won + tied / 2) / votes
    error = np.sqrt(((won + tied / 4) / votes - mean**2) / votes)

    assert np.mean(mean - 0.5 > 1.959964 * error) == pytest.approx(0.8, abs=0.01)


@given(st.integers(2, 60), st.floats(0.51, 0.9), st.floats(0, 0.2))
def test_a_plan_is_the_same_for_a_lead_and_for_a_lag_of_the_same_size(
    entries: int, win_share: float, ties: float
) -> None:
    here, there = votes_per_pair(entries, win_share, ties=ties), votes_per_pair(entries, 1 - win_share, ties=ties)

    assert here == pytest.approx(there, abs=1)


@given(st.integers(2, 60), st.floats(0.51, 0.9), st.floats(0, 0.2), st.floats(1, 7))
def test_votes_that_go_together_and_more_power_ask_for_more_and_ties_for_fewer(
    entries: int, win_share: float, ties: float, effect: float
) -> None:
    votes = votes_per_pair(entries, win_share, ties=ties)

    assert votes_per_pair(entries, win_share, ties=ties, design_effect=effect) >= votes
    assert votes_per_pair(entries, win_share, ties=ties, design_effect=effect) <= effect * votes + 1
    assert votes_per_pair(entries, win_share, ties=ties, power=0.9) >= votes
    assert votes_per_pair(entries, win_share, ties=0) >= votes


@pytest.mark.parametrize(
    "plan",
    [
        {"entries": 1},
        {"win_share": 0.5},
        {"win_share": 0},
        {"win_share": 1.0},
        {"win_share": nan},
        {"ties": -0.1},
        {"ties": 0.81},
        {"ties": nan},
        {"power": 1.0},
        {"power": 0.4},
        {"design_effect": 0.0},
        {"design_effect": inf},
    ],
    ids=str,
)
def test_a_round_that_cannot_be_is_refused(plan: dict[str, float]) -> None:
    possible = {"entries": 5, "win_share": 0.6, "ties": 0.2, "power": 0.8, "design_effect": 1.0} | plan
    with pytest.raises(ValueError, match="no plan for"):
        votes_per_pair(
            int(possible["entries"]),
            possible["win_share"],
            ties=possible["ties"],
            power=possible["power"],
            design_effect=possible["design_effect"],
        )


def test_a_difference_twice_its_error_needs_as_many_votes_again() -> None:
    """(1.959963985 + 0.841621234)^2 / 4 = 1.9622 times the votes it has."""
    assert votes_needed(2.0, 1.0, 100_000, 1) == 96_222
    assert votes_needed(Decimal(2), Decimal(1), 100_000, 1) == 96_222


def test_ten_differences_that_shall_hold_together_need_more() -> None:
    """(2.807033768 + 0.841621234)^2 / 4 = 3.3282 times the votes, by the quantile of 0.05 / 10 on two sides."""
    assert votes_needed(2.0, 1.0, 100_000, 10) == 232_818


def test_a_difference_that_is_clear_already_needs_none() -> None:
    assert votes_needed(3.0, 1.0, 1_000, 1) == 0


@given(st.integers(1, 10_000), st.integers(1, 10_000), st.integers(1, 10**7), st.integers(1, 200))
def test_floats_and_decimals_agree(gap: int, error: int, votes: int, comparisons: int) -> None:
    quick = votes_needed(gap / 1000, error / 1000, votes, comparisons)
    exact = votes_needed(Decimal(gap) / 1000, Decimal(error) / 1000, votes, comparisons)

    assert quick is not None
    assert quick == pytest.approx(exact, rel=1e-9, abs=1)


@given(st.floats(0.01, 1), st.floats(0.001, 1), st.integers(1, 10**6), st.integers(1, 100))
def test_with_the_votes_it_needs_a_difference_needs_no_more(
    gap: float, error: float, votes: int, comparisons: int
) -> None:
    further = votes_needed(gap, error, votes, comparisons)

    assert further is not None
    assert votes_needed(-gap, error, votes, comparisons) == further
    total = votes + further
    assert votes_needed(gap, error * sqrt(votes / total) * (1 - 1e-9), total, comparisons) == 0
    assert further <= (votes_needed(gap, error, votes, comparisons + 1) or 0)


def test_it_agrees_with_the_plan_made_before_the_round() -> None:
    """A pair of five teams, 60 % for the one and a fifth of ties, plans 60 votes."""
    seen = 20
    error = sqrt((0.6 * 0.4 - 0.2 / 4) / seen * 2 / 5)

    assert votes_needed(0.1, error, seen, 1) == votes_per_pair(5, 0.6, ties=0.2) - seen


@pytest.mark.parametrize("gap", [0.0, -0.0, Decimal(0), 5e-324])
def test_no_number_of_votes_tells_equals_apart(gap: float | Decimal) -> None:
    nothing = votes_needed(gap, Decimal(1), 100, 1) if isinstance(gap, Decimal) else votes_needed(gap, 1.0, 100, 1)

    assert nothing is None


@pytest.mark.parametrize(
    ("gap", "error", "votes", "comparisons"),
    [(nan, 1.0, 9, 1), (inf, 1.0, 9, 1), (1.0, nan, 9, 1), (1.0, -1.0, 9, 1), (1.0, 1.0, -9, 1), (1.0, 1.0, 9, 0)],
)
def test_figures_that_cannot_be_are_refused(gap: float, error: float, votes: int, comparisons: int) -> None:
    with pytest.raises(ValueError, match="no plan from"):
        votes_needed(gap, error, votes, comparisons)


def test_the_design_effect_is_the_ratio_of_the_variances_where_there_is_one() -> None:
    assert design_effect(0.03, 0.02) == pytest.approx(1.5)
    assert design_effect(Decimal("0.03"), Decimal("0.02")) == Decimal("1.5")
    assert design_effect(0.03, 0.0) is None
