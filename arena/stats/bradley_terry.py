"""Bradley-Terry ratings with ties as half a win each way, from cells to ratings, intervals and rank ranges.

The model: entry i is preferred to entry j with probability 1 / (1 + exp(t_j - t_i)), t the log-strengths.
A tie or a both_bad is half a win for each of the two, so the fit is a quasi-likelihood one: its estimate is
that of the ordinary model with half counts, its variance comes from the votes (see `robust_covariance`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log
from statistics import NormalDist
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from arena.stats.cells import Counts, check_cells, ties, wins
from arena.stats.connectivity import largest_group, linked, strongly_connected_groups

METHOD: Final = "bt-half"
METHOD_VERSION: Final = "1"
MEAN_RATING: Final = 1000.0
ELO_PER_LOG_STRENGTH: Final = 400 / log(10)
CONFIDENCE: Final = 0.95

Floats: TypeAlias = NDArray[np.float64]

_STEPS = 200
_LAST_STEP = 1e-8


@dataclass(frozen=True, slots=True)
class NotRatable:
    """Why there is no finite fit, and which entries stand in the way.

    - `too_few_entries`: fewer than two; names those there are.
    - `no_votes`: names all entries.
    - `not_connected`: some entries have only won or only lost against the rest, or never met it. Names those
      outside the largest group in which wins or half wins lead, along some chain, from everyone to everyone.
    """

    code: Literal["too_few_entries", "no_votes", "not_connected"]
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EntryRating:
    """One entry's figures; those the votes do not give are None.

    `rating` and `interval` (95 %, of the distance to the mean of all entries) are on the Elo scale around
    1000. `rank` is the best and the worst place that the votes leave open. `ties` counts tie and both_bad.
    `win_share` is the expected share of wins against the other entries, each met equally often.
    """

    entry: str
    votes: int
    wins: int
    losses: int
    ties: int
    rating: float | None = None
    interval: tuple[float, float] | None = None
    rank: tuple[int, int] | None = None
    win_share: float | None = None


@dataclass(frozen=True, slots=True)
class Ratings:
    """The answer of `rate`; `entries` in the order they were given in, `why` only when not ratable."""

    state: Literal["ok", "not_ratable"]
    why: NotRatable | None
    method: str
    method_version: str
    entries: tuple[EntryRating, ...]


def rate(entries: Sequence[str], counts: Counts) -> Ratings:
    """Rates the entries from their cells (see `arena.stats.cells`); the mean rating is 1000.

    Intervals take every vote as independent of the others: they are too short where one voter's votes go
    together, and rough while votes are few. Both sides count alike: no term for the side shown first.
    Raises ValueError when `counts` are not cells of these entries.
    """
    check_cells(entries, counts)
    tallies = _tallies(entries, counts)
    why = _obstacle(entries, counts)
    if why is not None:
        return Ratings("not_ratable", why, METHOD, METHOD_VERSION, tallies)
    strengths = log_strengths(credits_won(counts))
    covariance = robust_covariance(strengths, counts)
    ratings = MEAN_RATING + ELO_PER_LOG_STRENGTH * strengths
    margins = _z(1) * ELO_PER_LOG_STRENGTH * np.sqrt(covariance.diagonal())
    ranks = rank_ranges(strengths, covariance)
    shares = win_shares(strengths)
    rated = tuple(
        replace(
            tally,
            rating=float(ratings[i]),
            interval=(float(ratings[i] - margins[i]), float(ratings[i] + margins[i])),
            rank=ranks[i],
            win_share=float(shares[i]),
        )
        for i, tally in enumerate(tallies)
    )
    return Ratings("ok", None, METHOD, METHOD_VERSION, rated)


def _tallies(entries: Sequence[str], counts: Counts) -> tuple[EntryRating, ...]:
    won, lost, tied = wins(counts).sum(axis=1), wins(counts).sum(axis=0), ties(counts).sum(axis=1)
    return tuple(
        EntryRating(entry, int(won[i] + lost[i] + tied[i]), int(won[i]), int(lost[i]), int(tied[i]))
        for i, entry in enumerate(entries)
    )


def _obstacle(entries: Sequence[str], counts: Counts) -> NotRatable | None:
    if len(entries) < 2:
        return NotRatable("too_few_entries", tuple(entries))
    if not counts.any():
        return NotRatable("no_votes", tuple(entries))
    groups = strongly_connected_groups(credits_won(counts) > 0)
    if len(groups) == 1:
        return None
    comparable = largest_group(groups)
    outside = tuple(entry for i, entry in enumerate(entries) if i not in comparable)
    return NotRatable("not_connected", outside)


def credits_won(counts: Counts) -> Floats:
    """Shape (n, n): wins of the row's entry against the column's, a tie or both_bad as half a win. Exact."""
    return wins(counts) + ties(counts) / 2


def log_strengths(credit: Floats) -> Floats:
    """The maximum-likelihood log-strengths, mean 0, of credits (n, n) whose win graph is strongly connected.

    Newton's method, each step shortened to log(1 + d) / d of itself, d the step's spread: that never
    overshoots on a logistic likelihood and turns into the full step near the end (Bach 2010, "Self-concordant
    analysis for logistic regression"; Sun and Tran-Dinh 2019, "Generalized self-concordant functions").
    Raises ArithmeticError when it does not settle, which needs counts further apart than floats can hold.
    """
    strengths = _centred(np.log(credit.sum(axis=1) / credit.sum(axis=0)))
    for _ in range(_STEPS):
        step = centred_inverse(information(strengths, credit)) @ _score(strengths, credit)
        spread = float(np.ptp(step))
        if spread <= _LAST_STEP:
            return _centred(strengths + step)
        strengths = _centred(strengths + step * (np.log1p(spread) / spread))
    raise ArithmeticError(f"the Bradley-Terry fit did not settle in {_STEPS} steps")


def preference(strengths: Floats) -> Floats:
    """Shape (n, n): the probability that the row's entry is preferred to the column's."""
    gaps = strengths[:, None] - strengths[None, :]
    small = np.exp(-np.abs(gaps))
    return np.where(gaps >= 0, 1.0, small) / (1.0 + small)


def _score(strengths: Floats, credit: Floats) -> Floats:
    # From p and its complement, both exact where they are tiny, rather than as observed less expected wins.
    surprise = credit * preference(strengths).T
    gradient: Floats = (surprise - surprise.T).sum(axis=1)
    return gradient


def information(strengths: Floats, credit: Floats) -> Floats:
    """Shape (n, n): the Fisher information of the log-strengths, a graph Laplacian (rows sum to 0)."""
    p = preference(strengths)
    return _laplacian((credit + credit.T) * p * p.T)


def _laplacian(weights: Floats) -> Floats:
    return np.diag(weights.sum(axis=1)) - weights


def centred_inverse(laplacian: Floats) -> Floats:
    """The pseudo-inverse of a connected graph's Laplacian (n, n): the inverse for vectors with mean 0."""
    size = len(laplacian)
    lift = laplacian.trace() / size
    inverse: Floats = np.linalg.inv(laplacian + lift) - 1 / (lift * size * size)
    return inverse


def robust_covariance(strengths: Floats, counts: Counts) -> Floats:
    """Covariance (n, n) of the mean-centred log-strengths: sandwich (Huber-White, HC0), votes independent.

    The model's own variance takes every vote for a coin flip; a tie varies less than that, and the sandwich
    measures it: squared residuals (1, 0 or 1/2 less the expected win) between two inverse informations.
    As long as ties alone join some entries to the rest, no residual tells how that gap varies and the
    sandwich would call it certain; so long the model's own variance stands.
    """
    bread = centred_inverse(information(strengths, credits_won(counts)))
    won, tied = wins(counts), ties(counts)
    if not linked(won + won.T > 0):
        return bread
    p = preference(strengths)
    squares = won * p.T**2
    meat = _laplacian(squares + squares.T + tied * (0.5 - p) ** 2)
    covariance: Floats = bread @ meat @ bread
    return covariance


def rank_ranges(strengths: Floats, covariance: Floats) -> tuple[tuple[int, int], ...]:
    """Per entry (1 + entries surely above, n - entries surely below).

    "Surely" holds for all n (n - 1) / 2 differences together at 95 % (Bonferroni).
    """
    size = len(strengths)
    variances = covariance.diagonal()
    errors = np.sqrt(np.maximum(variances[:, None] + variances[None, :] - 2 * covariance, 0.0))
    gaps = strengths[:, None] - strengths[None, :]
    surely_above = gaps > _z(size * (size - 1) // 2) * errors
    np.fill_diagonal(surely_above, val=False)
    above, below = surely_above.sum(axis=0), surely_above.sum(axis=1)
    return tuple((1 + int(above[i]), size - int(below[i])) for i in range(size))


def win_shares(strengths: Floats) -> Floats:
    """Shape (n,): expected share of wins against the others, each met equally often; their mean is 1/2."""
    size = len(strengths)
    shares: Floats = (preference(strengths).sum(axis=1) - 0.5) / (size - 1)
    return shares


def _centred(values: Floats) -> Floats:
    centred: Floats = values - values.mean()
    return centred


def _z(comparisons: int) -> float:
    """The two-sided normal quantile that holds for this many comparisons together (Bonferroni)."""
    return NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / (2 * comparisons))
