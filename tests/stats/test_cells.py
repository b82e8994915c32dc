"""Votes as integer counts."""

import numpy as np
import pytest

from arena.stats.cells import OUTCOMES, Counts, check_cells, count_cells, halves, ties, wins

ENTRIES = ("x", "y", "z")


def test_each_row_lands_in_the_cell_of_its_sides_and_outcome() -> None:
    counts = count_cells(ENTRIES, [("y", "x", "b", 3), ("y", "x", "tie", 2), ("x", "z", "both_bad", 1)])

    assert counts.dtype == np.int64
    assert counts[1, 0].tolist() == [0, 3, 2, 0]
    assert counts[0, 2].tolist() == [0, 0, 0, 1]
    assert counts.sum() == 6


def test_rows_of_one_cell_add_up() -> None:
    assert count_cells(ENTRIES, [("x", "y", "a", 1)] * 5)[0, 1, OUTCOMES.index("a")] == 5


def test_wins_and_ties_count_both_sides() -> None:
    counts = count_cells(
        ENTRIES,
        [
            ("x", "y", "a", 3),
            ("x", "y", "b", 5),
            ("y", "x", "a", 7),
            ("y", "x", "b", 11),
            ("x", "z", "tie", 13),
            ("z", "x", "both_bad", 17),
        ],
    )

    assert wins(counts).tolist() == [[0, 14, 0], [12, 0, 0], [0, 0, 0]]
    assert ties(counts).tolist() == [[0, 0, 30], [0, 0, 0], [30, 0, 0]]


@pytest.mark.parametrize(("outcome", "credit"), [("a", 2), ("b", 0), ("tie", 1), ("both_bad", 1)])
def test_the_credit_of_the_entry_shown_first_is_counted_in_halves(outcome: str, credit: int) -> None:
    assert halves(count_cells(("x", "y"), [("x", "y", outcome, 3)])).tolist() == [[0, 3 * credit], [0, 0]]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("x", "nobody", "a", 1), "unknown entry or outcome 'nobody'"),
        (("x", "y", "model_a", 1), "unknown entry or outcome 'model_a'"),
        (("x", "x", "a", 1), "against itself"),
        (("x", "y", "a", -1), "negative"),
    ],
)
def test_a_row_that_cannot_be_is_refused(row: tuple[str, str, str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        count_cells(ENTRIES, [row])


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        pytest.param(np.zeros((3, 3, 4), np.int64), "2 entries need integer counts of shape", id="other entries"),
        pytest.param(np.zeros((2, 2), np.int64), "2 entries need integer counts of shape", id="no outcomes"),
        pytest.param(np.zeros((2, 2, 4)), "2 entries need integer counts of shape", id="floats"),
        pytest.param(np.full((2, 2, 4), -1), "negative", id="negative"),
        pytest.param(np.ones((2, 2, 4), np.int64), "against itself", id="an entry against itself"),
    ],
)
def test_counts_that_are_not_cells_of_the_entries_are_refused(counts: Counts, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_cells(("x", "y"), counts)


def test_the_same_entry_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="not distinct"):
        count_cells(("x", "x"), [])
