"""What must hold for the fit of any votes that have one."""

from itertools import pairwise
from math import log
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.stats.bradley_terry import Fit, chances, fit
from arena.stats.cells import Floats, count_cells, halves
from tests.stats.votes import Round, Vote, names, rounds


def fitted(drawn: Round, *, side: bool = True) -> Fit:
    return fit(drawn.cells().counts, side=side)


def near(values: Floats) -> object:
    return pytest.approx(values, rel=1e-9, abs=1e-9)


def near_bread(values: Floats) -> object:
    """The bread is that of the place before the last Newton step, which was below 1e-8."""
    return pytest.approx(values, rel=1e-7, abs=1e-7 * values.max())


def gap(found: Fit, one: int, other: int) -> float:
    return float(found.strengths[one] - found.strengths[other])


def contrast(size: int) -> Floats:
    """A mirror (n + 1, n + 1) that turns only the side round."""
    return np.diag([1.0] * size + [-1.0])


@given(rounds(most=1_000, ratable=True))
def test_each_entry_and_each_side_is_expected_to_win_what_it_won(drawn: Round) -> None:
    """The equations that define the maximum of the likelihood (Zermelo 1929)."""
    counts = drawn.cells().counts
    votes, won_first = counts.sum(axis=2), halves(counts) / 2
    found = fit(counts)
    expected = votes * chances(found.strengths, found.side)[0]

    def by_entry(first: Floats) -> Floats:
        won: Floats = first.sum(axis=1) + (votes - first).sum(axis=0)
        return won

    assert by_entry(expected) == pytest.approx(by_entry(won_first), rel=1e-8)
    assert expected.sum() == pytest.approx(won_first.sum(), rel=1e-8)


@given(rounds(most=1_000, ratable=True))
def test_without_the_side_each_entry_is_expected_to_win_what_it_won(drawn: Round) -> None:
    counts = drawn.cells().counts
    won = (halves(counts) + (2 * counts.sum(axis=2) - halves(counts)).T) / 2
    met = won + won.T
    found = fit(counts, side=False)

    assert (met * chances(found.strengths, 0)[0]).sum(axis=1) == pytest.approx(won.sum(axis=1), rel=1e-8)
    assert found.side == 0
    assert not found.bread[-1].any()
    assert not found.bread[:, -1].any()


@given(rounds(ratable=True), st.booleans())
def test_strengths_and_every_deviation_of_theirs_have_mean_0(drawn: Round, side: bool) -> None:
    found = fitted(drawn, side=side)

    assert found.strengths.mean() == pytest.approx(0, abs=1e-12)
    assert found.bread[: drawn.entries].sum(axis=0) == pytest.approx(0, abs=1e-9 * found.bread.max())


@given(rounds(ratable=True), st.booleans(), st.randoms(use_true_random=False))
def test_entries_in_another_order_have_the_same_strengths(drawn: Round, side: bool, random: Random) -> None:
    place = list(range(drawn.entries))
    random.shuffle(place)
    shuffled = drawn.changed(lambda vote: vote._replace(first=place[vote.first], second=place[vote.second]))
    here, there = fitted(drawn, side=side), fitted(shuffled, side=side)
    order = [*place, drawn.entries]

    assert there.strengths[place] == near(here.strengths)
    assert there.side == pytest.approx(here.side, abs=1e-9)
    assert there.bread[np.ix_(order, order)] == near_bread(here.bread)


@given(rounds(ratable=True))
def test_votes_with_their_sides_swapped_leave_the_strengths_and_mirror_the_side(drawn: Round) -> None:
    here, there = fitted(drawn), fitted(drawn.changed(Vote.sides_swapped))
    mirror = contrast(drawn.entries)

    assert there.strengths == near(here.strengths)
    assert there.side == pytest.approx(-here.side, abs=1e-9)
    assert there.bread == near_bread(mirror @ here.bread @ mirror)


@given(rounds(ratable=True))
def test_without_the_side_it_does_not_matter_who_was_shown_first(drawn: Round) -> None:
    here, there = fitted(drawn, side=False), fitted(drawn.changed(Vote.sides_swapped), side=False)

    assert there.strengths == near(here.strengths)


@given(rounds(ratable=True))
def test_reversed_votes_mirror_strengths_and_side(drawn: Round) -> None:
    here, there = fitted(drawn), fitted(drawn.changed(Vote.reversed))

    assert there.strengths == near(-here.strengths)
    assert there.side == pytest.approx(-here.side, abs=1e-9)


@given(rounds(ratable=True))
def test_where_every_vote_was_also_cast_with_sides_swapped_the_side_does_nothing(drawn: Round) -> None:
    both = drawn.plus(*drawn.changed(Vote.sides_swapped).votes)
    found = fitted(both)

    assert found.side == pytest.approx(0, abs=1e-9)
    assert found.strengths == near(fitted(both, side=False).strengths)
    assert found.strengths == near(fitted(drawn, side=False).strengths)


@given(rounds(ratable=True), st.booleans())
def test_both_bad_counts_like_a_tie(drawn: Round, side: bool) -> None:
    ties = drawn.changed(lambda vote: vote._replace(outcome="tie") if vote.outcome == "both_bad" else vote)
    here, there = fitted(drawn, side=side), fitted(ties, side=side)

    assert (there.strengths == here.strengths).all()
    assert (there.bread == here.bread).all()


@given(rounds(ratable=True), st.integers(2, 9))
def test_more_of_the_same_votes_leave_the_fit_and_sharpen_it(drawn: Round, times: int) -> None:
    here, there = fitted(drawn), fitted(drawn.changed(lambda vote: vote._replace(number=times * vote.number)))

    assert there.strengths == near(here.strengths)
    assert there.side == pytest.approx(here.side, abs=1e-9)
    assert there.bread * times == near_bread(here.bread)


@given(rounds(ratable=True), st.data())
def test_one_more_win_makes_the_same_win_more_likely(drawn: Round, data: st.DataObject) -> None:
    winner, loser = data.draw(st.permutations(range(drawn.entries)))[:2]
    before, after = fitted(drawn), fitted(drawn.plus(Vote(30, winner, loser, "a")))

    assert gap(after, winner, loser) + after.side > gap(before, winner, loser) + before.side


@given(rounds(ratable=True), st.data())
def test_without_the_side_one_more_win_moves_the_winner_up_and_the_loser_down(
    drawn: Round, data: st.DataObject
) -> None:
    winner, loser = data.draw(st.permutations(range(drawn.entries)))[:2]
    before, after = fitted(drawn, side=False), fitted(drawn.plus(Vote(30, winner, loser, "a")), side=False)

    assert after.strengths[winner] > before.strengths[winner]
    assert after.strengths[loser] < before.strengths[loser]


@given(rounds(ratable=True), st.data())
def test_where_sides_are_balanced_a_win_on_each_moves_the_winner_up_and_the_loser_down(
    drawn: Round, data: st.DataObject
) -> None:
    winner, loser = data.draw(st.permutations(range(drawn.entries)))[:2]
    win = Vote(30, winner, loser, "a")
    balanced = drawn.plus(*drawn.changed(Vote.sides_swapped).votes)
    before, after = fitted(balanced), fitted(balanced.plus(win, win.sides_swapped()))

    assert after.strengths[winner] > before.strengths[winner]
    assert after.strengths[loser] < before.strengths[loser]


def test_where_sides_are_not_balanced_a_win_may_be_put_down_to_the_side() -> None:
    """Entry 2 was only ever shown first: its seventh battle, a win, tells more of the side than of entry 2."""
    votes = [
        Vote(0, 0, 1, "tie"),
        Vote(0, 2, 0, "a", 2),
        Vote(0, 2, 0, "b", 2),
        Vote(0, 2, 1, "a"),
        Vote(0, 2, 1, "b"),
    ]
    drawn = Round(3, tuple(votes))
    before, after = fitted(drawn), fitted(drawn.plus(Vote(0, 2, 0, "a")))

    assert [*before.strengths, before.side] == pytest.approx([0] * 4, abs=1e-12)
    assert after.strengths[2] < 0 < after.side


@given(st.integers(1, 10_000), st.integers(1, 10_000), st.integers(0, 10_000))
def test_two_entries_without_the_side_have_the_log_odds_of_the_mean_vote(won: int, lost: int, tied: int) -> None:
    drawn = Round(
        2, (Vote(0, 0, 1, "a", won), Vote(0, 1, 0, "a", lost), *([Vote(0, 1, 0, "tie", tied)] * bool(tied)))
    )
    mean = (won + tied / 2) / (won + lost + tied)

    assert gap(fitted(drawn, side=False), 0, 1) == pytest.approx(log(mean / (1 - mean)), abs=1e-11)


@given(*[st.integers(1, 10_000)] * 4)
def test_two_entries_have_the_mean_log_odds_of_both_sides_and_the_side_their_difference(
    won_first: int, lost_first: int, won_second: int, lost_second: int
) -> None:
    votes = [Vote(0, 0, 1, "a", won_first), Vote(0, 0, 1, "b", lost_first)]
    votes += [Vote(0, 1, 0, "b", won_second), Vote(0, 1, 0, "a", lost_second)]
    found = fitted(Round(2, tuple(votes)))
    first, second = log(won_first / lost_first), log(won_second / lost_second)

    assert gap(found, 0, 1) == pytest.approx((first + second) / 2, abs=1e-11)
    assert found.side == pytest.approx((first - second) / 2, abs=1e-11)
    variance = (1 / won_first + 1 / lost_first + 1 / won_second + 1 / lost_second) / 4
    assert found.bread[-1, -1] == pytest.approx(variance, rel=1e-7)


@pytest.mark.parametrize("side", [True, False])
def test_a_wide_field_of_many_votes_is_fitted_to_machine_precision(side: bool) -> None:
    """A ladder of 15 with odds of a million to one from rung to rung, and back only one win each, on both sides."""
    entries = names(15)
    rows = []
    for high, low in pairwise(entries):
        rows += [(high, low, "a", 1_000_000), (high, low, "b", 1), (low, high, "b", 1_000_000), (low, high, "a", 1)]
    ladder = fit(count_cells(entries, rows), side=side)

    assert -np.diff(ladder.strengths) == pytest.approx([log(1e6)] * 14, rel=1e-12)
    assert ladder.side == pytest.approx(0, abs=1e-9)


def test_a_chain_of_wins_back_makes_a_finite_fit_however_weak_it_is() -> None:
    """Three in a circle: a billion wins each step down, a single one back from the last to the first."""
    circle = Round(3, (Vote(0, 0, 1, "a", 10**9), Vote(0, 1, 2, "a", 10**9), Vote(0, 2, 0, "a", 1)))
    found = fitted(circle, side=False)

    expected_upsets = 10**9 / (1 + np.exp([gap(found, 0, 1), gap(found, 1, 2)]))
    assert expected_upsets == pytest.approx([1, 1], rel=1e-6)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5), st.floats(-1e6, 1e6))
def test_chances_of_any_strengths_are_complements(strengths: list[float], side: float) -> None:
    p, q = chances(np.array(strengths), side)

    assert p + q == pytest.approx(np.ones_like(p), rel=1e-15)
    assert ((p >= 0) & (q >= 0)).all()
    odds = np.subtract.outer(strengths, strengths) + side
    assert (p >= q)[odds >= 0].all()
    assert (p <= q)[odds <= 0].all()
