"""The Merkle tree of RFC 6962, section 2.1: roots, inclusion proofs, consistency proofs, and how they are verified.

A tree is seen through a function `hashes(level, start, stop)`: the roots of the complete subtrees of 256 ** level
leaves, from the start-th to before the stop-th. Level 0 are the leaves' own hashes, and with the levels above them
stored, a proof in a tree of a million leaves reads some dozen short ranges.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeAlias

HashesOf: TypeAlias = Callable[[int, int, int], Sequence[bytes]]

EMPTY_ROOT = hashlib.sha256(b"").digest()
HASH_BYTES = len(EMPTY_ROOT)
LEVEL_BITS = 8
FANOUT = 1 << LEVEL_BITS


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root above a power of two of hashes, at least one."""
    while len(hashes) > 1:
        hashes = [node_hash(*pair) for pair in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


def in_memory(leaves: Sequence[bytes]) -> HashesOf:
    """A tree whose leaves' hashes are all at hand."""

    def hashes(level: int, start: int, stop: int) -> list[bytes]:
        unit = FANOUT**level
        return [fold(leaves[place * unit : (place + 1) * unit]) for place in range(start, stop)]

    return hashes


def root(tree: HashesOf, size: int) -> bytes:
    """The root of the first `size` leaves."""
    return _root(tree, 0, size) if size else EMPTY_ROOT


def _root(tree: HashesOf, start: int, stop: int) -> bytes:
    size = stop - start
    if size & (size - 1):
        middle = start + _split(size)
        return node_hash(_root(tree, start, middle), _root(tree, middle, stop))
    level = (size.bit_length() - 1) // LEVEL_BITS
    unit = FANOUT**level
    return fold(tree(level, start // unit, stop // unit))


def _split(size: int) -> int:
    """The largest power of two below `size`, which is at least 2."""
    return int(1 << (size - 1).bit_length() - 1)


def inclusion_proof(tree: HashesOf, index: int, size: int) -> list[bytes]:
    """The audit path for the leaf `index` (from 0, below `size`): RFC 6962, 2.1.1."""
    return _path(tree, index, 0, size)


def _path(tree: HashesOf, index: int, start: int, stop: int) -> list[bytes]:
    if stop - start == 1:
        return []
    middle = start + _split(stop - start)
    if index < middle:
        return [*_path(tree, index, start, middle), _root(tree, middle, stop)]
    return [*_path(tree, index, middle, stop), _root(tree, start, middle)]


def consistency_proof(tree: HashesOf, first: int, second: int) -> list[bytes]:
    """The proof that the tree of `first` leaves begins that of `second`, 0 <= first <= second: RFC 6962, 2.1.2."""
    return _subproof(tree, first, 0, second, whole=True) if 0 < first < second else []


def _subproof(tree: HashesOf, first: int, start: int, stop: int, *, whole: bool) -> list[bytes]:
    if first == stop:
        return [] if whole else [_root(tree, start, stop)]
    middle = start + _split(stop - start)
    if first <= middle:
        return [*_subproof(tree, first, start, middle, whole=whole), _root(tree, middle, stop)]
    return [*_subproof(tree, first, middle, stop, whole=False), _root(tree, start, middle)]


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that `leaf` stands at `index` in the tree of `size` and `root`: RFC 9162, 2.1.3.2."""
    if not 0 <= index < size or not _are_hashes(leaf, *proof):
        return False
    place, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def extends(first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree of size `first` begins that of size `second`: RFC 9162, 2.1.4.2."""
    if not 0 <= first <= second or not _are_hashes(first_root, second_root, *proof):
        return False
    if first == second:
        return not proof and first_root == second_root
    if first == 0:
        return not proof and first_root == EMPTY_ROOT
    if not proof:
        return False
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    was = is_ = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            was, is_ = node_hash(sibling, was), node_hash(sibling, is_)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            is_ = node_hash(is_, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and was == first_root and is_ == second_root


def _are_hashes(*found: bytes) -> bool:
    """Between two of another length the border could be shifted, and their node's hash would stay the same."""
    return all(len(hash_) == HASH_BYTES for hash_ in found)


class Growing:
    """A tree read from its first leaf on, of which only the right edge is kept: a hash for each bit of its size."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Adds a leaf by its hash."""
        size = self.size
        while size & 1:
            leaf = node_hash(self._edge.pop(), leaf)
            size >>= 1
        self._edge.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self._edge:
            return EMPTY_ROOT
        *rest, found = self._edge
        for left in reversed(rest):
            found = node_hash(left, found)
        return found
