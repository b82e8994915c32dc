"""From cells to ratings, intervals and rank ranges: the method of record.

Ratings are on the Elo scale around 1000. Intervals are 95 %, clustered by voter; what is said of several entries
at once (rank ranges, neighbours, who is last) holds for all differences together (Bonferroni).
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations, pairwise
from typing import Final, Generic, Literal, TypeVar

from arena.stats.arithmetic import EQUAL, FLOATS, Arithmetic, Estimate, Real, quantile
from arena.stats.bradley_terry import NotRatable, chances, covariance, fit, joined_by_ties, obstacle
from arena.stats.cells import Cells, check_cells, ties, wins
from arena.stats.exact import exactly
from arena.stats.planner import votes_needed

T = TypeVar("T")

METHOD: Final = "bt-half-side-cr1"
METHOD_WITHOUT_SIDE: Final = "bt-half-cr1"
METHOD_VERSION: Final = "1"
MEAN_RATING: Final = 1000
MIN_VOTERS: Final = 50

_NO_SPREAD: Final = "0.000000001"


@dataclass(frozen=True, slots=True)
class NoInterval:
    """Why there are ratings but no intervals.

    - `too_few_voters`: fewer than `MIN_VOTERS`, too few for the clustered covariance to be near the truth.
    - `no_spread`: ties alone join some entries to the rest, or each voter's votes cancel out, so that nothing
      shows how far a gap may vary.
    """

    code: Literal["too_few_voters", "no_spread"]
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EntryRating(Generic[Real]):
    """One entry's figures; those the votes do not give are None.

    `interval` is of the distance to the mean of all entries; `rank` the best and the worst place that the votes
    leave open; `ties` counts tie and both_bad; `win_share` is the expected share of wins against the other
    entries, each met equally often, neither side favoured.
    """

    entry: str
    votes: int
    wins: int
    losses: int
    ties: int
    rating: Real | None = None
    interval: tuple[Real, Real] | None = None
    rank: tuple[int, int] | None = None
    win_share: Real | None = None


@dataclass(frozen=True, slots=True)
class SideEffect(Generic[Real]):
    """What being shown first does, in log-odds and as the share it wins between equal entries (95 % interval)."""

    log_odds: Real
    standard_error: Real | None
    win_share: Real
    interval: tuple[Real, Real] | None


@dataclass(frozen=True, slots=True)
class Neighbours(Generic[Real]):
    """Two entries next to each other by rating, the better first; the gap is in Elo.

    `votes_needed` are the votes that the round still needs to tell them apart with 80 % probability; 0 when they
    are apart, None when no number would do.
    """

    entries: tuple[str, str]
    gap: Real
    interval: tuple[Real, Real] | None
    apart: bool
    votes_needed: int | None


@dataclass(frozen=True, slots=True)
class Last:
    """The entry that is surely last, or else those that may be."""

    entry: str | None
    tied: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ratings(Generic[Real]):
    """The answer of `rate`; `entries` in the order of the cells, `neighbours` best first.

    `why` says what is missing: everything but the tallies (`not_ratable`), or only the intervals (`ok`).
    """

    state: Literal["ok", "not_ratable"]
    why: NotRatable | NoInterval | None
    method: str
    method_version: str
    voters: int
    entries: tuple[EntryRating[Real], ...]
    side: SideEffect[Real] | None = None
    neighbours: tuple[Neighbours[Real], ...] = ()
    last: Last | None = None


def rate(cells: Cells, *, side: bool = True) -> Ratings[float]:
    """Rates the entries in floats. Raises ValueError when `cells` are none."""

    def estimated() -> Ratings[float]:
        return summary(cells, estimate(cells, side=side))

    return _rated(cells, estimated, side=side)


def rate_exactly(cells: Cells, *, side: bool = True) -> Ratings[Decimal]:
    """The same with official figures: decimals of 6 places, the same on every machine."""

    def refined() -> Ratings[Decimal]:
        return exactly(cells, fit(cells.counts, side=side), lambda found: summary(cells, found))

    return _rated(cells, refined, side=side)


def _rated(cells: Cells, ratings: Callable[[], Ratings[Real]], *, side: bool) -> Ratings[Real]:
    check_cells(cells.entries, cells.counts)
    why = obstacle(cells.entries, cells.counts, side=side)
    if why is None:
        return ratings()
    method = METHOD if side else METHOD_WITHOUT_SIDE
    return Ratings("not_ratable", why, method, METHOD_VERSION, cells.clusters.voters, _tallies(cells))


def estimate(cells: Cells, *, side: bool = True) -> Estimate[float]:
    """The fit of cells that have one, with its covariance, in floats."""
    fitted = fit(cells.counts, side=side)
    ahead, _ = chances(fitted.strengths, 0.0)
    spread = covariance(fitted, cells).tolist() if cells.clusters.voters > 1 else None
    return Estimate(fitted.strengths.tolist(), fitted.side if side else None, spread, ahead.tolist(), FLOATS)


def summary(cells: Cells, found: Estimate[Real]) -> Ratings[Real]:
    """What an estimate says of the entries."""
    doubt = no_interval(cells, found)
    ranks = None if doubt else rank_ranges(found)
    scale = elo(found.arithmetic)
    middle, z = found.arithmetic.of(MEAN_RATING), found.arithmetic.of(quantile())
    shares = win_shares(found)
    rated = []
    for i, tally in enumerate(_tallies(cells)):
        rating = middle + scale * found.strengths[i]
        spread = None if doubt or found.covariance is None else found.covariance[i][i]
        interval = None if spread is None else _around(rating, scale * z * found.arithmetic.sqrt(spread))
        rank = ranks[i] if ranks else None
        rated.append(
            EntryRating(
                tally.entry, tally.votes, tally.wins, tally.losses, tally.ties, rating, interval, rank, shares[i]
            )
        )
    method = METHOD if found.side is not None else METHOD_WITHOUT_SIDE
    return Ratings(
        "ok",
        doubt,
        method,
        METHOD_VERSION,
        cells.clusters.voters,
        tuple(rated),
        _side_effect(found, known=doubt is None),
        _neighbours(cells, found, known=doubt is None),
        last_of(cells.entries, ranks) if ranks else None,
    )


def no_interval(cells: Cells, found: Estimate[Real]) -> NoInterval | None:
    """Why these votes give no intervals; None when they do."""
    if cells.clusters.voters < MIN_VOTERS:
        return NoInterval("too_few_voters", ())
    if tied := joined_by_ties(cells.entries, cells.counts):
        return NoInterval("no_spread", tied)
    least = found.arithmetic.of(_NO_SPREAD) / found.arithmetic.of(int(cells.counts.sum()))
    pairs = combinations(range(len(cells.entries)), 2)
    still = {place for pair in pairs if found.gap_variance(*pair) < least for place in pair}
    return NoInterval("no_spread", tuple(cells.entries[place] for place in sorted(still))) if still else None


def elo(numbers: Arithmetic[Real]) -> Real:
    """Elo points of one unit of log-odds, 400 / ln 10."""
    return numbers.of(400) / numbers.log(numbers.of(10))


def rank_ranges(found: Estimate[Real]) -> tuple[tuple[int, int], ...]:
    """Per entry (1 + entries surely above, n - entries surely below), for all differences together at 95 %."""
    size = len(found.strengths)
    below, above = [0] * size, [0] * size
    z = found.arithmetic.of(quantile(size * (size - 1) // 2))
    for i, j in combinations(range(size), 2):
        gap = found.strengths[i] - found.strengths[j]
        if gap * gap > z * z * found.gap_variance(i, j):
            better, worse = (i, j) if gap > 0 else (j, i)
            below[better] += 1
            above[worse] += 1
    return tuple((1 + above[i], size - below[i]) for i in range(size))


def win_shares(found: Estimate[Real]) -> tuple[Real, ...]:
    """Expected share of wins against the others, each met equally often; their mean is 1/2."""
    zero, others = found.arithmetic.of(0), found.arithmetic.of(len(found.strengths) - 1)
    rows = enumerate(found.preference)
    return tuple(sum((p for j, p in enumerate(row) if j != i), zero) / others for i, row in rows)


def last_of(entries: tuple[str, ...], ranks: tuple[tuple[int, int], ...]) -> Last:
    """Who is last, as far as rank ranges tell."""
    tied = tuple(entry for entry, (_, worst) in zip(entries, ranks, strict=True) if worst == len(entries))
    return Last(tied[0] if len(tied) == 1 else None, tied)


def _tallies(cells: Cells) -> tuple[EntryRating[Real], ...]:
    won, tied = wins(cells.counts), ties(cells.counts)
    columns = (won.sum(axis=1).tolist(), won.sum(axis=0).tolist(), tied.sum(axis=1).tolist())
    return tuple(
        EntryRating(entry, w + d + t, w, d, t) for entry, w, d, t in zip(cells.entries, *columns, strict=True)
    )


def _side_effect(found: Estimate[Real], *, known: bool) -> SideEffect[Real] | None:
    if found.side is None:
        return None
    numbers, share = found.arithmetic, found.arithmetic.chance(found.side)
    if not known or found.covariance is None:
        return SideEffect(found.side, None, share, None)
    error = numbers.sqrt(found.covariance[-1][-1])
    low, high = _around(found.side, numbers.of(quantile()) * error)
    return SideEffect(found.side, error, share, (numbers.chance(low), numbers.chance(high)))


def _neighbours(cells: Cells, found: Estimate[Real], *, known: bool) -> tuple[Neighbours[Real], ...]:
    size, scale = len(cells.entries), elo(found.arithmetic)
    comparisons = size * (size - 1) // 2
    z = found.arithmetic.of(quantile(comparisons))
    votes = int(cells.counts.sum())

    def compared(better: int, worse: int) -> Neighbours[Real]:
        pair, gap = (cells.entries[better], cells.entries[worse]), found.strengths[better] - found.strengths[worse]
        if not known:
            return Neighbours(pair, scale * gap, None, apart=False, votes_needed=None)
        error = found.arithmetic.sqrt(found.gap_variance(better, worse))
        apart = gap > z * error
        needed = 0 if apart else votes_needed(gap, error, votes, comparisons) if round(gap, EQUAL) else None
        return Neighbours(pair, scale * gap, _around(scale * gap, scale * z * error), apart, needed)

    order = sorted(range(size), key=lambda place: -round(found.strengths[place], EQUAL))
    return tuple(compared(*pair) for pair in pairwise(order))


def _around(middle: Real, margin: Real) -> tuple[Real, Real]:
    return middle - margin, middle + margin
