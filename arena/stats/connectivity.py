"""Who can be compared with whom: connectivity of small directed graphs given as matrices (n, n)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from arena.stats.cells import Floats


def strongly_connected_groups(edges: NDArray[np.bool_]) -> tuple[tuple[int, ...], ...]:
    """The strongly connected components as sorted node numbers, in the order of their first nodes."""
    reach = _reachable(edges)
    mutual = reach & reach.T
    members = (tuple(np.flatnonzero(row).tolist()) for row in mutual)
    return tuple(dict.fromkeys(members))


def largest_group(groups: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The group with the most nodes, the first of several; none when no group has more than one node."""
    largest = max(groups, key=len)
    return largest if len(largest) > 1 else ()


def has_negative_cycle(weights: Floats) -> bool:
    """Whether some cycle of edges (infinity: no edge) has a negative sum; Floyd and Warshall's algorithm."""
    shortest = weights.copy()
    if (shortest + shortest.T < 0).any():
        return True
    for via in range(len(shortest)):
        np.minimum(shortest, shortest[:, via, None] + shortest[via], out=shortest)
    return bool((shortest.diagonal() < 0).any())


def _reachable(edges: NDArray[np.bool_]) -> NDArray[np.bool_]:
    reach = edges | np.eye(len(edges), dtype=np.bool_)
    while not reach.all():
        further = reach @ reach
        if (further == reach).all():
            break
        reach = further
    return reach
