"""What must hold for the ratings of any votes."""

from collections.abc import Sequence
from itertools import pairwise
from math import exp, isfinite, log, sqrt
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from arena.stats.bradley_terry import (
    ELO_PER_LOG_STRENGTH,
    METHOD,
    METHOD_VERSION,
    Ratings,
    rank_ranges,
    rate,
)
from arena.stats.cells import OUTCOMES, Counts, count_cells

Z_95 = 1.959963984540054
SWAPPED = [OUTCOMES.index(outcome) for outcome in ("b", "a", "tie", "both_bad")]


def names(size: int) -> list[str]:
    return [f"entry {i}" for i in range(size)]


def cells(size: int, numbers: Sequence[int]) -> Counts:
    counts = np.array(numbers, dtype=np.int64).reshape(size, size, len(OUTCOMES))
    counts[np.arange(size), np.arange(size)] = 0
    return counts


@st.composite
def any_cells(draw: st.DrawFn, most: int = 30) -> Counts:
    """Cells of up to 6 entries, often sparse, so that many are not ratable."""
    size = draw(st.integers(0, 6))
    number = st.one_of(st.just(0), st.integers(0, most))
    length = size * size * len(OUTCOMES)
    return cells(size, draw(st.lists(number, min_size=length, max_size=length)))


@st.composite
def ratable_cells(draw: st.DrawFn) -> Counts:
    """Cells in which each entry has won against the next one round a ring, so that a fit exists."""
    counts = draw(any_cells())
    size = len(counts)
    assume(size >= 2)
    ring = np.arange(size)
    counts[ring, (ring + 1) % size, OUTCOMES.index("a")] += draw(st.integers(1, 5))
    return counts


def rated(counts: Counts) -> Ratings:
    result = rate(names(len(counts)), counts)
    assert result.state == "ok"
    return result


def points(result: Ratings) -> list[float]:
    return [entry.rating for entry in result.entries if entry.rating is not None]


def half_widths(result: Ratings) -> list[float]:
    return [(entry.interval[1] - entry.interval[0]) / 2 for entry in result.entries if entry.interval is not None]


def shares(result: Ratings) -> list[float]:
    return [entry.win_share for entry in result.entries if entry.win_share is not None]


@given(any_cells(most=1_000_000))
def test_every_number_is_finite_or_absent(counts: Counts) -> None:
    result = rate(names(len(counts)), counts)

    assert (result.method, result.method_version) == (METHOD, METHOD_VERSION) == ("bt-half", "1")
    assert (result.state == "ok") == (result.why is None)
    for entry in result.entries:
        assert entry.votes == entry.wins + entry.losses + entry.ties
        figures = (entry.rating, entry.interval, entry.rank, entry.win_share)
        if result.state == "not_ratable":
            assert figures == (None, None, None, None)
        else:
            assert entry.rating is not None
            assert entry.interval is not None
            assert entry.win_share is not None
            assert all(map(isfinite, (entry.rating, *entry.interval)))
            assert entry.interval[0] < entry.rating < entry.interval[1]
            assert 0 < entry.win_share < 1


@given(ratable_cells())
def test_the_mean_rating_is_1000_and_the_mean_win_share_one_half(counts: Counts) -> None:
    result = rated(counts)

    assert np.mean(points(result)) == pytest.approx(1000, abs=1e-9)
    assert np.mean(shares(result)) == pytest.approx(0.5, abs=1e-12)


@given(ratable_cells())
def test_the_expected_wins_of_each_entry_are_those_it_had(counts: Counts) -> None:
    """The equations that define the maximum of the likelihood (Zermelo 1929)."""
    result = rated(counts)
    for i, entry in enumerate(result.entries):
        met = counts[i].sum(axis=1) + counts[:, i].sum(axis=1)
        gaps = (np.array(points(result)) - points(result)[i]) / 400
        expected = float((met / (1 + 10**gaps)).sum())
        assert expected == pytest.approx(entry.wins + entry.ties / 2, rel=1e-8)


@given(ratable_cells(), st.randoms(use_true_random=False))
def test_other_names_and_another_order_change_nothing(counts: Counts, random: Random) -> None:
    order = list(range(len(counts)))
    random.shuffle(order)
    shuffled = rated(counts[np.ix_(order, order)])
    original = rated(counts)

    assert points(shuffled) == pytest.approx([points(original)[i] for i in order], abs=1e-7)
    assert half_widths(shuffled) == pytest.approx([half_widths(original)[i] for i in order], rel=1e-7)
    for place, i in enumerate(order):
        assert shuffled.entries[place].votes == original.entries[i].votes


@given(ratable_cells(), st.randoms(use_true_random=False))
def test_the_order_of_the_votes_changes_nothing_at_all(counts: Counts, random: Random) -> None:
    entries = names(len(counts))
    votes = [
        (entries[i], entries[j], OUTCOMES[k], 1)
        for i, j, k in np.argwhere(counts).tolist()
        for _ in range(counts[i, j, k])
    ]
    random.shuffle(votes)

    assert rate(entries, count_cells(entries, votes)) == rate(entries, counts)


@given(ratable_cells())
def test_showing_every_battle_with_sides_swapped_changes_nothing(counts: Counts) -> None:
    assert rated(counts.transpose(1, 0, 2)[:, :, SWAPPED]) == rated(counts)


@given(ratable_cells())
def test_reversing_every_vote_mirrors_the_ratings(counts: Counts) -> None:
    mirrored = rated(counts[:, :, SWAPPED])

    assert points(mirrored) == pytest.approx([2000 - point for point in points(rated(counts))], abs=1e-7)


@given(ratable_cells())
def test_both_bad_counts_like_a_tie(counts: Counts) -> None:
    a, b, tie, both_bad = np.moveaxis(counts, 2, 0)

    assert rated(np.stack([a, b, tie + both_bad, np.zeros_like(tie)], axis=2)) == rated(counts)


@given(ratable_cells(), st.data())
def test_one_more_win_moves_an_entry_up(counts: Counts, data: st.DataObject) -> None:
    winner, loser = data.draw(st.permutations(range(len(counts))))[:2]
    before = rated(counts)
    more = counts.copy()
    more[winner, loser, OUTCOMES.index("a")] += 1
    after = rated(more)

    assert points(after)[winner] > points(before)[winner]
    assert points(after)[loser] < points(before)[loser]
    assert shares(after)[winner] > shares(before)[winner]


@given(ratable_cells())
def test_twice_the_votes_leave_the_ratings_and_halve_the_variances(counts: Counts) -> None:
    once, twice = rated(counts), rated(2 * counts)

    assert points(twice) == pytest.approx(points(once), abs=1e-7)
    assert half_widths(twice) == pytest.approx([width / sqrt(2) for width in half_widths(once)], rel=1e-7)


@given(ratable_cells())
def test_rank_ranges_hold_the_place_by_rating_and_narrow_with_more_votes(counts: Counts) -> None:
    few, many = rated(counts), rated(100 * counts)
    order = sorted(points(few), reverse=True)
    for entry, sharper in zip(few.entries, many.entries, strict=True):
        assert entry.rating is not None
        assert entry.rank is not None
        assert sharper.rank is not None
        assert 1 <= entry.rank[0] <= order.index(entry.rating) + 1 <= entry.rank[1] <= len(order)
        assert entry.rank[0] <= sharper.rank[0] <= sharper.rank[1] <= entry.rank[1]


@pytest.mark.parametrize(
    ("gap", "ranks"),
    [(2.39, ((1, 2), (1, 3), (2, 3))), (2.40, ((1, 1), (2, 2), (3, 3)))],
)
def test_ranks_allow_for_all_three_differences_at_once(gap: float, ranks: tuple[tuple[int, int], ...]) -> None:
    """Errors of 1: the normal quantile for three two-sided comparisons at 95 % together is 2.394, for one 1.960."""
    assert rank_ranges(np.array([gap, 0, -gap]), np.eye(3) / 2) == ranks


def test_entries_that_vary_together_are_told_apart_sooner() -> None:
    strengths = np.array([0.5, -0.5])

    assert rank_ranges(strengths, np.array([[1, 0.9], [0.9, 1]])) == ((1, 1), (2, 2))
    assert rank_ranges(strengths, np.array([[1, 0.0], [0.0, 1]])) == ((1, 2), (1, 2))


@given(st.integers(1, 10_000), st.integers(1, 10_000), st.integers(0, 10_000))
def test_two_entries_have_the_textbook_answer(won: int, lost: int, tied: int) -> None:
    """The fit is the logit of the mean vote (1, 0, 1/2), its error that of the mean by the delta method."""
    result = rated(
        count_cells(
            names(2),
            [
                ("entry 0", "entry 1", "a", won),
                ("entry 1", "entry 0", "a", lost),
                ("entry 0", "entry 1", "tie", tied),
            ],
        )
    )
    votes = won + lost + tied
    mean = (won + tied / 2) / votes
    variance = (won * (1 - mean) ** 2 + lost * mean**2 + tied * (0.5 - mean) ** 2) / votes**2
    gap = log(mean / (1 - mean))
    error = sqrt(variance) / (mean * (1 - mean))

    assert points(result)[0] - points(result)[1] == pytest.approx(ELO_PER_LOG_STRENGTH * gap, abs=1e-8)
    assert half_widths(result) == pytest.approx([ELO_PER_LOG_STRENGTH * Z_95 * error / 2] * 2, rel=1e-8)
    assert shares(result)[0] == pytest.approx(mean, rel=1e-10)
    assert (result.entries[0].rank == (1, 1)) == (gap > Z_95 * error)


def test_entries_joined_by_ties_alone_are_equal_but_not_surely_so() -> None:
    result = rated(count_cells(names(2), [("entry 0", "entry 1", "tie", 4)]))

    assert points(result) == [1000, 1000]
    coin_flips = ELO_PER_LOG_STRENGTH * Z_95 / 2  # 4 coin flips: the log-odds' error is 1, half of it on each side
    assert half_widths(result) == pytest.approx([coin_flips] * 2)
    assert [entry.rank for entry in result.entries] == [(1, 2), (1, 2)]


def test_a_lone_tie_with_the_best_does_not_make_an_entry_surely_good() -> None:
    best, worst, new = names(3)
    result = rate(
        names(3),
        count_cells(names(3), [(best, worst, "a", 90), (worst, best, "a", 10), (best, new, "tie", 1)]),
    )

    assert [entry.rank for entry in result.entries] == [(1, 2), (2, 3), (1, 3)]


def test_a_wide_field_of_many_votes_is_fitted_to_machine_precision() -> None:
    """A ladder of 15 with odds of a million to one from rung to rung, and back only one win each."""
    entries = names(15)
    rungs = list(pairwise(entries))
    rows = [(high, low, "a", 1_000_000) for high, low in rungs] + [(low, high, "a", 1) for high, low in rungs]
    ladder = points(rate(entries, count_cells(entries, rows)))

    assert -np.diff(ladder) == pytest.approx([400 * 6] * 14, rel=1e-12)


def test_a_chain_of_wins_back_makes_a_finite_fit_however_weak_it_is() -> None:
    """Three in a circle: a billion wins each step down, a single one back from the last to the first."""
    entries = names(3)
    rows = [
        (entries[0], entries[1], "a", 10**9),
        (entries[1], entries[2], "a", 10**9),
        (entries[2], entries[0], "a", 1),
    ]
    result = rated(count_cells(entries, rows))
    top, middle, bottom = ((point - 1000) / ELO_PER_LOG_STRENGTH for point in points(result))

    assert 10**9 / (1 + exp(top - middle)) == pytest.approx(1, rel=1e-6)
    assert 10**9 / (1 + exp(middle - bottom)) == pytest.approx(1, rel=1e-6)
