"""Ratings that allow for style: against independent optimisation, simulated votes and what must hold for any."""

from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arena.stats.bradley_terry import fit as fit_of_record
from arena.stats.cells import Floats, Integers, count_cells
from arena.stats.newton import NoFit
from arena.stats.style import FEATURES, StyledVotes, StyleFit, fit

optimize = import_module("scipy.optimize")
special = import_module("scipy.special")

STRENGTHS = np.array([0.6, 0.1, -0.2, -0.5])
EFFECTS = np.array([0.5, 0.0, 0.2, -0.3, 0.1])
SIDE = 0.25


def differences(votes: StyledVotes) -> Floats:
    """(a - b) / (a + b) by its words, in standard deviations."""
    rows = zip(votes.features_a.ravel(), votes.features_b.ravel(), strict=True)
    raw = np.array([(a - b) / (a + b) if a + b else 0.0 for a, b in rows]).reshape(votes.features_a.shape)
    return np.asarray(raw / raw.std(axis=0))


def simulated(count: int, voters: int, seed: int = 1) -> StyledVotes:
    """Votes by the model of the fit, a sixth of them ties."""
    rng = np.random.default_rng(seed)
    size = len(STRENGTHS)
    first = rng.integers(0, size, count)
    second = (first + rng.integers(1, size, count)) % size
    here, there = (rng.poisson([[300, 2, 5, 6, 1]], (count, 5)).astype(np.float64) for _ in range(2))
    votes = StyledVotes(first, second, np.ones(count), here, there, rng.integers(0, voters, count))
    odds = STRENGTHS[first] - STRENGTHS[second] + SIDE + differences(votes) @ EFFECTS
    credit = (rng.random(count) < 1 / (1 + np.exp(-odds))).astype(np.float64)
    credit[: count // 6] = 0.5
    return replace(votes, credit=credit)


def fitted(votes: StyledVotes, size: int = len(STRENGTHS)) -> StyleFit:
    result = fit(size, votes)
    assert isinstance(result, StyleFit)
    return result


def parameters(result: StyleFit) -> Floats:
    values = [one.value for one in result.coefficients if one.value is not None]
    return np.array([*result.strengths, result.side, *values])


def covariance_of(result: StyleFit) -> Floats:
    assert result.covariance is not None
    return result.covariance


def chances(votes: StyledVotes, values: Floats) -> Floats:
    size = len(STRENGTHS)
    odds = values[votes.first] - values[votes.second] + values[size] + differences(votes) @ values[size + 1 :]
    return np.asarray(1 / (1 + np.exp(-odds)))


def test_a_general_optimiser_finds_the_same_maximum() -> None:
    votes = simulated(800, 100)
    result = fitted(votes)

    def loss(free: Floats) -> float:
        p = chances(votes, np.concatenate([[-free[:3].sum()], free]))
        return -float((votes.credit * np.log(p) + (1 - votes.credit) * np.log(1 - p)).sum())

    found = optimize.minimize(loss, np.zeros(9), method="BFGS", options={"gtol": 1e-6})
    assert found.x == pytest.approx(parameters(result)[1:], abs=1e-5)
    assert result.strengths.sum() == pytest.approx(0, abs=1e-12)


def test_what_the_votes_were_made_of_is_found() -> None:
    votes = simulated(60_000, 20_000)
    votes = replace(votes, credit=np.where(votes.credit == 0.5, chances_drawn(votes), votes.credit))
    result = fitted(votes)
    errors = np.sqrt(covariance_of(result).diagonal())

    assert (np.abs(parameters(result) - [*STRENGTHS, SIDE, *EFFECTS]) < 3 * errors).all()
    assert [one.feature for one in result.coefficients] == list(FEATURES)
    assert [one.error for one in result.coefficients] == pytest.approx(errors[5:])


def chances_drawn(votes: StyledVotes) -> Floats:
    p = chances(votes, np.array([*STRENGTHS, SIDE, *EFFECTS]))
    return (np.random.default_rng(7).random(len(p)) < p).astype(np.float64)


def test_without_style_it_is_the_fit_of_record() -> None:
    votes = simulated(2_000, 100)
    plain = replace(votes, features_a=np.ones((2_000, 5)), features_b=np.ones((2_000, 5)))
    outcome = {1.0: "a", 0.5: "tie", 0.0: "b"}
    rows = zip(votes.first.tolist(), votes.second.tolist(), votes.credit.tolist(), strict=True)
    record = fit_of_record(count_cells("0123", [(str(a), str(b), outcome[credit], 1) for a, b, credit in rows]))

    assert parameters(fitted(plain)) == pytest.approx([*record.strengths, record.side], abs=1e-9)


def test_the_covariance_is_that_of_voters_left_out_one_at_a_time() -> None:
    """The jackknife over voters, which CR1 approaches to first order, where each voter's votes go together."""
    votes = simulated(3_000, 60)
    taste = np.random.default_rng(3).random(60) < 0.5
    votes = replace(votes, credit=np.where(taste[votes.voter] & (votes.credit != 0.5), 1.0, votes.credit))
    whole = parameters(fitted(votes))
    moved = np.array(
        [parameters(fitted(only(votes, np.flatnonzero(votes.voter != voter)))) - whole for voter in range(60)]
    )
    jackknife = np.sqrt((moved**2).sum(axis=0) * 59 / 60)

    errors = np.sqrt(covariance_of(fitted(votes)).diagonal())
    assert errors == pytest.approx(jackknife, rel=0.08)
    singles = fitted(replace(votes, voter=np.arange(3_000)))
    assert errors[4] > 3 * np.sqrt(covariance_of(singles)[4, 4])


def test_as_many_voters_again_who_vote_alike_halve_the_covariance() -> None:
    """But for the factor of CR1, G / (G - 1)."""
    votes = simulated(500, 20)
    twice = only(votes, np.tile(np.arange(500), 2))
    both = fitted(replace(twice, voter=np.concatenate([votes.voter, votes.voter + 20])))

    assert 2 * covariance_of(both) / (40 / 39) == pytest.approx(covariance_of(fitted(votes)) / (20 / 19), rel=1e-9)


def only(votes: StyledVotes, chosen: Integers) -> StyledVotes:
    return StyledVotes(
        votes.first[chosen],
        votes.second[chosen],
        votes.credit[chosen],
        votes.features_a[chosen],
        votes.features_b[chosen],
        votes.voter[chosen],
    )


@given(st.integers(0, 1_000))
def test_swapping_all_sides_turns_the_sides_effect_round_and_leaves_the_rest(seed: int) -> None:
    votes = simulated(300, 40, seed)
    swapped = StyledVotes(
        votes.second, votes.first, 1 - votes.credit, votes.features_b, votes.features_a, votes.voter
    )
    here, there = fitted(votes), fitted(swapped)

    assert there.side == pytest.approx(-here.side, abs=1e-9)
    assert np.delete(parameters(there), 4) == pytest.approx(np.delete(parameters(here), 4), abs=1e-9)


@given(st.integers(0, 1_000))
def test_the_order_of_the_votes_and_the_numbers_of_the_voters_change_nothing(seed: int) -> None:
    votes = simulated(300, 40, seed)
    shuffled = only(votes, np.argsort(np.random.default_rng(seed).random(300)))
    renamed = replace(shuffled, voter=10**9 - 7 * shuffled.voter)

    assert parameters(fitted(renamed)) == pytest.approx(parameters(fitted(votes)), abs=1e-9)
    assert covariance_of(fitted(renamed)) == pytest.approx(covariance_of(fitted(votes)), abs=1e-9)


def test_features_that_say_nothing_of_their_own_are_named_and_left_out() -> None:
    votes = simulated(1_000, 100)
    here, there = votes.features_a.copy(), votes.features_b.copy()
    here[:, 1] = there[:, 1] = 0
    here[:, 2], there[:, 2] = 3 * here[:, 0], 3 * there[:, 0]
    here[:, 3], there[:, 3] = votes.first + 1, votes.first + 1
    here[:, 4], there[:, 4] = 3 * here[:, 0] + 1e-3 * np.random.default_rng(0).random(1_000), 3 * there[:, 0]
    result = fitted(replace(votes, features_a=here, features_b=there))

    assert [one.feature for one in result.coefficients if one.value is not None] == ["characters"]
    assert all(one.error is None for one in result.coefficients[1:])
    assert covariance_of(result).shape == (6, 6)


def test_a_feature_that_follows_from_the_entries_is_left_out() -> None:
    votes = simulated(1_000, 100)
    here, there = votes.features_a.copy(), votes.features_b.copy()
    here[:, 3], there[:, 3] = votes.first == 2, votes.second == 2
    result = fitted(replace(votes, features_a=here, features_b=there))

    assert [one.feature for one in result.coefficients if one.value is None] == ["bold"]


def test_a_single_voter_and_entries_joined_by_ties_alone_have_estimates_without_errors() -> None:
    votes = simulated(1_000, 100)
    with_last = (votes.first == 3) | (votes.second == 3)
    for doubtful in (
        replace(votes, voter=np.zeros(1_000, dtype=np.int64)),
        replace(votes, credit=np.where(with_last, 0.5, votes.credit)),
    ):
        result = fitted(doubtful)
        assert result.covariance is None
        assert all(one.value is not None and one.error is None for one in result.coefficients)


def test_votes_without_a_finite_fit_say_why() -> None:
    votes = simulated(400, 40)
    nothing = only(votes, np.arange(0))
    last_lost = np.where(votes.first == 3, 0.0, np.where(votes.second == 3, 1.0, votes.credit))
    longer_won = (votes.features_a[:, 0] > votes.features_b[:, 0]).astype(np.float64)

    assert fit(4, nothing) == NoFit("no_votes")
    assert fit(5, votes) == NoFit("not_finite")
    assert fit(4, replace(votes, credit=last_lost)) == NoFit("not_finite")
    assert fit(4, replace(votes, credit=longer_won)) == NoFit("not_finite")
    assert fit(4, replace(votes, credit=np.ones(400))) == NoFit("not_finite")


def winners_sides(votes: StyledVotes) -> Floats:
    """What each winner was ahead in, votes without ties."""
    design = np.column_stack([np.eye(4)[votes.first] - np.eye(4)[votes.second], np.ones(len(votes.first))])
    design = np.column_stack([design, differences(votes)])
    return np.concatenate([design[votes.credit > 0], -design[votes.credit < 1]])


def separated(votes: StyledVotes) -> bool:
    """The linear programme of Albert and Anderson (1984): whether some line tells wins from losses."""
    sides = winners_sides(votes)
    best = optimize.linprog(
        -sides.sum(axis=0), A_ub=-sides, b_ub=np.zeros(len(sides)), bounds=[(0, 0), *[(-1, 1)] * 9]
    )
    return bool(-best.fun > 1e-7)


def farthest(votes: StyledVotes) -> float:
    """The largest log-odds of a vote where scipy's descent stops."""
    sides = winners_sides(votes)[:, 1:]

    def loss(place: Floats) -> tuple[float, Floats]:
        return float(np.logaddexp(0, -sides @ place).sum()), -sides.T @ special.expit(-sides @ place)

    found = optimize.minimize(loss, np.zeros(sides.shape[1]), jac=True, method="BFGS", options={"gtol": 1e-12})
    return float(np.abs(sides @ found.x).max())


@given(st.integers(0, 10**6), st.integers(20, 45))
@example(333249, 20)
def test_there_is_a_fit_exactly_where_a_linear_programme_says_so(seed: int, count: int) -> None:
    """A few votes with no ties are often separated, and often not; now and then so nearly that floats cannot tell."""
    votes = simulated(count, 10, seed)
    votes = replace(votes, credit=np.round(votes.credit))

    found = fit(4, votes) == NoFit("not_finite")

    assert found == separated(votes) or (found and farthest(votes) > 40)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"credit": np.full(9, 0.7)}, "credit"),
        ({"credit": np.full(9, np.nan)}, "credit"),
        ({"credit": np.ones(8)}, "one number a vote"),
        ({"second": np.zeros(9, dtype=np.int64)}, "two entries"),
        ({"first": np.full(9, -1)}, "two entries"),
        ({"features_a": np.ones((9, 4))}, "shape"),
        ({"features_a": np.full((9, 5), np.nan)}, "counted"),
        ({"features_b": np.full((9, 5), -1.0)}, "counted"),
        ({"features_b": np.full((9, 5), np.inf)}, "counted"),
    ],
    ids=str,
)
def test_what_cannot_be_votes_is_refused(broken: dict[str, Any], message: str) -> None:
    votes = only(simulated(900, 9), np.arange(9))
    votes = replace(votes, first=np.zeros(9, dtype=np.int64), second=np.ones(9, dtype=np.int64))
    with pytest.raises(ValueError, match=message):
        replace(votes, **broken)


def test_an_unknown_entry_is_refused() -> None:
    with pytest.raises(ValueError, match="beyond the 3"):
        fit(3, simulated(100, 10))
