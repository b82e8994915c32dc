"""Points: what defines each formula, how sure they are, and when there are none."""

from dataclasses import replace
from itertools import product
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.stats.arithmetic import FLOATS, Estimate
from arena.stats.bradley_terry import covariance, fit
from arena.stats.cells import Cells, Floats
from arena.stats.rating import MIN_VOTERS, Last, estimate, rate_exactly, summary
from arena.stats.scores import Formula, ScoreRule, Scores, rate_and_score, score
from tests.stats.answers import Z_95, figures, ranks
from tests.stats.votes import Round, Vote, names, rounds, voters_of_one_vote_each

FORMULAS: tuple[Formula, ...] = get_args(Formula)
POINTS = 25

formulas = st.sampled_from(FORMULAS)
all_rounds = rounds() | rounds(ratable=True)


def rule(formula: Formula, *, low: str = "0.35", high: str = "0.65", least: int = 0) -> ScoreRule:
    return ScoreRule(POINTS, formula, low, high, least)


def scored(cells: Cells, wanted: ScoreRule) -> Scores[float]:
    found = estimate(cells)
    return score(summary(cells, found), found, wanted)


def points(scores: Scores[float]) -> list[float]:
    return [entry.points for entry in scores.entries if entry.points is not None]


def intervals(scores: Scores[float]) -> list[tuple[float, float]]:
    return [entry.interval for entry in scores.entries if entry.interval is not None]


def win_shares(strengths: Floats) -> Floats:
    """Each entry against the others, by the definition."""
    chances = 1 / (1 + np.exp(strengths[None, :] - strengths[:, None]))
    shares: Floats = (chances.sum(axis=1) - 0.5) / (len(strengths) - 1)
    return shares


def unclipped(formula: Formula, strengths: Floats) -> Floats:
    """The formulas, word by word."""
    shares = win_shares(strengths)
    if formula == "anchored":
        return POINTS * (shares - 0.35) / (0.65 - 0.35)
    return POINTS * shares / (shares.max() if formula == "relative_to_best" else 1)


def slopes(formula: Formula, strengths: Floats) -> Floats:
    """Shape (n, n): how the row's points change with each strength, by differences."""
    step = 1e-5 * np.eye(len(strengths))
    return np.array([unclipped(formula, strengths + h) - unclipped(formula, strengths - h) for h in step]).T / 2e-5


@pytest.mark.parametrize("formula", ["win_share", "anchored", "relative_to_best"])
@settings(max_examples=50)
@given(drawn=rounds(ratable=True))
def test_points_follow_the_formula_within_0_and_all(formula: Formula, drawn: Round) -> None:
    cells = drawn.cells()
    expected = unclipped(formula, fit(cells.counts).strengths).clip(0, POINTS)

    assert points(scored(cells, rule(formula))) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("formula", ["win_share", "anchored", "relative_to_best"])
@settings(max_examples=50)
@given(drawn=rounds(ratable=True))
def test_intervals_are_those_of_the_delta_method_within_0_and_all(formula: Formula, drawn: Round) -> None:
    cells = drawn.cells()
    found = fit(cells.counts)
    gradient = slopes(formula, found.strengths)
    spread = covariance(found, cells)[: drawn.entries, : drawn.entries]
    margin = Z_95 * np.sqrt(np.einsum("ij,jk,ik->i", gradient, spread, gradient))
    middle = unclipped(formula, found.strengths)
    expected = np.stack([middle - margin, middle + margin], axis=1).clip(0, POINTS)
    ties_for_best = np.sum(middle > middle.max() - 1e-3) > 1  # the maximum has no slope there

    if not (formula == "relative_to_best" and ties_for_best):
        assert np.array(intervals(scored(cells, rule(formula)))) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("formula", FORMULAS)
def test_equal_entries_get_equal_points(formula: Formula) -> None:
    once = Round(3, tuple(voters_of_one_vote_each(3)))
    back = once.changed(lambda vote: vote.reversed()._replace(voter=vote.voter + 1_000))
    got = points(scored(once.plus(*back.votes).cells(), rule(formula)))

    assert got == pytest.approx([POINTS if formula == "relative_to_best" else POINTS / 2] * 3)


def with_shares(*shares: float) -> Estimate[float]:
    """Two entries of these win shares."""
    log_odds = np.log(shares[0] / shares[1])
    chances = [[0.5, shares[0]], [shares[1], 0.5]]
    return Estimate([log_odds / 2, -log_odds / 2], 0.0, np.eye(3).tolist(), chances, FLOATS)


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ((0.65, 0.35), [25, 0]),
        ((0.70, 0.30), [25, 0]),
        ((0.50, 0.50), [12.5, 12.5]),
        ((0.56, 0.44), [17.5, 7.5]),
    ],
)
def test_anchors_have_no_points_and_all_and_nobody_has_less_or_more(
    shares: tuple[float, float], expected: list[float]
) -> None:
    ratings = summary(Round(2, tuple(voters_of_one_vote_each(2))).cells(), with_shares(*shares))

    assert points(score(ratings, with_shares(*shares), rule("anchored"))) == pytest.approx(expected)


@given(rounds(ratable=True))
def test_relative_to_best_gives_the_best_all_points_and_no_spread(drawn: Round) -> None:
    scores = scored(drawn.cells(), rule("relative_to_best"))
    best = int(np.argmax(points(scores)))

    assert points(scores)[best] == pytest.approx(POINTS)
    assert min(points(scores)) > 0
    assert min(high - low for low, high in intervals(scores)) == pytest.approx(0, abs=1e-6)


@given(rounds(ratable=True))
def test_rank_bands_give_the_middle_of_the_places_left_open(drawn: Round) -> None:
    cells = drawn.cells()
    scores = scored(cells, rule("rank_bands"))
    by_place = np.linspace(POINTS, 0, drawn.entries)

    for entry, (best, worst) in zip(scores.entries, ranks(summary(cells, estimate(cells))), strict=True):
        assert entry.points == pytest.approx(by_place[best - 1 : worst].mean())
        assert entry.interval == pytest.approx((by_place[worst - 1], by_place[best - 1]))


@pytest.mark.parametrize("formula", ["win_share", "anchored", "relative_to_best"])
@settings(max_examples=50)
@given(drawn=rounds(ratable=True))
def test_entries_with_a_larger_win_share_never_have_fewer_points(formula: Formula, drawn: Round) -> None:
    cells = drawn.cells()
    got, shares = points(scored(cells, rule(formula))), win_shares(fit(cells.counts).strengths)

    for one, other in product(range(drawn.entries), repeat=2):
        assert got[one] >= got[other] - 1e-9 or shares[one] <= shares[other] + 1e-12


@given(all_rounds, formulas)
def test_points_lie_within_their_interval_and_the_interval_within_0_and_all(drawn: Round, formula: Formula) -> None:
    ratings, scores = rate_and_score(drawn.cells(), rule(formula))

    for entry in scores.entries:
        assert (entry.interval is None) == (ratings.why is not None)
        missing = entry.interval is None if formula == "rank_bands" else ratings.state == "not_ratable"
        assert (entry.points is None) == missing
        if entry.points is not None and entry.interval is not None:
            low, high = entry.interval
            assert 0 <= low <= entry.points <= high <= POINTS


@settings(max_examples=50)
@given(all_rounds, formulas)
def test_official_ratings_do_not_depend_on_the_formula_and_official_scores_are_the_floats_rounded(
    drawn: Round, formula: Formula
) -> None:
    cells = drawn.cells()
    ratings, scores = rate_and_score(cells, rule(formula))

    assert ratings == rate_exactly(cells)
    assert scores.last == ratings.last
    if ratings.state == "ok":
        in_floats = scored(cells, rule(formula))
        assert [float(figure) for figure in figures(tuple((e.points, e.interval) for e in scores.entries))] == (
            pytest.approx(list(figures(tuple((e.points, e.interval) for e in in_floats.entries))), abs=1e-5)
        )


def test_points_exactly_between_two_roundings_go_to_the_even_one() -> None:
    """Of 128 votes on each side 79 are wins: 79/128 of 16 points are 9.875, and of 1 point 0.6171875."""
    won = [Vote(k, 0, 1, "a" if k < 79 else "b") for k in range(128)]
    cells = Round(2, (*won, *(vote.sides_swapped()._replace(voter=vote.voter + 128) for vote in won))).cells()

    for all_points, expected in ((16, ["9.875000", "6.125000"]), (1, ["0.617188", "0.382812"])):
        _, scores = rate_and_score(cells, replace(rule("win_share"), points=all_points))
        assert [str(entry.points) for entry in scores.entries] == expected


@pytest.mark.parametrize("formula", FORMULAS)
def test_votes_without_a_fit_give_no_points(formula: Formula) -> None:
    _, scores = rate_and_score(Round(2, (Vote(0, 0, 1, "a"),)).cells(), rule(formula, least=1))

    assert [entry.entry for entry in scores.entries] == list(names(2))
    assert [(entry.points, entry.interval, entry.enough_votes) for entry in scores.entries] == [
        (None, None, True)
    ] * 2
    assert scores.last is None


@pytest.mark.parametrize("formula", FORMULAS)
def test_too_few_voters_give_points_without_intervals_but_no_rank_bands(formula: Formula) -> None:
    _, scores = rate_and_score(Round(2, tuple(voters_of_one_vote_each(2)[1:])).cells(), rule(formula))

    assert [entry.interval for entry in scores.entries] == [None, None]
    assert [entry.points is None for entry in scores.entries] == [formula == "rank_bands"] * 2
    assert scores.last is None


def test_enough_votes_are_what_the_rule_asks_of_each_entry() -> None:
    votes = voters_of_one_vote_each(3)
    cells = Round(3, (*votes, Vote(0, 0, 1, "tie", 7))).cells()
    cast = cells.counts.sum(axis=(1, 2)) + cells.counts.sum(axis=(0, 2))
    for least in (cast.min(), cast.min() + 1, cast.max(), cast.max() + 1):
        scores = scored(cells, rule("win_share", least=int(least)))
        assert [entry.enough_votes for entry in scores.entries] == (cast >= least).tolist()


def preferring(*shares: int) -> Cells:
    """Entries 0 and 1 met by 100 voters each against entry 2, who prefer it in so many of a hundred cases."""
    votes = [Vote(-1 - k, 0, 1, "a" if k % 2 else "b") for k in range(MIN_VOTERS)]
    for entry, share in enumerate(shares):
        votes += [Vote(200 * entry + k, entry, 2, "a" if k >= share else "b") for k in range(100)]
        votes += [Vote(200 * entry + k, entry, 2, "a" if k >= share else "b").sides_swapped() for k in range(100)]
    return Round(3, tuple(votes)).cells()


def test_the_advice_names_an_entry_only_when_it_is_surely_last() -> None:
    clear, unclear = (scored(preferring(*shares), rule("anchored")).last for shares in ((20, 20), (20, 55)))

    assert clear == Last("entry 02", ("entry 02",))
    assert unclear is not None
    assert unclear.entry is None
    assert "entry 02" in unclear.tied
