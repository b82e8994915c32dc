"""Official figures: right to the last digit, and decided where two roundings are equally near."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal, getcontext, localcontext
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from arena.stats.arithmetic import Estimate, Real, quantile
from arena.stats.bradley_terry import fit
from arena.stats.cells import Cells
from arena.stats.clusters import Grouped, Independent
from arena.stats.exact import exactly
from arena.stats.rating import Ratings, rate, rate_exactly, summary
from tests.stats.answers import figures
from tests.stats.votes import CREDIT, Round, Vote, names, rounds, simulated, voters_of_one_vote_each

Decimals = NDArray[np.object_]
FIRST, SECOND, LAST = 38, 70, 130
"""Digits that decimals hold in the first, the second and the last try."""

decimals = np.vectorize(Decimal, otypes=[object])


def inverse(matrix: Decimals) -> Decimals:
    """Newton and Schulz's iteration: each round doubles the digits of NumPy's inverse."""
    found: Decimals = decimals(np.linalg.inv(matrix.astype(float)))
    for _ in range(4):
        found = 2 * found - found @ matrix @ found
    return found


def by_hand(drawn: Round) -> tuple[Decimals, Decimals]:
    """Strengths with mean 0 and side (n + 1,), and their covariance, vote by vote and voter by voter."""
    size = drawn.entries
    rows = np.zeros((len(drawn.votes), size + 1), dtype=int)
    for row, vote in zip(rows, drawn.votes, strict=True):
        row[vote.first], row[vote.second], row[-1] = 1, -1, 1
    free = decimals(rows[:, 1:])
    number, credit = (
        decimals([f(v) for v in drawn.votes]) for f in (lambda v: v.number, lambda v: CREDIT[v.outcome])
    )
    place: Decimals = decimals(np.zeros(size, dtype=int))
    for _ in range(30):
        p = np.array([1 / (1 + (-odds).exp()) for odds in free @ place])
        surprise, weight = number * (credit / 2 - p), number * p * (1 - p)
        bread = inverse((free * weight[:, None]).T @ free)
        place = place + bread @ (free.T @ surprise)
    voters = sorted({vote.voter for vote in drawn.votes})
    member = np.array([[vote.voter == voter for vote in drawn.votes] for voter in voters])
    scores = decimals(member.astype(int)) @ (free * surprise[:, None])
    factor = Decimal(len(voters)) / (len(voters) - 1)
    centred = decimals(np.eye(size + 1, dtype=int)[:, 1:])
    centred[:size, : size - 1] -= Decimal(1) / size
    return centred @ place, factor * centred @ bread @ (scores.T @ scores) @ bread @ centred.T


def official_by_hand(drawn: Round) -> list[Decimal]:
    """Ratings, intervals and win shares of the entries, then the side's, each rounded to 6 places."""
    with localcontext(prec=70):
        place, covariance = by_hand(drawn)
        *strengths, side = place
        elo, z = 400 / Decimal(10).ln(), Decimal(quantile())
        errors = [value.sqrt() for value in covariance.diagonal()]
        found = []
        for i, (strength, error) in enumerate(zip(strengths, errors, strict=False)):
            rating = 1000 + elo * strength
            chances = [1 / (1 + (other - strength).exp()) for j, other in enumerate(strengths) if j != i]
            found += [rating, rating - elo * z * error, rating + elo * z * error, sum(chances) / len(chances)]
        found += [side, errors[-1]]
        found += [1 / (1 + (shift * errors[-1] - side).exp()) for shift in (Decimal(0), z, -z)]
        return [value.quantize(Decimal("0.000001")) for value in found]


def official(ratings: Ratings[Real]) -> list[float | Decimal]:
    """In the order of `official_by_hand`."""
    of_entries = tuple((entry.rating, entry.interval, entry.win_share) for entry in ratings.entries)
    return list(figures((of_entries, ratings.side)))


@settings(max_examples=25)
@given(rounds(most=1_000, ratable=True))
def test_every_digit_is_that_of_a_computation_by_hand(drawn: Round) -> None:
    assert official(rate_exactly(drawn.cells())) == official_by_hand(drawn)


@pytest.mark.parametrize("number", [10**3, 10**5, 4 * 10**6])
def test_every_digit_is_right_for_voters_however_busy(number: int) -> None:
    """Up to the most votes of a voter whose squares still add up exactly."""
    busy = Round(3, tuple(vote._replace(number=number + k) for k, vote in enumerate(voters_of_one_vote_each(3))))

    assert official(rate_exactly(busy.cells())) == official_by_hand(busy)


@settings(max_examples=50)
@given(rounds(most=100, ratable=True), st.booleans())
def test_official_figures_are_the_floats_rounded(drawn: Round, side: bool) -> None:
    floats, decided = rate(drawn.cells(), side=side), rate_exactly(drawn.cells(), side=side)

    assert [entry.rank for entry in decided.entries] == [entry.rank for entry in floats.entries]
    assert (decided.state, decided.why, decided.last) == (floats.state, floats.why, floats.last)
    assert [float(figure) for figure in official(decided)] == pytest.approx(official(floats), rel=1e-6, abs=1e-6)


@given(rounds())
def test_votes_without_a_fit_have_the_same_answer_as_in_floats(drawn: Round) -> None:
    floats, decided = rate(drawn.cells()), rate_exactly(drawn.cells())

    assert (decided.state, decided.why) == (floats.state, floats.why)
    assert floats.state == "ok" or repr(decided) == repr(floats)


@settings(max_examples=50)
@given(rounds(most=1_000, ratable=True), st.randoms(use_true_random=False))
def test_the_order_of_votes_and_of_voters_changes_no_digit(drawn: Round, random: Random) -> None:
    votes = [vote._replace(voter=-vote.voter) for vote in drawn.votes]
    random.shuffle(votes)

    assert rate_exactly(drawn._replace(votes=tuple(votes)).cells()) == rate_exactly(drawn.cells())


@settings(max_examples=50)
@given(rounds(most=1_000, ratable=True))
def test_how_votes_of_a_voter_are_kept_changes_no_digit(drawn: Round) -> None:
    cells = drawn.cells()
    assert isinstance(cells.clusters, Grouped)
    gram = cells.clusters.gram(drawn.entries)

    assert rate_exactly(Cells(cells.entries, cells.counts, gram)) == rate_exactly(cells)


@settings(max_examples=50)
@given(rounds(most=3, ratable=True))
def test_voters_of_one_vote_each_are_independent_votes_to_the_last_digit(drawn: Round) -> None:
    single = [vote._replace(number=1) for vote in drawn.votes for _ in range(vote.number)]
    alone = Round(drawn.entries, tuple(vote._replace(voter=voter) for voter, vote in enumerate(single))).cells()

    assert rate_exactly(Cells(alone.entries, alone.counts, Independent(alone.counts))) == rate_exactly(alone)


@settings(max_examples=50)
@given(rounds(ratable=True))
def test_votes_with_their_sides_swapped_change_no_digit_but_the_sides(drawn: Round) -> None:
    here, there = rate_exactly(drawn.cells()), rate_exactly(drawn.changed(Vote.sides_swapped).cells())
    assert here.side is not None
    assert there.side is not None

    assert (there.entries, there.neighbours) == (here.entries, here.neighbours)
    assert there.side.standard_error == here.side.standard_error
    assert (there.side.log_odds, there.side.win_share) == (-here.side.log_odds, 1 - here.side.win_share)


def test_fifteen_entries_and_a_thousand_voters_round_the_floats() -> None:
    cells = simulated(15, 8_000, 1_000, seed=3)

    decided, floats = official(rate_exactly(cells)), official(rate(cells))

    assert [float(figure) for figure in decided] == pytest.approx(floats, rel=1e-9, abs=1e-6)


def test_a_figure_exactly_between_two_roundings_goes_to_the_even_one() -> None:
    """Of 128 votes 79 are wins: 79/128 = 0.6171875 and 49/128 = 0.3828125."""
    counts = Round(2, (Vote(0, 0, 1, "a", 79), Vote(0, 1, 0, "a", 49))).cells().counts
    ratings = rate_exactly(Cells(names(2), counts, Independent(counts)), side=False)

    assert [str(entry.win_share) for entry in ratings.entries] == ["0.617188", "0.382812"]


def tries(figure: Callable[[Estimate[Decimal]], Any]) -> tuple[Any, list[int]]:
    """What becomes of a figure, and how many digits decimals held in each try."""
    cells = Round(2, tuple(voters_of_one_vote_each(2))).cells()
    digits: list[int] = []

    def noted(found: Estimate[Decimal]) -> Any:
        digits.append(getcontext().prec)
        return figure(found)

    return exactly(cells, fit(cells.counts), noted), digits


@pytest.mark.parametrize(
    ("figure", "rounded", "digits"),
    [
        pytest.param("0.1234564999", "0.123456", [FIRST], id="decided at once"),
        pytest.param("0.1234565", "0.123456", [FIRST, SECOND, LAST], id="the middle goes to the even digit below"),
        pytest.param("0.1234575", "0.123458", [FIRST, SECOND, LAST], id="the middle goes to the even digit above"),
        pytest.param("-0.1234575", "-0.123458", [FIRST, SECOND, LAST], id="the middle below 0"),
        pytest.param(f"0.1234565{'0' * 30}1", "0.123457", [FIRST, SECOND], id="a hair above the middle is above"),
        pytest.param(f"0.1234564{'9' * 70}", "0.123456", [FIRST, SECOND, LAST], id="less than a hair below is below"),
        pytest.param("-0.0000001", "0.000000", [FIRST], id="nothing is less than nothing"),
    ],
)
def test_digits_are_added_until_a_figure_is_decided(figure: str, rounded: str, digits: list[int]) -> None:
    found, tried = tries(lambda _: Decimal(figure))

    assert (str(found), tried) == (rounded, digits)


def test_figures_are_rounded_wherever_they_stand_and_nothing_else_is() -> None:
    found, _ = tries(lambda _: ("name", 7, None, (Decimal("1.00000049"), True)))

    assert repr(found) == "('name', 7, None, (Decimal('1.000000'), True))"


def test_another_start_changes_no_digit() -> None:
    """Floats that are off by a millionth, which is more than any machine's are, and strengths not quite centred."""
    cells = simulated(5, 1_000, 100, seed=4)
    start = fit(cells.counts)
    random = np.random.default_rng(5)
    off = 1 + 1e-6 * random.standard_normal(6)
    other = replace(
        start, strengths=start.strengths * off[:5] + 1e-6, side=start.side + 1e-6, bread=start.bread * off
    )
    found, again = (exactly(cells, fitted, lambda estimate: summary(cells, estimate)) for fitted in (start, other))

    assert again == found == rate_exactly(cells)


def test_the_callers_decimals_are_left_as_they_are() -> None:
    with localcontext(prec=9):
        tries(lambda found: found.strengths[0])
        assert getcontext().prec == 9
