from itertools import pairwise
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.web.forest import (
    MAX_REACH,
    MIN_SPAN,
    Forest,
    ForestRow,
    forest,
    indistinguishable_runs,
)


def row(label: str, estimate: float, margin: float, ranks: tuple[int, int] = (1, 1)) -> ForestRow:
    return ForestRow(label, estimate, estimate - margin, estimate + margin, *ranks)


def value_at(plot: Forest, x: float) -> float:
    """What the axis says about this x."""
    first, last = plot.ticks[0], plot.ticks[-1]
    return first.value + (x - first.x) / (last.x - first.x) * (last.value - first.value)


@st.composite
def rows(draw: st.DrawFn) -> list[ForestRow]:
    size = draw(st.integers(1, 15))
    value = st.one_of(st.just(1000.0), st.floats(-1e6, 1e6), st.floats(900, 1100))
    margin = st.one_of(st.just(0.0), st.floats(0, 200), st.floats(0, 1e9))
    place = st.integers(1, size)
    return [
        row(f"team {i}", draw(value), draw(margin), (min(ends), max(ends)))
        for i, ends in enumerate(draw(st.lists(st.tuples(place, place), min_size=size, max_size=size)))
    ]


@given(rows())
def test_everything_lies_within_the_plot(given_rows: list[ForestRow]) -> None:
    plot = forest(given_rows)

    for whisker in plot.whiskers:
        assert plot.plot_left <= whisker.x_low <= whisker.x <= whisker.x_high <= plot.plot_right
        assert 0 < whisker.label_y < whisker.y < plot.plot_bottom < plot.height
    for bracket in plot.brackets:
        assert plot.plot_right < bracket.x < plot.width
        assert 0 < bracket.y_top < bracket.y_bottom < plot.plot_bottom
    for tick in plot.ticks:
        assert 0 < tick.x < plot.width


@given(rows())
def test_the_best_estimate_stands_on_top(given_rows: list[ForestRow]) -> None:
    whiskers = forest(given_rows).whiskers

    assert sorted(whisker.row.label for whisker in whiskers) == sorted(row.label for row in given_rows)
    for upper, lower in pairwise(whiskers):
        assert upper.row.estimate >= lower.row.estimate
        assert upper.y < lower.y


@given(rows())
def test_dots_stand_at_their_value_on_the_axis(given_rows: list[ForestRow]) -> None:
    plot = forest(given_rows)
    tolerance = (plot.ticks[-1].value - plot.ticks[0].value) / 1e4

    for whisker in plot.whiskers:
        assert value_at(plot, whisker.x) == pytest.approx(whisker.row.estimate, abs=tolerance)
        if not whisker.cut_low:
            assert value_at(plot, whisker.x_low) == pytest.approx(whisker.row.low, abs=tolerance)
        if not whisker.cut_high:
            assert value_at(plot, whisker.x_high) == pytest.approx(whisker.row.high, abs=tolerance)


@given(rows())
def test_the_axis_has_a_few_round_numbers_evenly_spaced(given_rows: list[ForestRow]) -> None:
    ticks = forest(given_rows).ticks
    steps = {upper.value - lower.value for lower, upper in pairwise(ticks)}

    assert len(steps) == 1
    (step,) = steps
    assert str(step).rstrip("0") in {"1", "2", "5"}
    assert all(tick.value % step == 0 for tick in ticks)
    assert 3 <= len(ticks) <= 8
    assert ticks[-1].value - ticks[0].value >= MIN_SPAN


def test_an_enormous_interval_is_cut_and_does_not_squeeze_the_others() -> None:
    plot = forest([row("a", 1050, 20), row("b", 1000, 30), row("new", 950, 90_000)])
    new = plot.whiskers[2]

    assert (new.cut_low, new.cut_high) == (True, True)
    assert (new.x_low, new.x_high) == (plot.plot_left, plot.plot_right)
    assert not any(whisker.cut_low or whisker.cut_high for whisker in plot.whiskers[:2])
    assert plot.ticks[-1].value - plot.ticks[0].value < 100 + 2 * MAX_REACH + 400


def test_one_entry_has_no_bracket() -> None:
    plot = forest([row("only", 1000, 0)])

    assert plot.brackets == ()
    assert plot.whiskers[0].x == pytest.approx((plot.plot_left + plot.plot_right) / 2, abs=1)


def test_equal_entries_keep_their_order_and_share_one_bracket() -> None:
    plot = forest([row(label, 1000, 0, (1, 3)) for label in ("x", "y", "z")])

    assert [whisker.row.label for whisker in plot.whiskers] == ["x", "y", "z"]
    (bracket,) = plot.brackets
    assert (bracket.rank_low, bracket.rank_high) == (1, 3)
    assert plot.whiskers[0].y > bracket.y_top
    assert bracket.y_bottom == plot.whiskers[2].y


def test_brackets_that_share_an_entry_stand_side_by_side_and_others_below_each_other() -> None:
    ranks = [(1, 2), (1, 3), (2, 3), (4, 5), (4, 5)]
    plot = forest([row(str(i), 1000 - i, 1, ends) for i, ends in enumerate(ranks)])

    assert [(bracket.rank_low, bracket.rank_high) for bracket in plot.brackets] == [(1, 2), (2, 3), (4, 5)]
    first, second, third = plot.brackets
    assert first.x < second.x
    assert third.x == first.x


@pytest.mark.parametrize(
    ("ranks", "runs"),
    [
        pytest.param([(1, 1), (2, 2), (3, 3)], [], id="all told apart"),
        pytest.param([(1, 2), (1, 2), (3, 3)], [(0, 1)], id="first two tied"),
        pytest.param([(1, 2), (1, 3), (2, 3)], [(0, 1), (1, 2)], id="not transitive"),
        pytest.param([(1, 4), (1, 4), (1, 4), (1, 4)], [(0, 3)], id="none told apart"),
    ],
)
def test_runs_join_exactly_those_that_cannot_be_told_apart(
    ranks: list[tuple[int, int]], runs: list[tuple[int, int]]
) -> None:
    assert indistinguishable_runs(ranks) == runs


@given(rows())
def test_no_run_could_be_longer_and_none_lies_within_another(given_rows: list[ForestRow]) -> None:
    ranks = [(row.rank_low, row.rank_high) for row in given_rows]
    runs = indistinguishable_runs(ranks)

    def holds(first: int, last: int) -> bool:
        places = set(range(first + 1, last + 2))
        return all(places <= set(range(low, high + 1)) for low, high in ranks[first : last + 1])

    pairs = [(i, j) for i in range(len(ranks)) for j in range(i + 1, len(ranks)) if holds(i, j)]
    maximal = [(i, j) for i, j in pairs if not any((k, m) != (i, j) and k <= i and j <= m for k, m in pairs)]
    assert runs == maximal


def test_a_wider_plot_has_the_same_rows_and_more_room() -> None:
    given_rows = [row("x", 1010, 5), row("y", 990, 5)]

    assert forest(given_rows, width=720).plot_right - forest(given_rows, width=360).plot_right == 360


@pytest.mark.parametrize(
    "wrong",
    [[], [row("x", nan, 1)], [row("x", 1000, inf)], [ForestRow("x", 1000, 1001, 1002, 1, 1)]],
    ids=["no row", "no estimate", "no interval", "estimate outside"],
)
def test_what_cannot_be_drawn_is_refused(wrong: list[ForestRow]) -> None:
    with pytest.raises(ValueError, match=r"row|finite|outside"):
        forest(wrong)
