"""Who is last or first: by the strengths found, and with what chance by their normal approximation."""

from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from arena.stats.arithmetic import EQUAL, Estimate
from arena.stats.cells import Floats

_POINTS: Final = 4096
_REACH: Final = 8
_STEPS: Final = 4096
_RIDGE: Final = 1e-10


@dataclass(frozen=True, slots=True)
class PlaceChances:
    """The chances of an entry to be the first and to be the last."""

    first: float
    last: float


def lowest(strengths: Floats) -> int | None:
    """The place of the one entry below all others; None where several share it."""
    place = int(np.argmin(strengths))
    alone = np.count_nonzero(np.round(strengths - strengths[place], EQUAL) <= 0) == 1
    return place if alone else None


def undercut(strengths: Floats, place: int) -> NDArray[np.bool_]:
    """Shape (...): whether some entry is now below the one at `place`; strengths (..., n)."""
    below: NDArray[np.bool_] = np.round(strengths.min(axis=-1) - strengths[..., place], EQUAL) < 0
    return below


def place_chances(found: Estimate[float]) -> tuple[PlaceChances, ...]:
    """By entry, with strengths from the estimate's normal distribution; needs a covariance without certain gaps.

    Each place's chances add up to 1; with up to 15 entries they are right to less than 0.001.
    """
    size = len(found.strengths)
    strengths, covariance = np.array(found.strengths), np.array(found.covariance)[:size, :size]
    first, last = _chances_last(-strengths, covariance), _chances_last(strengths, covariance)
    return tuple(map(PlaceChances, first.tolist(), last.tolist()))


def _chances_last(strengths: Floats, covariance: Floats) -> Floats:
    """Shape (n,): an entry is last where all gaps from it to the others are positive."""
    chances = np.empty_like(strengths)
    for place in range(len(strengths)):
        gaps = np.delete(np.eye(len(strengths)), place, axis=0)
        gaps[:, place] = -1
        chances[place] = _all_positive(gaps @ strengths, gaps @ covariance @ gaps.T)
    together: Floats = chances / chances.sum()
    return together


def _all_positive(mean: Floats, covariance: Floats) -> float:
    """The chance that all m variables of a normal distribution are positive.

    Genz 1992, "Numerical computation of multivariate normal probabilities": one variable after the other, each given
    those before, the least likely first. The ridge lets a variable be certain given those before.
    """
    error = np.sqrt(covariance.diagonal())
    order = np.argsort(mean / error, kind="stable")
    mean, error = (mean / error)[order], error[order]
    correlation = covariance[np.ix_(order, order)] / np.outer(error, error)
    factor = np.linalg.cholesky(correlation + _RIDGE * np.eye(len(mean)))
    points = _points(len(mean) - 1)
    drawn, chance = np.empty_like(points), np.ones(_POINTS)
    for step in range(len(mean)):
        positive = _normal((mean[step] + factor[step, :step] @ drawn[:step]) / factor[step, step])
        chance *= positive
        if step < len(points):
            drawn[step] = -_normal_inverse(positive * points[step])
    return float(chance.mean())


@lru_cache(maxsize=64)
def _points(dimensions: int) -> Floats:
    """Shape (dimensions, `_POINTS`): the same even points of the unit cube each time, no random ones.

    Multiples of the powers of 1 / r modulo 1, r the root of r**(d + 1) = r + 1 (Roberts 2018, "The unreasonable
    effectiveness of quasirandom sequences"), folded to make the integrand periodic (Hickernell 2002).
    """
    root = 1.0
    for _ in range(64):
        root = (1 + root) ** (1 / (dimensions + 1))
    multiples = np.outer(root ** -np.arange(1.0, dimensions + 1), np.arange(1, _POINTS + 1))
    points: Floats = np.abs(2 * ((multiples + 0.5) % 1) - 1)
    return points


@lru_cache(maxsize=1)
def _table() -> tuple[Floats, Floats]:
    """Places on the line and the normal distribution there, close enough to interpolate to 5e-7."""
    places = np.linspace(-_REACH, _REACH, _STEPS + 1)
    return places, np.array([NormalDist().cdf(place) for place in places.tolist()])


def _normal(values: Floats) -> Floats:
    places, chances = _table()
    return np.interp(values, places, chances)


def _normal_inverse(values: Floats) -> Floats:
    places, chances = _table()
    return np.interp(values, chances, places)
