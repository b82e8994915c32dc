"""The confidence sequence: how wide it is, and that looking often does not make it err."""

from math import inf, log, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.stats.sequence import half_width

Z_95 = 1.959963984540054


@pytest.mark.parametrize(("looked_at", "times"), [(500, 1.573), (1_000, 1.549), (2_000, 1.562)])
def test_it_is_about_one_and_a_half_times_as_wide_as_the_fixed_interval(looked_at: int, times: float) -> None:
    assert half_width(1.0, looked_at, planned=1_000) / Z_95 == pytest.approx(times, abs=5e-4)


@given(st.integers(1, 10**6), st.integers(100, 10**6))
def test_no_other_plan_would_be_narrower_at_the_planned_number_of_votes(other: int, votes: int) -> None:
    assert half_width(1.0, votes, planned=votes) <= half_width(1.0, votes, planned=other) * (1 + 1e-4)


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(1, 100))
def test_it_is_where_robbins_mixture_of_likelihood_ratios_reaches_one_over_alpha(
    votes: int, planned: int, comparisons: int
) -> None:
    """The mixture over N(0, rho^2) at a standardised distance z is exp(z^2 x / (2 (x + 1))) / sqrt(x + 1)."""
    alpha = 0.05 / comparisons
    x = votes / planned * (-2 * log(alpha) + log(1 - 2 * log(alpha)))
    z = half_width(1.0, votes, planned, comparisons)

    assert z * z * x / (2 * (x + 1)) - log(x + 1) / 2 == pytest.approx(-log(alpha))


@given(st.floats(0, 1e6), st.integers(1, 10**6), st.integers(1, 10**6), st.integers(1, 100))
def test_it_grows_with_the_error_and_with_the_comparisons(
    error: float, votes: int, planned: int, comparisons: int
) -> None:
    width = half_width(error, votes, planned, comparisons)

    assert half_width(2 * error, votes, planned, comparisons) == pytest.approx(2 * width)
    assert half_width(error, votes, planned, comparisons + 1) >= width >= Z_95 * error


def test_looking_75_times_errs_seldom_where_the_fixed_interval_errs_a_third_of_the_time() -> None:
    """Rounds of two equal entries with a fifth of ties, looked at every 40 votes up to the planned 3,000."""
    looks, between, rounds = 75, 40, 4_000
    votes = np.arange(1, looks + 1) * between
    new = np.random.default_rng(2024).multinomial(between, [0.4, 0.4, 0.2], (rounds, looks))
    won, _, tied = np.moveaxis(new.cumsum(axis=1), 2, 0)
    mean = (won + tied / 2) / votes
    error = np.sqrt(((won + tied / 4) / votes - mean**2) / votes)
    missed = np.abs(mean - 0.5) / error
    widths = np.array([half_width(1.0, int(seen), int(votes[-1])) for seen in votes])

    assert np.mean((missed > Z_95).any(axis=1)) > 0.3
    assert np.mean((missed > widths).any(axis=1)) < 0.03


@pytest.mark.parametrize(
    ("error", "votes", "planned", "comparisons"),
    [(-1.0, 9, 9, 1), (nan, 9, 9, 1), (inf, 9, 9, 1), (1.0, 0, 9, 1), (1.0, 9, 0, 1), (1.0, 9, 9, 0)],
)
def test_figures_that_cannot_be_are_refused(error: float, votes: int, planned: int, comparisons: int) -> None:
    with pytest.raises(ValueError, match="no interval for"):
        half_width(error, votes, planned, comparisons)
