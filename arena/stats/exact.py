"""Figures that are the same to the last digit on every machine, by decimal refinement of the float fit.

Floats differ between processors: matrix products are summed in another order. So the float fit only serves as
a start. Newton steps in decimals bring it to the likelihood's own maximum, the covariance is solved in
decimals, and each figure is rounded once, to 6 places. Where a figure lies so near to the middle between two
roundings that the digits computed might not decide, everything is computed again with more of them.

The voters' products (`Clusters.products`) are the one large sum. Chances enter it as integers, cut into limbs so
short that every sum stays below 2**53: then floats add up integers, exactly, in whatever order.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from math import ceil, log2
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np

from arena.stats.arithmetic import DECIMALS, Estimate
from arena.stats.bradley_terry import Fit
from arena.stats.cells import Cells, halves

T = TypeVar("T")
Row: TypeAlias = list[Decimal]

PLACES: Final = Decimal("0.000001")
DIGITS: Final = (28, 60, 120)
GUARD: Final = 10
MARGIN: Final = 8

_ROUNDS: Final = 40
_EXACT_BITS: Final = 53  # floats hold whole numbers up to there


class _UndecidedError(Exception):
    """A figure lies too near to the middle between two roundings."""


def exactly(cells: Cells, fitted: Fit, figures: Callable[[Estimate[Decimal]], T]) -> T:
    """What `figures` makes of the exact estimate, all its decimals rounded half-even to 6 places.

    `figures` answers with decimals in frozen dataclasses and tuples, and may use nothing but its argument.
    A figure that is still undecided at 120 digits is the middle itself. Raises ArithmeticError where single voters
    have so many votes that their squares no longer add up exactly (some 10**7 each).
    """
    for digits in DIGITS:
        with localcontext(prec=digits + GUARD):
            try:
                answer: T = _rounded(figures(_estimate(cells, fitted, digits)), digits, last=digits == DIGITS[-1])
                return answer
            except _UndecidedError:
                continue
    raise AssertionError("the last try decides")


def _rounded(value: Any, digits: int, *, last: bool) -> Any:
    if isinstance(value, Decimal):
        return _round_once(value, digits, last=last)
    if isinstance(value, tuple):
        return tuple(_rounded(item, digits, last=last) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        changes = {field.name: _rounded(getattr(value, field.name), digits, last=last) for field in fields(value)}
        return replace(value, **changes)
    return value


def _round_once(value: Decimal, digits: int, *, last: bool) -> Decimal:
    known = value.quantize(Decimal(1).scaleb(MARGIN - digits))
    if abs(abs(known) % PLACES - PLACES / 2) <= Decimal(1).scaleb(MARGIN - digits) and not last:
        raise _UndecidedError
    return known.quantize(PLACES, ROUND_HALF_EVEN) + Decimal(0)  # no -0


def _estimate(cells: Cells, fitted: Fit, digits: int) -> Estimate[Decimal]:
    """The fit and its covariance with an error below 10**-digits; the context holds `GUARD` digits more."""
    size = len(cells.entries)
    votes = cells.counts.sum(axis=2).tolist()
    credit = halves(cells.counts).tolist()
    place, odds, p = _maximum(votes, credit, fitted, Decimal(1).scaleb(-digits))
    weights = [[n * q * (1 - q) for n, q in zip(*rows, strict=True)] for rows in zip(votes, p, strict=True)]
    information = _information(weights, has_side=fitted.has_side)
    voters = cells.clusters.voters
    covariance = None
    if voters > 1:
        meat = _meat(cells, p, digits, has_side=fitted.has_side)
        factor = Decimal(voters) / (voters - 1)
        half = _solve(information, meat)
        whole = _solve(information, [list(column) for column in zip(*half, strict=True)])
        covariance = [[factor * value for value in row] for row in whole]
    preference = [[odds[i] / (odds[i] + odds[j]) for j in range(size)] for i in range(size)]
    return Estimate(place[:size], place[size] if fitted.has_side else None, covariance, preference, DECIMALS)


def _maximum(
    votes: list[list[int]], credit: list[list[int]], fitted: Fit, last_step: Decimal
) -> tuple[Row, Row, list[Row]]:
    """Strengths and side; the strengths' odds; and the chances (n, n) of whoever is shown first.

    Newton steps with the float fit's inverse information: each makes the error some 10**12 times smaller.
    """
    size = len(votes)
    place = [Decimal(value) for value in (*fitted.strengths.tolist(), fitted.side)]
    bread = [[Decimal(value) for value in row] for row in fitted.bread.tolist()]
    for _ in range(_ROUNDS):
        odds, lead = [value.exp() for value in place[:size]], place[size].exp()
        p = [[(ahead := one * lead) / (ahead + other) for other in odds] for one in odds]
        surprise = [
            [Decimal(h) / 2 - n * q for h, n, q in zip(*rows, strict=True)]
            for rows in zip(credit, votes, p, strict=True)
        ]
        by_first = [sum(row, Decimal(0)) for row in surprise]
        by_second = [sum(column, Decimal(0)) for column in zip(*surprise, strict=True)]
        gradient = [*(one - other for one, other in zip(by_first, by_second, strict=True)), sum(by_first, Decimal(0))]
        step = [_dot(row, gradient) for row in bread]
        place = [value + change for value, change in zip(place, step, strict=True)]
        middle = sum(place[:size], Decimal(0)) / size
        place[:size] = [value - middle for value in place[:size]]
        if max(map(abs, step)) < last_step:
            return place, odds, p
    raise ArithmeticError(f"the decimal refinement did not settle in {_ROUNDS} rounds")


def _information(weights: list[Row], *, has_side: bool) -> list[Row]:
    """The information of strengths and side, lifted along the strengths' mean so that it has an inverse."""
    size = len(weights)
    by_first = [sum(row, Decimal(0)) for row in weights]
    by_second = [sum(column, Decimal(0)) for column in zip(*weights, strict=True)]
    total = sum(by_first, Decimal(0))
    lift = total / size
    rows = [[lift - weights[i][j] - weights[j][i] for j in range(size)] for i in range(size)]
    for i in range(size):
        rows[i][i] += by_first[i] + by_second[i]
    if not has_side:
        return rows
    tilt = [one - other for one, other in zip(by_first, by_second, strict=True)]
    for row, value in zip(rows, tilt, strict=True):
        row.append(value)
    return [*rows, [*tilt, total]]


def _meat(cells: Cells, p: list[Row], digits: int, *, has_side: bool) -> list[Row]:
    """The voters' squared scores of strengths and side, with an error far below 10**-digits of their size."""
    size = len(p)
    bits = (_EXACT_BITS - cells.clusters.pairs_of_votes.bit_length()) // 2
    if bits < 1:
        raise ArithmeticError("some voters cast too many votes, hundreds of millions, to be added up exactly")
    limbs = ceil((digits + 4) * log2(10) / bits)
    cut = [[_limbs(value, bits, limbs) for value in row] for row in p]
    products = cells.clusters.products(np.array(cut, dtype=np.float64).transpose(2, 0, 1)).astype(np.int64)
    # Column 0 is the credit in halves; column 1 + k holds votes times the k-th limb, worth 2**-(bits (k + 1)).
    by_credit = products[0, :, 0].tolist()
    crossed = [(products[0, :, 1 + k] + products[1 + k, :, 0]).tolist() for k in range(limbs)]
    by_votes = np.zeros((2 * limbs - 1, size + 1, size + 1), dtype=np.int64)
    for k in range(limbs):
        by_votes[k : k + limbs] += products[1 + k, :, 1:].transpose(1, 0, 2)
    squares = by_votes.tolist()
    unit = 1 << bits * limbs
    scale = Decimal(4 * unit * unit)

    def product(i: int, j: int) -> Decimal:
        cross = _joined([part[i][j] for part in crossed], bits)
        square = _joined([part[i][j] for part in squares], bits)
        return (Decimal((by_credit[i][j] * unit - 2 * cross) * unit + 4 * square)) / scale

    half = [[product(i, j) for j in range(i + 1)] for i in range(size + has_side)]
    return [[half[max(i, j)][min(i, j)] for j in range(len(half))] for i in range(len(half))]


def _limbs(chance: Decimal, bits: int, limbs: int) -> list[int]:
    """The first digits of a number from 0 to 1 in base 2**bits, the largest first."""
    scale = 1 << bits * limbs
    value = min(int(chance * scale), scale - 1)
    return [value >> bits * (limbs - 1 - k) & (1 << bits) - 1 for k in range(limbs)]


def _joined(parts: Sequence[int], bits: int) -> int:
    """Limbs, which may overlap and be negative, as one number."""
    total = 0
    for part in parts:
        total = (total << bits) + part
    return total


def _solve(matrix: list[Row], right: list[Row]) -> list[Row]:
    """X with matrix X = right, for a symmetric positive definite matrix, by elimination."""
    rows = [[*left, *values] for left, values in zip(matrix, right, strict=True)]
    size = len(rows)
    for k in range(size):
        pivot = rows[k]
        for i in range(k + 1, size):
            factor = rows[i][k] / pivot[k]
            rows[i][k + 1 :] = [a - factor * b for a, b in zip(rows[i][k + 1 :], pivot[k + 1 :], strict=True)]
    solved: list[Row] = []
    for k in reversed(range(size)):
        row = rows[k]
        known = list(zip(row[k + 1 : size], reversed(solved), strict=True))
        values = row[size:]
        for factor, later in known:
            values = [a - factor * b for a, b in zip(values, later, strict=True)]
        solved.append([value / row[k] for value in values])
    return solved[::-1]


def _dot(one: Sequence[Decimal], other: Sequence[Decimal]) -> Decimal:
    return sum((a * b for a, b in zip(one, other, strict=True)), Decimal(0))
