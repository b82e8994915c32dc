"""Who meets whom: permuted-block randomisation, a pure function fixed before the round opens.

With n entries there are n(n-1) cells: every pair in both orders. A voter's k-th battle is

    cells[order(HMAC-SHA256(seed, "round|epoch|voter|block"))[k mod cells]],   block = k div cells

where order(digest) sorts the cells' indices i by SHA-256(digest || i as four big-endian bytes). So every voter
meets every pair on both sides before any pair comes again, nothing is shared between voters, and anyone who
holds the seed can replay every assignment.
"""

import hashlib
import hmac
from collections.abc import Sequence
from itertools import permutations


def pair(seed: bytes, round_slug: str, epoch: int, entries: Sequence[str], voter: str, k: int) -> tuple[str, str]:
    """The entries at side A and side B of a voter's k-th battle (k from 0) in an epoch.

    `entries` are the epoch's entry codes in its published order; at least two.
    """
    cells = list(permutations(entries, 2))
    block, place = divmod(k, len(cells))
    digest = hmac.digest(seed, f"{round_slug}|{epoch}|{voter}|{block}".encode(), "sha256")
    return cells[order(digest, len(cells))[place]]


def order(digest: bytes, size: int) -> list[int]:
    """A permutation of range(size), uniform over digests."""
    return sorted(range(size), key=lambda i: hashlib.sha256(digest + i.to_bytes(4, "big")).digest())
