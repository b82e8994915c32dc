"""How the votes of one voter go together: all that a voter-clustered covariance needs to know of the votes.

A voter's votes are counted by ordered pair (a shown first, b shown second), in two kinds: 0, how many votes;
1, the credit of the entry shown first in halves (2 for outcome a, 1 for tie and both_bad, 0 for b). Their
products, summed over the voters, give the variance of any score function that is linear in these counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Final

import numpy as np

from arena.stats.cells import Counts, Floats, Integers, halves

_BLOCK: Final = 1 << 14


@dataclass(frozen=True, slots=True, eq=False)
class Gram:
    """The products themselves: `together`, whole numbers of shape (2, 2, n, n, n, n), [kind, kind, a, b, c, d].

    Of one size for any number of votes, and cheap to keep up to date; too large beyond some 30 entries.
    """

    voters: int
    together: Floats

    @property
    def pairs_of_votes(self) -> int:
        return int(self.together[0, 0].sum())

    def products(self, weights: Floats) -> Floats:
        size = self.together.shape[-1]
        design, columns = _design(size), 1 + len(weights)
        weighted = weights.reshape(-1, size * size).T[:, :, None] * design[:, None, :]
        by_votes = weighted.reshape(size * size, -1)
        kinds = self.together.reshape(2, 2, size * size, size * size)
        out = np.empty((columns * (size + 1), columns * (size + 1)))
        end = size + 1
        out[:end, :end] = design.T @ (kinds[1, 1] @ design)
        out[:end, end:] = (kinds[0, 1] @ design).T @ by_votes
        out[end:, :end] = out[:end, end:].T
        out[end:, end:] = by_votes.T @ (kinds[0, 0] @ by_votes)
        return out.reshape(columns, end, columns, end)


@dataclass(frozen=True, slots=True, eq=False)
class Grouped:
    """Votes grouped by voter and ordered pair: integer arrays of one length, sorted by voter (0 to voters - 1)."""

    voters: int
    voter: Integers
    first: Integers
    second: Integers
    votes: Integers
    credit: Integers

    @property
    def pairs_of_votes(self) -> int:
        by_voter = np.bincount(self.voter, self.votes, self.voters).astype(np.int64)
        return int((by_voter**2).sum())

    def products(self, weights: Floats) -> Floats:
        size, columns = weights.shape[-1], 1 + len(weights)
        by_pair = weights.reshape(-1, size * size)
        total = np.zeros((columns * (size + 1), columns * (size + 1)))
        for rows, voters in self._blocks():
            voter, votes = self.voter[rows] - self.voter[rows.start], self.votes[rows]
            first, second = voter * size + self.first[rows], voter * size + self.second[rows]
            pair = self.first[rows] * size + self.second[rows]
            scores = np.empty((columns, voters, size + 1))
            for column, score in enumerate(scores):
                value = votes * by_pair[column - 1].take(pair) if column else self.credit[rows]
                shown_first = np.bincount(first, value, voters * size).reshape(voters, size)
                score[:, :size] = shown_first - np.bincount(second, value, voters * size).reshape(voters, size)
                score[:, size] = shown_first.sum(axis=1)
            flat = scores.transpose(1, 0, 2).reshape(voters, -1)
            total += flat.T @ flat
        return total.reshape(columns, size + 1, columns, size + 1)

    def _blocks(self) -> Iterator[tuple[slice, int]]:
        """Rows of some thousand voters at a time, and how many voters they are."""
        starts = range(0, self.voters, _BLOCK)
        edges = np.searchsorted(self.voter, [*starts, self.voters])
        for place, start in enumerate(starts):
            yield slice(int(edges[place]), int(edges[place + 1])), min(_BLOCK, self.voters - start)

    def gram(self, size: int) -> Gram:
        """The same as products of `size` entries."""
        pairs = size * size
        pair = self.first * size + self.second
        together = np.zeros((2, 2, pairs, pairs))
        kinds = (self.votes, self.credit)
        for earlier, later in self._row_pairs():
            cell = pair[earlier] * pairs + pair[later]
            for k, one in enumerate(kinds):
                for m, other in enumerate(kinds):
                    products = np.bincount(cell, one[earlier] * other[later], pairs * pairs)
                    block = products.reshape(pairs, pairs)
                    together[k, m] += block
                    if earlier is not later:
                        together[m, k] += block.T
        return Gram(self.voters, together.reshape(2, 2, size, size, size, size))

    def _row_pairs(self) -> Iterator[tuple[Integers, Integers]]:
        """All pairs of rows of the same voter, by their distance: (rows, rows) first, then neighbours, and so on."""
        rows = np.arange(len(self.voter))
        yield rows, rows
        for distance in count(1):
            rows = rows[rows + distance < len(self.voter)]
            rows = rows[self.voter[rows] == self.voter[rows + distance]]
            if not len(rows):
                return
            yield rows, rows + distance


@dataclass(frozen=True, slots=True, eq=False)
class Independent:
    """Every vote by a voter of its own."""

    counts: Counts

    @property
    def voters(self) -> int:
        return int(self.counts.sum())

    @property
    def pairs_of_votes(self) -> int:
        return self.voters

    def products(self, weights: Floats) -> Floats:
        size = len(self.counts)
        votes, credit = self.counts.sum(axis=2), halves(self.counts)
        columns = np.concatenate([np.ones((1, size, size)), weights])
        out = np.empty((len(columns), size + 1, len(columns), size + 1))
        for i, one in enumerate(columns):
            for j, other in enumerate(columns):
                per_pair = votes if i and j else credit if i or j else credit + 2 * self.counts[:, :, 0]
                out[i, :, j] = pair_squares(per_pair * one * other)
        return out


def pair_squares(weights: Floats) -> Floats:
    """Shape (n + 1, n + 1): the sum over ordered pairs (n, n) of weight times x x', x as in `Clusters.products`."""
    first, second = weights.sum(axis=1), weights.sum(axis=0)
    size = len(weights)
    squares = np.empty((size + 1, size + 1))
    squares[:size, :size] = -weights - weights.T
    squares.flat[: size * (size + 1) : size + 2] += first + second
    squares[size, :size] = squares[:size, size] = first - second
    squares[size, size] = first.sum()
    return squares


@lru_cache(maxsize=64)
def _design(size: int) -> Floats:
    """Shape (n * n, n + 1): for each ordered pair 1 at the entry shown first, -1 at the second, 1 at the side."""
    entry = np.eye(size)
    design = np.ones((size, size, size + 1))
    design[:, :, :size] = entry[:, None, :] - entry[None, :, :]
    return design.reshape(size * size, size + 1)
