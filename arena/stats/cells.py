"""Votes as integer counts, the only thing a fit needs to know about them.

A *cells* array has shape (n, n, 4) and type int64: [entry shown first (side A), entry shown second (side B),
outcome], outcomes in the order of `OUTCOMES`. Being integers they do not depend on the order of the votes.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Outcome: TypeAlias = Literal["a", "b", "tie", "both_bad"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("a", "b", "tie", "both_bad")

Counts: TypeAlias = NDArray[np.int64]

_A, _B, _TIE, _BOTH_BAD = range(4)


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
