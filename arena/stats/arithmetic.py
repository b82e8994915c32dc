"""One rule for two kinds of numbers: floats, which are quick, and decimals, which are the same on every machine."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from statistics import NormalDist
from typing import Final, Generic, TypeAlias, TypeVar

Real = TypeVar("Real", float, Decimal)
Vector: TypeAlias = Sequence[Real]
Matrix: TypeAlias = Sequence[Sequence[Real]]

CONFIDENCE: Final = 0.95
EQUAL: Final = 9  # decimals; numbers that agree in them are equal, whatever rounding left beyond


@dataclass(frozen=True, slots=True)
class Arithmetic(Generic[Real]):
    """What a rule needs besides + - * / and comparison; `of` reads a decimal string or an integer."""

    of: Callable[[str | int], Real]
    sqrt: Callable[[Real], Real]
    exp: Callable[[Real], Real]
    log: Callable[[Real], Real]

    def chance(self, log_odds: Real) -> Real:
        """1 / (1 + exp(-x)), whose exponential never grows too large for a float."""
        odds = self.exp(-abs(log_odds))
        small = odds / (1 + odds)
        return small if log_odds < 0 else 1 - small


FLOATS: Final[Arithmetic[float]] = Arithmetic(float, math.sqrt, math.exp, math.log)
DECIMALS: Final[Arithmetic[Decimal]] = Arithmetic(Decimal, Decimal.sqrt, Decimal.exp, Decimal.ln)


@dataclass(frozen=True, slots=True)
class Estimate(Generic[Real]):
    """A fit with its uncertainty, in log-odds.

    `strengths` (n,) have mean 0; `side` is what being shown first adds, None where it was not fitted;
    `covariance` holds both, the side last, and is None where the votes do not give one;
    `preference` (n, n) is the chance of the row's entry against the column's, neither side favoured.
    """

    strengths: Vector[Real]
    side: Real | None
    covariance: Matrix[Real] | None
    preference: Matrix[Real]
    arithmetic: Arithmetic[Real]

    def gap_variance(self, one: int, other: int) -> Real:
        """The variance of a difference of strengths. Needs a covariance."""
        assert self.covariance is not None
        v = self.covariance
        return v[one][one] + v[other][other] - v[one][other] - v[other][one]


@lru_cache(maxsize=256)
def quantile(comparisons: int = 1, confidence: float = CONFIDENCE) -> str:
    """The two-sided normal quantile that holds for so many comparisons together (Bonferroni), to 9 places.

    A decimal string, so that floats and decimals use the very same number.
    """
    return f"{NormalDist().inv_cdf(1 - (1 - confidence) / (2 * comparisons)):.9f}"
