"""What is kept of how voters' votes go together, against sums over the voters one by one."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.stats.bradley_terry import Fit, covariance, fit
from arena.stats.cells import Cells, Clusters, Floats, Integers
from arena.stats.clusters import Gram, Grouped, Independent
from tests.stats.votes import CREDIT, Round, Vote, grouped, names, rounds, simulated


def counted_by_voter(drawn: Round) -> dict[int, Integers]:
    """By voter an array (2, n, n): votes and credit of the entry shown first by ordered pair."""
    by_voter: dict[int, Integers] = {}
    for vote in drawn.votes:
        own = by_voter.setdefault(vote.voter, np.zeros((2, drawn.entries, drawn.entries), dtype=np.int64))
        own[:, vote.first, vote.second] += vote.number, vote.number * CREDIT[vote.outcome]
    return by_voter


def gram(drawn: Round) -> Gram:
    by_voter = counted_by_voter(drawn)
    together = np.zeros((2, 2, *[drawn.entries] * 4))
    for own in by_voter.values():
        together += np.einsum("kab,lcd->klabcd", own, own)
    return Gram(len(by_voter), together)


def products(drawn: Round, weights: Floats) -> Floats:
    """What `Clusters.products` promises, word by word."""
    total = np.zeros((1 + len(weights), drawn.entries + 1) * 2)
    for votes, credit in counted_by_voter(drawn).values():
        columns = [signed_sum(credit), *(signed_sum(votes * weight) for weight in weights)]
        total += np.multiply.outer(np.array(columns), np.array(columns))
    return total


def signed_sum(values: Floats | Integers) -> Floats:
    """Over the ordered pairs (a, b): added at a, subtracted at b, added at the side."""
    return np.append(values.sum(axis=1) - values.sum(axis=0), values.sum())


def whole_weights(drawn: Round, columns: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).integers(0, 1 << 8, (columns, drawn.entries, drawn.entries)).astype(float)


def every_vote_alone(drawn: Round) -> Round:
    """Each vote by a voter of its own."""
    single = [vote._replace(number=1) for vote in drawn.votes for _ in range(vote.number)]
    return Round(drawn.entries, tuple(vote._replace(voter=voter) for voter, vote in enumerate(single)))


@given(rounds(), st.integers(0, 3))
def test_products_of_whole_numbers_are_exact_however_the_votes_are_kept(drawn: Round, columns: int) -> None:
    weights = whole_weights(drawn, columns)
    expected = products(drawn, weights)

    assert (grouped(drawn.votes).products(weights) == expected).all()
    assert (gram(drawn).products(weights) == expected).all()


@given(rounds(most=3), st.integers(0, 3))
def test_independent_votes_are_voters_of_one_vote_each(drawn: Round, columns: int) -> None:
    weights = whole_weights(drawn, columns)
    alone = every_vote_alone(drawn)
    kept = Independent(drawn.cells().counts)

    assert (kept.products(weights) == products(alone, weights)).all()
    assert (kept.voters, kept.pairs_of_votes) == (len(alone.votes), len(alone.votes))


@given(rounds(most=1_000))
def test_grouped_votes_make_the_gram_counted_voter_by_voter(drawn: Round) -> None:
    made, counted = grouped(drawn.votes).gram(drawn.entries), gram(drawn)

    assert made.voters == counted.voters
    assert made.together.shape == counted.together.shape
    assert (made.together == counted.together).all()


@given(rounds(most=1_000))
def test_voters_and_their_pairs_of_votes_are_counted(drawn: Round) -> None:
    numbers = [int(votes.sum()) for votes, _ in counted_by_voter(drawn).values()]

    for kept in (grouped(drawn.votes), gram(drawn)):
        assert kept.voters == len(numbers)
        assert kept.pairs_of_votes == sum(number**2 for number in numbers)


def test_products_are_exact_while_they_stay_below_2_to_the_53() -> None:
    votes = [Vote(0, 0, 1, "tie", 1 << 26), Vote(1, 0, 1, "tie", (1 << 26) - 1)]
    squares = (1 << 52) + ((1 << 26) - 1) ** 2

    for kept in (grouped(votes), gram(Round(2, tuple(votes)))):
        assert kept.pairs_of_votes == squares
        assert kept.products(np.zeros((0, 2, 2)))[0, 2, 0, 2] == squares


def test_more_voters_than_are_summed_at_a_time_are_all_summed() -> None:
    """Some 19,000 voters of one or a few votes."""
    random = np.random.default_rng(7)
    votes = [Vote(voter, 0, 1 + voter % 2, "a") for voter in random.integers(0, 30_000, 30_000).tolist()]
    kept = grouped(votes)
    weights = random.integers(0, 9, (2, 3, 3)).astype(float)

    assert kept.voters == len({vote.voter for vote in votes}) > 1 << 14
    assert (kept.products(weights) == kept.gram(3).products(weights)).all()


@given(rounds(), st.randoms(use_true_random=False))
def test_the_order_of_a_voters_votes_and_the_numbering_of_voters_change_nothing(drawn: Round, random: Random) -> None:
    votes = list(drawn.votes)
    random.shuffle(votes)
    renumbered = [vote._replace(voter=-vote.voter) for vote in votes]
    weights = whole_weights(drawn, 2)

    assert (grouped(renumbered).products(weights) == grouped(drawn.votes).products(weights)).all()
    assert (grouped(renumbered).gram(drawn.entries).together == gram(drawn).together).all()


def sandwich(drawn: Round, fitted: Fit) -> Floats:
    """Liang and Zeger (1986), voter by voter and vote by vote, with the factor G / (G - 1)."""
    scores: dict[int, Floats] = {}
    for vote in drawn.votes:
        direction = np.zeros(drawn.entries + 1)
        direction[vote.first], direction[vote.second], direction[-1] = 1, -1, 1
        log_odds = direction @ np.append(fitted.strengths, fitted.side)
        residual = CREDIT[vote.outcome] / 2 - 1 / (1 + np.exp(-log_odds))
        own = scores.setdefault(vote.voter, np.zeros(drawn.entries + 1))
        own += vote.number * residual * direction
    voters = len(scores)
    meat = sum(np.outer(score, score) for score in scores.values())
    clustered: Floats = fitted.bread @ meat @ fitted.bread * voters / (voters - 1)
    return clustered


@given(rounds(ratable=True), st.booleans())
def test_the_covariance_is_the_sandwich_of_votes_clustered_by_voter(drawn: Round, side: bool) -> None:
    cells = drawn.cells()
    fitted = fit(cells.counts, side=side)
    expected = sandwich(drawn, fitted)
    tolerance = 1e-9 * expected.diagonal().max()

    for clusters in (cells.clusters, gram(drawn)):
        found = covariance(fitted, Cells(cells.entries, cells.counts, clusters))
        assert found == pytest.approx(expected, abs=tolerance)


@given(rounds(most=3, ratable=True))
def test_independent_votes_have_the_robust_covariance_of_single_votes(drawn: Round) -> None:
    counts = drawn.cells().counts
    fitted = fit(counts)
    expected = sandwich(every_vote_alone(drawn), fitted)

    found = covariance(fitted, Cells(names(drawn.entries), counts, Independent(counts)))
    assert found == pytest.approx(expected, abs=1e-9 * expected.diagonal().max())


def test_a_thousand_simulated_voters_have_one_covariance_however_their_votes_are_kept() -> None:
    cells = simulated(15, 8_000, 1_000, seed=3)
    assert isinstance(cells.clusters, Grouped)
    fitted = fit(cells.counts)
    kept: list[Clusters] = [cells.clusters, cells.clusters.gram(15)]
    one, other = (covariance(fitted, Cells(cells.entries, cells.counts, clusters)) for clusters in kept)

    assert one == pytest.approx(other, abs=1e-12 * one.max())
