"""Merkle trees give the published roots and proofs, and every proof of theirs verifies."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.proofs.merkle import (
    EMPTY_ROOT,
    FANOUT,
    Growing,
    HashesOf,
    consistency_proof,
    extends,
    fold,
    in_memory,
    includes,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
)
from tests.proofs.vectors import EMPTY, INPUTS, PATHS, PROOFS, ROOTS

LARGEST = 2 * FANOUT**2 + FANOUT + 2
BOUNDARIES = [
    around + step
    for around in (FANOUT, 2 * FANOUT, FANOUT**2, FANOUT**2 + FANOUT, 2 * FANOUT**2)
    for step in (-1, 0, 1)
]
REFERENCE = in_memory([leaf_hash(data) for data in INPUTS])
sizes = st.one_of(st.integers(1, 700), st.sampled_from(BOUNDARIES), st.integers(1, LARGEST))


def by_definition(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, over leaf hashes."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(by_definition(leaves[:split]), by_definition(leaves[split:]))


@lru_cache
def levels() -> list[list[bytes]]:
    """Some leaves, and the roots of all complete subtrees above them, level by level."""
    found = [[leaf_hash(str(number).encode()) for number in range(LARGEST)]]
    while len(below := found[-1]) >= FANOUT:
        found.append([fold(below[at : at + FANOUT]) for at in range(0, len(below) - FANOUT + 1, FANOUT)])
    return found


def stored(size: int, reads: list[int] | None = None) -> HashesOf:
    """A tree of the first `size` leaves that has no more than is stored: leaves, and complete subtrees."""

    def hashes(level: int, start: int, stop: int) -> list[bytes]:
        assert 0 <= start < stop <= size // FANOUT**level
        if reads is not None:
            reads.append(stop - start)
        return levels()[level][start:stop]

    return hashes


def decoded(proof: list[str]) -> list[bytes]:
    return [bytes.fromhex(found) for found in proof]


def test_the_reference_tree_has_the_published_roots() -> None:
    assert root(REFERENCE, 0) == EMPTY_ROOT == Growing().root() == EMPTY
    assert [root(REFERENCE, size) for size in range(1, 9)] == ROOTS


@pytest.mark.parametrize(("index", "size"), PATHS)
def test_the_reference_tree_has_the_published_inclusion_proofs(index: int, size: int) -> None:
    path = decoded(PATHS[index, size])
    assert inclusion_proof(REFERENCE, index, size) == path
    assert includes(leaf_hash(INPUTS[index]), index, size, path, ROOTS[size - 1])


@pytest.mark.parametrize(("first", "second"), PROOFS)
def test_the_reference_tree_has_the_published_consistency_proofs(first: int, second: int) -> None:
    proof = decoded(PROOFS[first, second])
    assert consistency_proof(REFERENCE, first, second) == proof
    assert extends(first, ROOTS[first - 1], second, ROOTS[second - 1], proof)


def test_every_proof_in_every_tree_of_up_to_a_hundred_leaves_verifies() -> None:
    leaves = levels()[0]
    tree, roots = in_memory(leaves), [by_definition(leaves[:size]) for size in range(1, 101)]
    for size, found in enumerate(roots, start=1):
        assert root(tree, size) == found
        for place in range(size):
            assert includes(leaves[place], place, size, inclusion_proof(tree, place, size), found)
            earlier, proof = roots[place], consistency_proof(tree, place + 1, size)
            assert extends(place + 1, earlier, size, found, proof)


@given(st.data(), sizes)
def test_every_leaf_of_a_stored_tree_has_a_proof(data: st.DataObject, size: int) -> None:
    index = data.draw(st.one_of(st.integers(0, size - 1), st.sampled_from([0, size - 1])))
    tree = stored(size)
    assert includes(levels()[0][index], index, size, inclusion_proof(tree, index, size), root(tree, size))


@given(sizes, sizes)
def test_every_two_stored_trees_have_a_proof_that_one_begins_the_other(one: int, other: int) -> None:
    first, second = sorted((one, other))
    tree = stored(second)
    proof = consistency_proof(tree, first, second)
    assert extends(first, root(tree, first), second, root(tree, second), proof)


@pytest.mark.parametrize("first", [1, FANOUT - 1, FANOUT, FANOUT + 1, FANOUT**2 - 1, FANOUT**2])
@pytest.mark.parametrize("second", BOUNDARIES)
def test_proofs_across_the_levels_that_are_stored_verify(first: int, second: int) -> None:
    if first > second:
        return
    tree, found = stored(second), root(stored(second), second)
    proof = consistency_proof(tree, first, second)
    assert extends(first, root(tree, first), second, found, proof)
    for index in {first - 1, min(first, second - 1), second - 1}:
        assert includes(levels()[0][index], index, second, inclusion_proof(tree, index, second), found)


def test_the_empty_tree_begins_every_tree() -> None:
    tree = stored(300)
    assert consistency_proof(tree, 0, 300) == []
    assert extends(0, EMPTY_ROOT, 300, root(tree, 300), [])
    assert extends(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])
    assert not extends(0, EMPTY_ROOT, 0, root(tree, 300), [])
    assert not extends(0, root(tree, 300), 300, root(tree, 300), [])


@given(sizes)
def test_a_proof_in_a_large_tree_reads_a_few_short_ranges(size: int) -> None:
    reads: list[int] = []
    inclusion_proof(stored(size, reads), size // 3, size)
    assert max(reads, default=0) <= FANOUT // 2
    assert len(reads) <= 2 * size.bit_length()


@given(sizes)
def test_a_stored_tree_has_the_root_of_the_definition(size: int) -> None:
    assert root(stored(size), size) == by_definition(levels()[0][:size])


def test_a_tree_that_is_read_leaf_by_leaf_has_the_same_roots() -> None:
    growing, at = Growing(), {*range(1, 700), *BOUNDARIES}
    for size, leaf in enumerate(levels()[0], start=1):
        growing.add(leaf)
        if size in at:
            assert (growing.size, growing.root()) == (size, root(stored(size), size))


def test_the_hashes_of_leaves_and_nodes_are_those_of_the_definition() -> None:
    assert leaf_hash(b"x") == hashlib.sha256(b"\x00x").digest()
    assert node_hash(b"l" * 32, b"r" * 32) == hashlib.sha256(b"\x01" + b"l" * 32 + b"r" * 32).digest()
