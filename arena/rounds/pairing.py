"""Who meets whom: permuted-block randomisation, a pure function fixed before the round opens.

With n entries there are n(n-1) cells: every pair in both orders. A voter's k-th battle is

    cells[order(HMAC-SHA256(seed, "round|epoch|voter|block"))[k mod cells]],   block = k div cells

where order(digest) sorts the cells' indices i by SHA-256(digest || i as four big-endian bytes). So every voter
meets every pair on both sides before any pair comes again, nothing is shared between voters, and anyone who
holds the seed can replay every assignment.

`voter` is the voter's pseudonym in the round (`pseudonym`), which the ledger shows; ids are never published.

A battle that ends without a vote leaves its place k free. The next battle gets the first place that is free, but for
places whose entries are out of service, and for the very pair that has just failed.
"""

import hashlib
import hmac
from collections.abc import Collection, Sequence
from itertools import count, permutations


def pair(seed: bytes, round_slug: str, epoch: int, entries: Sequence[str], voter: str, k: int) -> tuple[str, str]:
    """The entries at side A and side B of a voter's k-th battle (k from 0) in an epoch.

    `entries` are the epoch's entry codes in its published order; at least two.
    """
    cells = cells_of(entries)
    block, place = divmod(k, len(cells))
    return cells[block_order(seed, round_slug, epoch, voter, block, len(cells))[place]]


def cells_of(entries: Sequence[str]) -> list[tuple[str, str]]:
    """Every pair in both orders."""
    return list(permutations(entries, 2))


def block_order(seed: bytes, round_slug: str, epoch: int, voter: str, block: int, cells: int) -> list[int]:
    """The order in which a voter meets the cells of a block."""
    return order(hmac.digest(seed, f"{round_slug}|{epoch}|{voter}|{block}".encode(), "sha256"), cells)


def next_place(
    seed: bytes,
    round_slug: str,
    epoch: int,
    entries: Sequence[str],
    voter: str,
    *,
    used: Collection[int],
    out: Collection[str] = (),
    failed: Collection[str] = (),
) -> tuple[int, tuple[str, str]]:
    """The place k of a voter's next battle, and its entries at side A and side B.

    `used` are the places whose battles were voted on, `out` the entries out of service, `failed` the pair of the
    voter's last battle if that failed, which comes again after another one, if there is another. At least two
    entries are in service.
    """
    is_only_pair = len(set(entries) - set(out)) == 2
    free = ((k, pair(seed, round_slug, epoch, entries, voter, k)) for k in count() if k not in used)
    return next(
        (k, dealt) for k, dealt in free if not set(dealt) & set(out) and (is_only_pair or set(dealt) != set(failed))
    )


def pseudonym(seed: bytes, voter_id: str) -> str:
    """What a voter is called in a round's ledger and votes: nobody without the voter's id links two rounds by it."""
    return hmac.digest(seed, f"voter|{voter_id}".encode(), "sha256")[:16].hex()


def pair_salt(seed: bytes, battle_id: str) -> bytes:
    """The salt of a battle's commitment to its pair; everyone can compute it once the seed is published."""
    return hmac.digest(seed, f"battle|{battle_id}".encode(), "sha256")


def model_salt(seed: bytes, entry: str) -> bytes:
    """The salt of the commitment to what answers for an entry."""
    return hmac.digest(seed, f"entry|{entry}".encode(), "sha256")


def order(digest: bytes, size: int) -> list[int]:
    """A permutation of range(size), uniform over digests."""
    return sorted(range(size), key=lambda i: hashlib.sha256(digest + i.to_bytes(4, "big")).digest())
