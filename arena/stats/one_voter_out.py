"""What any one voter decides: the fits without a voter's votes, for each voter.

One Newton step leads from the fit of all votes to nearly that without a voter's (the infinitesimal jackknife, Jaeckel
1972; Giordano, Stephenson, Liu, Jordan and Broderick 2019, "A Swiss army infinitesimal jackknife"); the voters who
matter most by it are refitted.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from arena.stats.arithmetic import FLOATS
from arena.stats.bradley_terry import Fit, chances, fit
from arena.stats.cells import Cells, Counts, Floats, Integers, halves
from arena.stats.clusters import Grouped
from arena.stats.places import lowest, undercut
from arena.stats.rating import MEAN_RATING, elo
from arena.stats.refit import refit

_NEAREST: Final = 64
_FURTHEST: Final = 5


@dataclass(frozen=True, slots=True)
class OneVoterOut:
    """`changes_first` and `changes_last` count the voters without whom another entry is first or last.

    They are None where several entries share the place. `not_ratable` counts the voters without whom there is no fit.
    `ratings` has each entry's lowest and highest among the other refits, in Elo; None where there are none.
    """

    changes_first: int | None
    changes_last: int | None
    not_ratable: int
    ratings: tuple[tuple[float, float], ...] | None


def leave_one_voter_out(cells: Cells, grouped: Grouped, *, side: bool = True) -> OneVoterOut:
    """The fits without each voter, for cells that have a fit.

    Refitted are the 64 voters without whom the last entry does best, and the first worst, the 5 without whom each
    entry moves furthest up and down, and all without whom there may be no fit. For others the Newton step decides.
    Raises ValueError unless `grouped` holds the votes of `cells`.
    """
    votes, credit = _totals(grouped, len(cells.entries))
    if not (np.array_equal(votes, cells.counts.sum(axis=2)) and np.array_equal(credit, halves(cells.counts))):
        raise ValueError("the voters' votes do not add up to the cells")
    fitted = fit(cells.counts, side=side)
    without = fitted.strengths - _moves(fitted, grouped)
    refitted = _only_ones(grouped, votes, credit) | _decisive(without, fitted.strengths)
    ratable = np.ones(grouped.voters, np.bool_)
    for voter in np.flatnonzero(refitted):
        alone = refit(cells.entries, _counts_without(grouped, int(voter), votes, credit), side=side)
        ratable[voter] = alone is not None
        if alone:
            without[voter] = alone.strengths
    return OneVoterOut(
        _changes(-without[ratable], -fitted.strengths),
        _changes(without[ratable], fitted.strengths),
        int(np.count_nonzero(~ratable)),
        _ranges(without[refitted & ratable]),
    )


def _changes(without: Floats, strengths: Floats) -> int | None:
    last = lowest(strengths)
    return None if last is None else int(np.count_nonzero(undercut(without, last)))


def _ranges(strengths: Floats) -> tuple[tuple[float, float], ...] | None:
    if not len(strengths):
        return None
    ratings = MEAN_RATING + elo(FLOATS) * strengths
    return tuple(zip(ratings.min(axis=0).tolist(), ratings.max(axis=0).tolist(), strict=True))


def _totals(grouped: Grouped, size: int) -> tuple[Integers, Integers]:
    """Votes and credit by ordered pair, both (n, n)."""
    votes, credit = np.zeros((2, size, size), np.int64)
    np.add.at(votes, (grouped.first, grouped.second), grouped.votes)
    np.add.at(credit, (grouped.first, grouped.second), grouped.credit)
    return votes, credit


def _moves(fitted: Fit, grouped: Grouped) -> Floats:
    """Shape (voters, n): what each voter's votes add to the strengths, by a Newton step."""
    size = len(fitted.strengths)
    p, _ = chances(fitted.strengths, fitted.side)
    surprise = grouped.credit / 2 - grouped.votes * p[grouped.first, grouped.second]
    scores = np.zeros((grouped.voters, size + 1))
    np.add.at(scores, (grouped.voter, grouped.first), surprise)
    np.subtract.at(scores, (grouped.voter, grouped.second), surprise)
    np.add.at(scores[:, size], grouped.voter, surprise)
    moves: Floats = scores @ fitted.bread[:, :size]
    return moves


def _only_ones(grouped: Grouped, votes: Integers, credit: Integers) -> NDArray[np.bool_]:
    """Voters who alone gave some entry credit on its side against another: all who may leave no fit behind."""
    pair = grouped.first, grouped.second
    first = (grouped.credit > 0) & (grouped.credit == credit[pair])
    missed = 2 * grouped.votes - grouped.credit
    second = (missed > 0) & (missed == (2 * votes - credit)[pair])
    only = np.zeros(grouped.voters, np.bool_)
    only[grouped.voter[first | second]] = True
    return only


def _decisive(without: Floats, strengths: Floats) -> NDArray[np.bool_]:
    """Voters without whom the last entry comes nearest to another, or above; the first likewise; or one moves far."""
    decisive = np.zeros(len(without), np.bool_)
    for sign in (1, -1):
        last = lowest(sign * strengths)
        if last is not None:
            others = np.delete(sign * without, last, axis=1).min(axis=1)
            decisive[_least(others - sign * without[:, last], _NEAREST)] = True
        for moved in sign * without.T:
            decisive[_least(moved, _FURTHEST)] = True
    return decisive


def _least(values: Floats, number: int) -> Integers:
    """Places of so many of the least values."""
    return np.argpartition(values, min(number, len(values)) - 1)[:number]


def _counts_without(grouped: Grouped, voter: int, votes: Integers, credit: Integers) -> Counts:
    """Cells (n, n, 4) with the votes and the credit of all others: a fit needs no more."""
    start, end = np.searchsorted(grouped.voter, [voter, voter + 1])
    own = slice(int(start), int(end))
    pair = grouped.first[own], grouped.second[own]
    votes, credit = votes.copy(), credit.copy()
    np.subtract.at(votes, pair, grouped.votes[own])
    np.subtract.at(credit, pair, grouped.credit[own])
    wins, ties = np.divmod(credit, 2)
    return np.stack([wins, votes - wins - ties, ties, np.zeros_like(ties)], axis=2)
