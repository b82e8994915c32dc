"""From an estimate to points of the user axis, by the rules' named formula.

`w` is an entry's expected share of wins against the others, each met equally often, neither side favoured.

| formula | points |
|---|---|
| `win_share` | points w |
| `anchored` | points (w - low) / (high - low), clipped to 0 and points |
| `relative_to_best` | points w / max w |
| `rank_bands` | points (n - place) / (n - 1), the mean over the places that the rank range leaves open |

Intervals are 95 %: by the delta method on the clustered covariance, or, for `rank_bands`, from the worst to the best
place left open. The best entry of `relative_to_best` has all points by definition, and so no spread.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, Literal, TypeAlias

from arena.stats.arithmetic import EQUAL, Estimate, Matrix, Real, Vector, quantile
from arena.stats.bradley_terry import fit, obstacle
from arena.stats.cells import Cells, check_cells
from arena.stats.exact import exactly
from arena.stats.rating import EntryRating, Last, Ratings, rate_exactly, summary, win_shares

Formula: TypeAlias = Literal["anchored", "win_share", "relative_to_best", "rank_bands"]


@dataclass(frozen=True, slots=True)
class ScoreRule:
    """The round's frozen rule; `low` and `high` are the anchors' win shares as decimal strings."""

    points: int
    formula: Formula
    low: str
    high: str
    min_votes_per_entry: int


@dataclass(frozen=True, slots=True)
class EntryScore(Generic[Real]):
    """`points` and `interval` are None where the votes do not give them; `enough_votes` is what the rule asks for."""

    entry: str
    points: Real | None
    interval: tuple[Real, Real] | None
    enough_votes: bool


@dataclass(frozen=True, slots=True)
class Scores(Generic[Real]):
    """Points by entry, and who is last: only an entry surely below all others is named."""

    rule: ScoreRule
    entries: tuple[EntryScore[Real], ...]
    last: Last | None


def rate_and_score(cells: Cells, rule: ScoreRule) -> tuple[Ratings[Decimal], Scores[Decimal]]:
    """The official ratings and scores of a round. Raises ValueError when `cells` are none."""
    check_cells(cells.entries, cells.counts)
    if obstacle(cells.entries, cells.counts) is not None:
        ratings = rate_exactly(cells)
        return ratings, _scores(ratings, rule, [(None, None)] * len(cells.entries))

    def figures(found: Estimate[Decimal]) -> tuple[Ratings[Decimal], Scores[Decimal]]:
        ratings = summary(cells, found)
        return ratings, score(ratings, found, rule)

    return exactly(cells, fit(cells.counts), figures)


def score(ratings: Ratings[Real], found: Estimate[Real], rule: ScoreRule) -> Scores[Real]:
    """Points from an estimate and from what was said of it (`arena.stats.rating.summary`)."""
    if rule.formula == "rank_bands":
        return _scores(ratings, rule, [_band(entry, found, rule) for entry in ratings.entries])
    points = _points(found, rule)
    top, z = found.arithmetic.of(rule.points), found.arithmetic.of(quantile())
    figures: list[tuple[Real | None, tuple[Real, Real] | None]] = []
    for value, slopes in points:
        interval = None
        if ratings.why is None and found.covariance is not None:
            margin = z * found.arithmetic.sqrt(_variance(slopes, found.covariance))
            interval = _clipped(value - margin, top), _clipped(value + margin, top)
        figures.append((_clipped(value, top), interval))
    return _scores(ratings, rule, figures)


def _scores(
    ratings: Ratings[Real], rule: ScoreRule, figures: list[tuple[Real | None, tuple[Real, Real] | None]]
) -> Scores[Real]:
    entries = tuple(
        EntryScore(entry.entry, points, interval, entry.votes >= rule.min_votes_per_entry)
        for entry, (points, interval) in zip(ratings.entries, figures, strict=True)
    )
    return Scores(rule, entries, ratings.last)


def _points(found: Estimate[Real], rule: ScoreRule) -> list[tuple[Real, Vector[Real]]]:
    """By entry its points before clipping, and their slopes in the strengths."""
    of = found.arithmetic.of
    shares, slopes = win_shares(found), _share_slopes(found)
    if rule.formula == "relative_to_best":
        best = max(range(len(shares)), key=lambda place: round(shares[place], EQUAL))
        unit = of(rule.points) / shares[best]
        return [
            (unit * w, [unit * (own - w / shares[best] * top) for own, top in zip(row, slopes[best], strict=True)])
            for w, row in zip(shares, slopes, strict=True)
        ]
    low, high = (of(rule.low), of(rule.high)) if rule.formula == "anchored" else (of(0), of(1))
    unit = of(rule.points) / (high - low)
    return [(unit * (w - low), [unit * slope for slope in row]) for w, row in zip(shares, slopes, strict=True)]


def _share_slopes(found: Estimate[Real]) -> Matrix[Real]:
    """Shape (n, n): how the row's share of wins changes with each strength."""
    size, zero = len(found.strengths), found.arithmetic.of(0)
    others = found.arithmetic.of(size - 1)
    slopes = [[-p * (1 - p) / others for p in row] for row in found.preference]
    for i, row in enumerate(slopes):
        row[i] = zero
        row[i] = -sum(row, zero)
    return slopes


def _variance(slopes: Vector[Real], covariance: Matrix[Real]) -> Real:
    """The variance of a linear form of the strengths; 0 where rounding would leave less."""
    zero = slopes[0] - slopes[0]
    along = [sum((a * b for a, b in zip(slopes, row, strict=False)), zero) for row in covariance]
    return max(sum((a * b for a, b in zip(slopes, along, strict=False)), zero), zero)


def _band(
    entry: EntryRating[Real], found: Estimate[Real], rule: ScoreRule
) -> tuple[Real | None, tuple[Real, Real] | None]:
    if entry.rank is None:
        return None, None
    size = len(found.strengths)
    best, worst = entry.rank
    low, high = (found.arithmetic.of(rule.points * (size - place)) / (size - 1) for place in (worst, best))
    return (low + high) / 2, (low, high)


def _clipped(value: Real, top: Real) -> Real:
    return min(max(value, top - top), top)
