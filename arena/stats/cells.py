"""Votes as integer counts, the only thing a fit needs to know about them.

A *cells* array has shape (n, n, 4) and type int64: [entry shown first (side A), entry shown second (side B),
outcome], outcomes in the order of `OUTCOMES`. Being integers they do not depend on the order of the votes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Outcome: TypeAlias = Literal["a", "b", "tie", "both_bad"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("a", "b", "tie", "both_bad")

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Counts: TypeAlias = Integers

_A, _B, _TIE, _BOTH_BAD = range(4)


class Clusters(Protocol):
    """How votes of the same voter go together (see `arena.stats.clusters`).

    `voters` counts those with at least one vote; `pairs_of_votes` is the sum of their squared numbers
    of votes.
    """

    @property
    def voters(self) -> int: ...

    @property
    def pairs_of_votes(self) -> int: ...

    def products(self, weights: Floats) -> Floats:
        """Products of score columns, summed over voters; shape (1 + w, n + 1, 1 + w, n + 1) for weights (w, n, n).

        Column 0 of a voter is the sum of credits times x, column 1 + k the sum of votes times weights[k] times x,
        both over the ordered pairs (a, b), where x has 1 at a, -1 at b and 1 at n, the place of the side.
        Sums of integers below 2**53 are exact, in whatever order they are taken.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The votes of a round as ratings need them; `entries` name the places in `counts` and `clusters`."""

    entries: tuple[str, ...]
    counts: Counts
    clusters: Clusters


def count_cells(entries: Sequence[str], rows: Iterable[tuple[str, str, str, int]]) -> Counts:
    """Adds up rows (entry shown first, entry shown second, outcome, number of votes), as of a GROUP BY.

    Rows of the same cell add up, so single votes are rows with the number 1.
    Raises ValueError for an unknown entry or outcome, an entry against itself, or a negative number.
    """
    places = {entry: place for place, entry in enumerate(entries)}
    outcomes: dict[str, int] = {outcome: place for place, outcome in enumerate(OUTCOMES)}
    counts = np.zeros((len(entries), len(entries), len(OUTCOMES)), dtype=np.int64)
    for first, second, outcome, number in rows:
        try:
            cell = places[first], places[second], outcomes[outcome]
        except KeyError as unknown:
            raise ValueError(f"unknown entry or outcome {unknown} in {(first, second, outcome)}") from None
        counts[cell] += number
    check_cells(entries, counts)
    return counts


def check_cells(entries: Sequence[str], counts: Counts) -> None:
    """Raises ValueError unless `counts` are cells of these entries."""
    size = len(entries)
    if len(set(entries)) != size:
        raise ValueError("the entries are not distinct")
    if counts.shape != (size, size, len(OUTCOMES)) or not np.issubdtype(counts.dtype, np.integer):
        raise ValueError(f"{size} entries need integer counts of shape {(size, size, len(OUTCOMES))}")
    if (counts < 0).any():
        raise ValueError("a count is negative")
    if counts[np.arange(size), np.arange(size)].any():
        raise ValueError("an entry was counted against itself")


def wins(counts: Counts) -> Counts:
    """Shape (n, n): how often the row's entry won against the column's, on either side."""
    won: Counts = counts[:, :, _A] + counts[:, :, _B].T
    return won


def ties(counts: Counts) -> Counts:
    """Shape (n, n), symmetric: votes for neither entry (tie and both_bad), on either side."""
    undecided = counts[:, :, _TIE] + counts[:, :, _BOTH_BAD]
    both_sides: Counts = undecided + undecided.T
    return both_sides


def halves(counts: Counts) -> Integers:
    """Shape (n, n): the credit of the entry shown first, in halves: 2 for a win, 1 for tie and both_bad."""
    credit: Integers = 2 * counts[:, :, _A] + counts[:, :, _TIE] + counts[:, :, _BOTH_BAD]
    return credit
