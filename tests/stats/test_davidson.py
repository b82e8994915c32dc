"""Davidson's model against published estimates, independent optimisation and what must hold for any votes."""

import csv
from importlib import import_module
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from arena.stats.cells import OUTCOMES, Counts, Floats, count_cells
from arena.stats.davidson import Davidson, fit
from arena.stats.newton import NoFit

optimize = import_module("scipy.optimize")

DATA = Path(__file__).parent / "data"
OUTCOMES_OF_A_RUNG = (("a", 10**4), ("b", 1), ("tie", 1))
SWAPPED = [OUTCOMES.index(outcome) for outcome in ("b", "a", "tie", "both_bad")]


def cells(rows: list[tuple[str, str, str, int]]) -> Counts:
    return count_cells(sorted({name for row in rows for name in row[:2]}), rows)


@st.composite
def any_cells(draw: st.DrawFn, most: int = 30) -> Counts:
    """Cells of 2 to 4 entries, often so sparse that there is no fit."""
    size = draw(st.integers(2, 4))
    numbers = draw(st.lists(st.just(0) | st.integers(1, most), min_size=size * size * 4, max_size=size * size * 4))
    counts = np.array(numbers, dtype=np.int64).reshape(size, size, 4)
    counts[np.arange(size), np.arange(size)] = 0
    return counts


@st.composite
def full_cells(draw: st.DrawFn) -> Counts:
    """Cells in which every outcome of every ordered pair was seen, so that a fit exists."""
    counts = draw(any_cells()) + 1
    counts[np.arange(len(counts)), np.arange(len(counts))] = 0
    return counts


def fitted(counts: Counts) -> Davidson:
    result = fit(counts)
    assert isinstance(result, Davidson)
    return result


def covariance_of(result: Davidson) -> Floats:
    assert result.covariance is not None
    return result.covariance


def probabilities(parameters: Floats) -> Floats:
    """Shape (n, n, 3) from strengths, side, log nu: the formulas of the papers, word by word."""
    *strengths, side, log_nu = parameters
    size = len(strengths)
    chances = np.zeros((size, size, 3))
    for a, b in product(range(size), repeat=2):
        shown_first, shown_second = np.exp(strengths[a] + side), np.exp(strengths[b])
        tie = np.exp(log_nu) * np.sqrt(shown_first * shown_second)
        chances[a, b] = np.array([shown_first, shown_second, tie]) / (shown_first + shown_second + tie)
    return chances


def log_likelihood(parameters: Floats, counts: Counts) -> float:
    votes = np.dstack([counts[:, :, 0], counts[:, :, 1], counts[:, :, 2] + counts[:, :, 3]])
    return float((votes * np.log(probabilities(parameters))).sum())


def parameters(result: Davidson) -> Floats:
    return np.array([*result.strengths, result.side, result.log_nu])


def from_both_sides(rows: list[tuple[str, str, str, int]]) -> list[tuple[str, str, str, int]]:
    """Every vote counted twice, so that the sides are even."""
    return [*rows, *((b, a, {"a": "b", "b": "a", "tie": "tie"}[outcome], number) for a, b, outcome, number in rows)]


def pudding() -> Counts:
    with (DATA / "pudding.csv").open(encoding="utf-8", newline="") as file:
        rows = [[*row.values()] for row in csv.DictReader(file)]
    votes = [(i, j, o, int(n)) for i, j, *cell in rows for o, n in zip(("a", "b", "tie"), cell, strict=True)]
    return cells(from_both_sides(votes))


def test_davidsons_pudding() -> None:
    """His estimates (1970) are those after seven rounds of his algorithm, which agree with its limit to 2e-5."""
    result = fitted(pudding())

    strengths = np.exp(result.strengths)
    published = [0.1388005, 0.1729985, 0.1617420, 0.1653930, 0.1586805, 0.2023855]
    assert strengths / strengths.sum() == pytest.approx(published, abs=2.1e-5)
    assert np.exp(result.log_nu) == pytest.approx(0.7468147, abs=1e-5)
    assert result.side == pytest.approx(0, abs=1e-12)


def test_puddings_deviance_and_errors_are_those_the_r_package_plackettluce_prints() -> None:
    """Its standard errors are the model's own, which the sandwich comes near where the model holds."""
    result = fitted(pudding())
    errors = np.sqrt(2 * covariance_of(result).diagonal())

    assert -log_likelihood(parameters(result), pudding()) == pytest.approx(1619.4, abs=0.05)
    assert errors[:6] == pytest.approx([0.121949, 0.121818, 0.126823, 0.122003, 0.127054, 0.126594], rel=0.04)
    assert errors[7] == pytest.approx(0.082499, rel=0.04)


@given(full_cells())
def test_a_general_optimiser_finds_the_same_maximum(counts: Counts) -> None:
    size = len(counts)
    result = fitted(counts)

    def loss(free: Floats) -> float:
        return -log_likelihood(np.concatenate([[-free[: size - 1].sum()], free]), counts)

    found = optimize.minimize(loss, np.zeros(size + 1), method="BFGS", options={"gtol": 1e-5})
    assert -found.fun <= log_likelihood(parameters(result), counts) + 1e-9
    assert found.x == pytest.approx(parameters(result)[1:], abs=1e-3)


@given(full_cells())
def test_expected_ties_and_wins_are_the_observed_ones(counts: Counts) -> None:
    expected = counts.sum(axis=2)[:, :, None] * probabilities(parameters(fitted(counts)))
    lead, ahead = counts[:, :, 0] - counts[:, :, 1], expected[:, :, 0] - expected[:, :, 1]

    assert expected[:, :, 2].sum() == pytest.approx(counts[:, :, 2:].sum(), rel=1e-9)
    assert ahead.sum() == pytest.approx(lead.sum(), abs=1e-7)
    assert ahead.sum(axis=1) - ahead.sum(axis=0) == pytest.approx(lead.sum(axis=1) - lead.sum(axis=0), abs=1e-7)


@given(full_cells())
def test_swapping_sides_turns_the_sides_effect_round_and_leaves_the_rest(counts: Counts) -> None:
    here, there = fitted(counts), fitted(counts.transpose(1, 0, 2)[:, :, SWAPPED])

    assert there.strengths == pytest.approx(here.strengths, abs=1e-9)
    assert (there.side, there.log_nu) == pytest.approx((-here.side, here.log_nu), abs=1e-9)


@given(full_cells(), st.integers(0, 100))
def test_another_order_of_the_entries_changes_nothing(counts: Counts, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(counts))
    here, there = fitted(counts), fitted(counts[np.ix_(order, order)])
    places = [*order, len(counts), len(counts) + 1]

    assert parameters(there) == pytest.approx(parameters(here)[places], abs=1e-9)
    assert covariance_of(there) == pytest.approx(covariance_of(here)[np.ix_(places, places)], rel=1e-6, abs=1e-12)


@given(full_cells())
def test_both_bad_counts_as_a_tie(counts: Counts) -> None:
    swapped = counts[:, :, [0, 1, 3, 2]]

    assert parameters(fitted(swapped)) == pytest.approx(parameters(fitted(counts)), abs=1e-12)


@given(full_cells())
def test_the_covariance_is_that_of_independent_votes(counts: Counts) -> None:
    """Twice the votes halve it, and the strengths' mean does not vary."""
    result = fitted(counts)
    size = len(counts)

    assert covariance_of(fitted(2 * counts)) == pytest.approx(covariance_of(result) / 2, rel=1e-6, abs=1e-12)
    assert covariance_of(result)[:size].sum(axis=0) == pytest.approx(np.zeros(size + 2), abs=1e-9)


def test_the_covariance_agrees_with_leaving_out_one_vote_at_a_time() -> None:
    counts = np.random.default_rng(5).integers(20, 60, (3, 3, 4))
    counts[np.arange(3), np.arange(3)] = 0
    moved = np.zeros((5, 5))
    whole = parameters(fitted(counts))
    for cell in np.argwhere(counts):
        without = counts.copy()
        without[tuple(cell)] -= 1
        change = parameters(fitted(without)) - whole
        moved += counts[tuple(cell)] * np.outer(change, change)

    assert covariance_of(fitted(counts)) == pytest.approx(moved, rel=0.03, abs=1e-5)


def test_a_simulated_effect_of_the_side_is_found() -> None:
    truth = np.array([0.6, 0.1, -0.7, 0.3, -0.5])
    chances = probabilities(truth)
    counts = np.zeros((3, 3, 4), dtype=np.int64)
    counts[:, :, :3] = np.random.default_rng(11).multinomial(20_000, chances)
    counts[np.arange(3), np.arange(3)] = 0
    result = fitted(counts)

    errors = np.sqrt(covariance_of(result).diagonal())
    assert (np.abs(parameters(result) - truth) < 3 * errors).all()
    assert errors.max() < 0.02


def feasible(counts: Counts) -> bool:
    """Whether the likelihood has one finite maximum: the linear programme of Albert and Anderson (1984).

    There is none where some direction makes no observed outcome less likely against the others of its pair, and
    changes at least something.
    """
    size, at_least = len(counts), []
    for a, b in np.argwhere(counts.sum(axis=2)):
        odds = np.zeros(size + 2)
        odds[[a, b, size]] = 1, -1, 1
        tie = np.eye(size + 2)[-1]
        statistics = [odds / 2, -odds / 2, tie]
        observed = counts[a, b, 0], counts[a, b, 1], counts[a, b, 2] + counts[a, b, 3]
        at_least += [
            one - other for one, seen in zip(statistics, observed, strict=True) if seen for other in statistics
        ]
    rows = np.array(at_least)
    bounds = [(0, 0), *[(-1, 1)] * (size + 1)]
    if np.linalg.matrix_rank(rows[:, 1:]) < size + 1:
        return False
    best = optimize.linprog(-rows.sum(axis=0), A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=bounds)
    return bool(-best.fun < 1e-7)


@given(any_cells())
def test_there_is_a_fit_exactly_where_a_linear_programme_says_so(counts: Counts) -> None:
    assume(counts[:, :, :2].any() and counts[:, :, 2:].any())
    result = fit(counts)

    assert isinstance(result, Davidson) == feasible(counts)
    assert isinstance(result, Davidson) or result == NoFit("not_finite")


@given(any_cells(most=1_000_000))
def test_every_number_is_finite(counts: Counts) -> None:
    result = fit(counts)

    if isinstance(result, Davidson):
        assert np.isfinite(parameters(result)).all()
        assert result.strengths.sum() == pytest.approx(0, abs=1e-9)
        assert result.covariance is None or np.isfinite(result.covariance).all()


X_AND_Y = [("x", "y", "a", 5), ("y", "x", "a", 3), ("x", "y", "b", 2), ("y", "x", "b", 4)]
TIE = ("x", "y", "tie", 1)


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        pytest.param([("x", "y", "a", 0)], "no_votes", id="no votes"),
        pytest.param(X_AND_Y, "no_ties", id="every vote decided"),
        pytest.param([("x", "y", "tie", 5), ("y", "x", "both_bad", 5)], "only_ties", id="no vote decided"),
        pytest.param([*X_AND_Y, TIE, ("z", "x", "a", 9)], "not_finite", id="one only won"),
        pytest.param(
            [TIE, ("x", "z", "b", 22), ("y", "x", "a", 785), ("y", "x", "b", 1002)],
            "not_finite",
            id="one only won where others are even",
        ),
        pytest.param([*X_AND_Y, TIE, ("z", "v", "tie", 9)], "not_finite", id="two that met no other"),
        pytest.param(
            [("x", "y", "a", 5), ("y", "x", "b", 5), ("x", "y", "tie", 5), ("y", "x", "tie", 5)],
            "not_finite",
            id="wins one way and ties, enough for the fit of record",
        ),
    ],
)
def test_votes_without_a_finite_fit_say_why(rows: list[tuple[str, str, str, int]], code: str) -> None:
    result = fit(cells(rows))

    assert isinstance(result, NoFit)
    assert result.code == code


def test_an_entry_joined_by_ties_alone_has_an_estimate_and_no_certainty() -> None:
    result = fitted(cells([*X_AND_Y, ("z", "x", "tie", 5), ("x", "z", "tie", 5)]))

    assert result.strengths[2] == pytest.approx(result.strengths[0], abs=1e-9)
    assert result.covariance is None


def test_lopsided_votes_are_fitted_to_many_digits() -> None:
    result = fitted(cells(from_both_sides([("x", "y", "a", 10**8), ("x", "y", "b", 1), ("x", "y", "tie", 100)])))

    assert result.strengths[0] - result.strengths[1] == pytest.approx(np.log(10**8), rel=1e-9)
    assert result.log_nu == pytest.approx(np.log(100 / 10**4), rel=1e-9)


def test_a_maximum_that_full_newton_steps_would_overshoot_is_reached() -> None:
    rows = [("x", "y", "a", 1), ("x", "y", "tie", 254), ("y", "z", "a", 860), ("y", "z", "tie", 47)]
    rows += [("z", "x", "a", 1), ("z", "x", "tie", 2958), ("z", "y", "b", 4108), ("z", "y", "tie", 1)]
    counts = cells(rows)

    assert feasible(counts)
    assert np.isfinite(parameters(fitted(counts))).all()


def test_entries_far_apart_in_a_field_of_some_size_are_fitted() -> None:
    """A ladder of 15 with odds of 10,000 to one from rung to rung and a single tie each way."""
    rungs = [(high, low, *cell) for high, low in pairwise("abcdefghijklmno") for cell in OUTCOMES_OF_A_RUNG]
    result = fitted(cells(from_both_sides(rungs)))

    assert -np.diff(result.strengths) == pytest.approx([np.log(10**4)] * 14, rel=1e-9)
    assert result.log_nu == pytest.approx(np.log(1 / 100), rel=1e-9)
