"""The Bradley-Terry fit of record: ties as half a win each way, and one term for the side that is shown first.

The model: entry a, shown first, is preferred to entry b with probability 1 / (1 + exp(-(t_a - t_b + g))), t the
log-strengths and g the side's effect. A tie or a both_bad is half a win for each of the two, so the fit is a
quasi-likelihood one: its estimate is that of the ordinary model with half counts, its variance comes from the
votes (see `covariance`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from arena.stats.cells import Cells, Counts, Floats, halves
from arena.stats.clusters import pair_squares
from arena.stats.connectivity import has_negative_cycle, largest_group, strongly_connected_groups
from arena.stats.newton import damping

_STEPS: Final = 200
_LAST_STEP: Final = 1e-8


@dataclass(frozen=True, slots=True)
class NotRatable:
    """Why there is no finite fit, and which entries stand in the way.

    - `too_few_entries`: fewer than two; names those there are.
    - `no_votes`: names all entries.
    - `not_connected`: the votes fall apart into groups that never met. Names those outside the largest group.
    - `one_sided`: some entries have only won or only lost against the rest. Names those outside the largest group
      in which wins or half wins lead, along some chain, from everyone to everyone.
    - `side_not_estimable`: the votes cannot tell the side's effect from the entries' strengths, for instance
      because the side shown first won every vote, or each entry was always shown on the same side. Names all.
    """

    code: Literal["too_few_entries", "no_votes", "not_connected", "one_sided", "side_not_estimable"]
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """`strengths` (n,) with mean 0 and `side`, both in log-odds; `has_side` is False where side was held at 0.

    `bread` (n + 1, n + 1), side last, is the inverse information for strengths with mean 0, its last row and
    column 0 where the side was held.
    """

    strengths: Floats
    side: float
    has_side: bool
    bread: Floats


def obstacle(entries: Sequence[str], counts: Counts, *, side: bool = True) -> NotRatable | None:
    """Why these cells (n, n, 4) have no finite maximum-likelihood fit; None when they have one."""
    if len(entries) < 2:
        return NotRatable("too_few_entries", tuple(entries))
    if not counts.any():
        return NotRatable("no_votes", tuple(entries))
    first = halves(counts) > 0
    second = 2 * counts.sum(axis=2) > halves(counts)
    credited = first | second.T
    if apart := _outside(entries, credited | credited.T):
        return NotRatable("not_connected", apart)
    if apart := _outside(entries, credited):
        return NotRatable("one_sided", apart)
    if side and not (_bounded(first, second.T) and _bounded(second.T, first)):
        return NotRatable("side_not_estimable", tuple(entries))
    return None


def _outside(entries: Sequence[str], edges: NDArray[np.bool_]) -> tuple[str, ...]:
    """The entries that do not belong to the largest group of those that lead to one another."""
    if (edges | np.eye(len(edges), dtype=np.bool_)).all():
        return ()
    groups = strongly_connected_groups(edges)
    comparable = groups[0] if len(groups) == 1 else largest_group(groups)
    return tuple(entry for place, entry in enumerate(entries) if place not in comparable)


def _bounded(dear: NDArray[np.bool_], cheap: NDArray[np.bool_]) -> bool:
    """Whether the likelihood falls when the side's effect grows without end in one direction.

    It does not if strengths can make up for it: strengths t with t_b - t_a <= 1 wherever a was credited against
    b at the favoured side, <= -1 where at the other. Such difference constraints have a solution unless a
    cycle of them adds up to less than 0 (Albert and Anderson 1984 on separation; Bellman 1958 on constraints).
    """
    weights = np.where(cheap, -1.0, np.where(dear, 1.0, np.inf))
    return has_negative_cycle(weights)


def fit(counts: Counts, *, side: bool = True) -> Fit:
    """The maximum-likelihood fit of cells (n, n, 4) that have one (see `obstacle`).

    Newton's method, with shortened steps (`arena.stats.newton.damping`) from the log-odds of all wins.
    Raises ArithmeticError when it does not settle, which needs counts further apart than floats can hold.
    """
    votes, credit = counts.sum(axis=2).astype(np.float64), halves(counts) / 2
    size = len(votes)
    won = (credit + (votes - credit).T).sum(axis=1)
    lost = ((votes - credit) + credit.T).sum(axis=1)
    place = np.append(np.log(won / lost), 0.0)
    for _ in range(_STEPS):
        p, q = chances(place[:size], float(place[size]))
        information = _lifted(votes * p * q, side=side)
        try:
            step = np.linalg.solve(information, _gradient(credit * q - (votes - credit) * p, side=side))
        except np.linalg.LinAlgError:
            break
        reach = float(step[:size].max() - step[:size].min() + abs(step[size]))
        full = reach <= _LAST_STEP
        place += step if full else step * damping(reach)
        place[:size] -= place[:size].mean()
        if full:
            return Fit(place[:size], float(place[size]), side, _bread(information, side=side))
    raise ArithmeticError("the Bradley-Terry fit did not settle")


def chances(strengths: Floats, side: float) -> tuple[Floats, Floats]:
    """Two arrays (n, n): the chance of the row's entry, shown first, against the column's, and its complement."""
    odds = strengths[:, None] - strengths[None, :] + side
    small = np.exp(-np.abs(odds))
    large = 1.0 / (1.0 + small)
    small *= large
    ahead = odds >= 0
    return np.where(ahead, large, small), np.where(ahead, small, large)


def _gradient(surprise: Floats, *, side: bool) -> Floats:
    """Shape (n + 1,): the score of the parameters, from observed less expected credit by ordered pair."""
    by_first = surprise.sum(axis=1)
    gradient = np.empty(len(surprise) + 1)
    gradient[:-1] = by_first - surprise.sum(axis=0)
    gradient[-1] = by_first.sum() if side else 0.0
    return gradient


def _lifted(weights: Floats, *, side: bool) -> Floats:
    """The information (n + 1, n + 1) of `weights` (n, n), with an inverse: lifted along the strengths' mean."""
    size = len(weights)
    information = pair_squares(weights)
    if not side:
        information[size, :size] = information[:size, size] = 0.0
    information[:size, :size] += information[:size, :size].trace() / size
    return information


def _bread(lifted: Floats, *, side: bool) -> Floats:
    """The inverse information for strengths with mean 0: the lifted one's inverse without the lift."""
    size = len(lifted) - 1
    bread = np.linalg.inv(lifted).astype(np.float64, copy=False)
    bread[:size, :size] -= bread[:size, :size].mean()
    if not side:
        bread[size, size] = 0.0
    return bread


def covariance(fitted: Fit, cells: Cells) -> Floats:
    """Covariance (n + 1, n + 1) of strengths and side: sandwich clustered by voter, small-sample factor CR1.

    Between two inverse informations stand the voters' scores, squared and summed, times G / (G - 1) for G voters
    (Liang and Zeger 1986; Cameron and Miller 2015, "A practitioner's guide to cluster-robust inference").
    Needs at least two voters.
    """
    p, _ = chances(fitted.strengths, fitted.side)
    products = cells.clusters.products(p[None])
    meat = products[0, :, 0] / 4 - (products[0, :, 1] + products[1, :, 0]) / 2 + products[1, :, 1]
    voters = cells.clusters.voters
    clustered: Floats = fitted.bread @ meat @ fitted.bread * (voters / (voters - 1))
    return clustered


def joined_by_ties(entries: Sequence[str], counts: Counts) -> tuple[str, ...]:
    """The entries that ties alone join to the rest, so that no vote shows how far their gap may vary."""
    decided = (counts[:, :, 0] + counts[:, :, 1]) > 0
    return _outside(entries, decided | decided.T)
