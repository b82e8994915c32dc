"""Simulated rounds: citizens with tastes of their own, some far busier than others, who vote on dealt pairs."""

from dataclasses import dataclass

import numpy as np

from arena.stats.cells import OUTCOMES, Counts, Floats, Integers
from arena.stats.clusters import Grouped

_A, _B, _TIE, _BOTH_BAD = range(len(OUTCOMES))
_QUADRATURE_NODES = 80


@dataclass(frozen=True, slots=True)
class Votes:
    """One row a vote, sorted by voter; `place` counts a voter's votes from 0, `outcome` indexes `OUTCOMES`."""

    entries: int
    voter: Integers
    place: Integers
    first: Integers
    second: Integers
    outcome: Integers

    def capped(self, most: int) -> "Votes":
        """The first `most` votes of each voter."""
        kept = self.place < most
        rows = (self.voter, self.place, self.first, self.second, self.outcome)
        return Votes(self.entries, *(row[kept] for row in rows))

    def counts(self) -> Counts:
        shape = (self.entries, self.entries, len(OUTCOMES))
        cell = np.ravel_multi_index((self.first, self.second, self.outcome), shape)
        return np.bincount(cell, minlength=np.prod(shape)).reshape(shape)

    def grouped(self) -> Grouped:
        """Voters are numbered from 0 without gaps, so every voter needs a vote."""
        pairs = self.entries**2
        group = self.voter * pairs + self.first * self.entries + self.second
        groups, members, votes = np.unique(group, return_inverse=True, return_counts=True)
        halves = np.array([2, 0, 1, 1])[self.outcome]
        credit = np.bincount(members, halves).astype(np.int64)
        voter, pair = np.divmod(groups, pairs)
        return Grouped(int(voter[-1]) + 1, voter, *np.divmod(pair, self.entries), votes, credit)


@dataclass(frozen=True, slots=True)
class Electorate:
    """How citizens vote. Figures are log-odds, but for `ties`, the share of votes for neither entry.

    `taste` is the standard deviation of a voter's own strength of an entry around the common one.
    """

    strengths: Floats
    side: float = 0.15
    taste: float = 0.5
    ties: float = 0.2

    def vote(self, activity: Integers, random: np.random.Generator) -> Votes:
        """One voter an element of `activity`, who casts that many votes."""
        size = len(self.strengths)
        voter, place, first, second = _deal(activity, size, random)
        own = self.strengths + self.taste * random.standard_normal((len(activity), size))
        log_odds = own[voter, first] - own[voter, second] + self.side
        decided = np.where(random.random(len(voter)) < _logistic(log_odds), _A, _B)
        undecided = random.choice((_TIE, _BOTH_BAD), len(voter))
        outcome = np.where(random.random(len(voter)) < self.ties, undecided, decided)
        return Votes(size, voter, place, first, second, outcome)

    def expected_credit(self) -> Floats:
        """Shape (n, n): what the entry shown first gets of a vote on average over all citizens, by quadrature."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(_QUADRATURE_NODES)
        gaps = self.strengths[:, None] - self.strengths[None, :] + self.side
        wins = _logistic(gaps[:, :, None] + np.sqrt(2) * self.taste * nodes) @ (weights / weights.sum())
        credit: Floats = self.ties / 2 + (1 - self.ties) * wins
        return credit


def heavy_tailed(votes: int, voters: int, random: np.random.Generator) -> Integers:
    """Shape (voters,), sum `votes`: at least one vote each, the others by Pareto's 80:20 law (shape 1.16)."""
    zeal = 1 + random.pareto(1.16, voters)
    return 1 + random.multinomial(votes - voters, zeal / zeal.sum())


def _deal(activity: Integers, size: int, random: np.random.Generator) -> tuple[Integers, ...]:
    """(voter, place, first, second), pairs dealt as in a round: permuted blocks of all ordered pairs."""
    ordered = np.argwhere(~np.eye(size, dtype=bool))
    blocks = -(-activity // len(ordered))
    voter = np.repeat(np.arange(len(activity)), blocks)
    block = np.arange(len(voter)) - np.repeat(np.cumsum(blocks) - blocks, blocks)
    place = block[:, None] * len(ordered) + np.arange(len(ordered))
    cast = place < activity[voter, None]
    order = random.random(cast.shape).argsort(axis=1)
    first, second = ordered[order[cast]].T
    return np.broadcast_to(voter[:, None], cast.shape)[cast], place[cast], first, second


def _logistic(log_odds: Floats) -> Floats:
    return 1 / (1 + np.exp(-log_odds))
