"""Votes that have no finite fit: no figure, a reason, and the entries it concerns."""

from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from arena.stats.bradley_terry import NotRatable, fit, obstacle
from arena.stats.cells import OUTCOMES, Counts, Floats, count_cells
from tests.stats.votes import Round, names, rounds

Row = tuple[str, str, str, int]
FAIR: Final[list[Row]] = [("x", "y", "a", 1), ("x", "y", "b", 1), ("y", "x", "a", 1), ("y", "x", "b", 1)]


def why(entries: str, rows: list[Row], *, side: bool = True) -> NotRatable | None:
    return obstacle(tuple(entries), count_cells(entries, rows), side=side)


@pytest.mark.parametrize("entries", ["", "x"])
@pytest.mark.parametrize("side", [True, False])
def test_fewer_than_two_entries_are_too_few(entries: str, side: bool) -> None:
    assert why(entries, [], side=side) == NotRatable("too_few_entries", tuple(entries))


def test_entries_without_any_vote_are_all_named() -> None:
    assert why("xy", []) == NotRatable("no_votes", ("x", "y"))


@pytest.mark.parametrize(
    ("entries", "rows", "outside"),
    [
        pytest.param("xyz", FAIR, "z", id="one has no votes"),
        pytest.param("vwxyz", [*FAIR, ("v", "w", "tie", 50), ("z", "x", "tie", 1)], "vw", id="two fields never met"),
        pytest.param("vwxy", [*FAIR, ("v", "w", "tie", 50)], "xy", id="of two equal fields the first counts"),
    ],
)
def test_entries_that_never_met_the_largest_field_are_not_connected(
    entries: str, rows: list[Row], outside: str
) -> None:
    assert why(entries, rows) == NotRatable("not_connected", tuple(outside))


@pytest.mark.parametrize("outcome", ["a", "b"])
def test_an_entry_that_has_only_won_or_only_lost_is_one_sided(outcome: str) -> None:
    assert why("xyz", [*FAIR, ("z", "x", outcome, 9)]) == NotRatable("one_sided", ("z",))


def test_a_pecking_order_without_upsets_is_one_sided_and_nobody_is_in_the_middle() -> None:
    assert why("xyz", [("x", "y", "a", 9), ("z", "y", "b", 9)]) == NotRatable("one_sided", ("x", "y", "z"))


@pytest.mark.parametrize("outcome", ["tie", "both_bad"])
def test_half_a_win_counts_both_ways(outcome: str) -> None:
    assert why("xyz", [*FAIR, ("z", "x", "a", 9), ("y", "z", outcome, 1)]) is None


@pytest.mark.parametrize("outcome", ["tie", "both_bad"])
def test_ties_alone_make_entries_ratable(outcome: str) -> None:
    assert why("xy", [("x", "y", outcome, 1), ("y", "x", outcome, 1)]) is None


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([("x", "y", "a", 5), ("y", "x", "a", 5)], id="the side shown first won every vote"),
        pytest.param([("x", "y", "b", 5), ("y", "x", "b", 5)], id="the side shown second won every vote"),
        pytest.param([("x", "y", "a", 5), ("x", "y", "b", 5)], id="each entry was always on the same side"),
        pytest.param([("x", "y", "tie", 5), ("y", "x", "a", 5)], id="the side won whatever it did not tie"),
    ],
)
def test_a_side_effect_that_nothing_holds_back_is_not_estimable(rows: list[Row]) -> None:
    assert why("xy", rows) == NotRatable("side_not_estimable", ("x", "y"))
    assert why("xy", rows, side=False) is None


def separated(counts: Counts, *, side: bool) -> bool:
    """Whether votes have no finite and single maximum of the likelihood, by linear programming.

    Albert and Anderson (1984): there is one unless some direction makes no credited outcome less likely and some
    more, or changes nothing at all.
    """
    credited = credited_directions(counts, side=side)
    parameters = counts.shape[0] - 1 + side
    if len(credited) == 0 or np.linalg.matrix_rank(credited) < parameters:
        return True
    best = linprog(-credited.sum(axis=0), A_ub=-credited, b_ub=np.zeros(len(credited)), bounds=(-1, 1))
    return bool(-best.fun > 1e-6)


def credited_directions(counts: Counts, *, side: bool) -> Floats:
    """One row an outcome that was seen (a tie is both): what makes it more likely, in strengths and side."""
    rows = []
    for first, second, outcome in np.argwhere(counts).tolist():
        row = np.zeros(len(counts) + 1)
        row[first], row[second], row[-1] = 1, -1, side
        rows += [] if OUTCOMES[outcome] == "b" else [row]
        rows += [] if OUTCOMES[outcome] == "a" else [-row]
    return np.array(rows)


@settings(max_examples=300)
@given(rounds(), st.booleans())
def test_there_is_an_obstacle_whenever_linear_programming_finds_one(drawn: Round, side: bool) -> None:
    counts = drawn.cells().counts

    assert (obstacle(names(drawn.entries), counts, side=side) is not None) == separated(counts, side=side)


@given(rounds())
def test_the_side_is_to_blame_only_where_there_would_be_a_fit_without_it(drawn: Round) -> None:
    entries, counts = names(drawn.entries), drawn.cells().counts
    with_side, without_side = obstacle(entries, counts), obstacle(entries, counts, side=False)

    if with_side and with_side.code == "side_not_estimable":
        assert without_side is None
    else:
        assert with_side == without_side


@given(rounds(most=1_000_000), st.booleans())
def test_whatever_has_no_obstacle_has_a_finite_fit(drawn: Round, side: bool) -> None:
    counts = drawn.cells().counts
    if obstacle(names(drawn.entries), counts, side=side):
        return
    fitted = fit(counts, side=side)

    assert np.isfinite([*fitted.strengths, fitted.side]).all()
    assert (fitted.bread.diagonal()[: drawn.entries + side] > 0).all()
