"""Who can be compared with whom: connectivity of small directed graphs given as boolean matrices (n, n)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def strongly_connected_groups(edges: NDArray[np.bool_]) -> tuple[tuple[int, ...], ...]:
    """The strongly connected components as sorted node numbers, in the order of their first nodes."""
    reach = _reachable(edges)
    mutual = reach & reach.T
    members = (tuple(np.flatnonzero(row).tolist()) for row in mutual)
    return tuple(dict.fromkeys(members))


def linked(edges: NDArray[np.bool_]) -> bool:
    """Whether every node leads to every other."""
    return bool(_reachable(edges).all())


def largest_group(groups: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The group with the most nodes, the first of several; none when no group has more than one node."""
    largest = max(groups, key=len)
    return largest if len(largest) > 1 else ()


def _reachable(edges: NDArray[np.bool_]) -> NDArray[np.bool_]:
    reach = edges | np.eye(len(edges), dtype=np.bool_)
    for via in range(len(reach)):
        reach |= reach[:, via, None] & reach[via]
    return reach
