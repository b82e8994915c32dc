"""Forged Merkle proofs, of which none is accepted.

A proof does not tell how large a tree is but which way leads up to its root: sizes whose ways are the same are the
same claim. That is why a size is signed together with its root.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import pytest

from arena.proofs.merkle import (
    consistency_proof,
    extends,
    in_memory,
    includes,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
)

FORGED = 10_000
LEAVES = [leaf_hash(str(number).encode()) for number in range(600)]
TREE = in_memory(LEAVES)
ROOTS = [root(TREE, size) for size in range(len(LEAVES) + 1)]
HUGE = 2**70


@dataclass(frozen=True)
class Inclusion:
    leaf: bytes
    index: int
    size: int
    root: bytes
    proof: tuple[bytes, ...]

    def accepted(self) -> bool:
        return includes(self.leaf, self.index, self.size, self.proof, self.root)

    def way(self) -> list[str]:
        """On which side each hash of the proof stands, by PATH of RFC 6962."""
        index, size, way = self.index, self.size, list[str]()
        while size > 1:
            index, size, side = _below(index, size)
            way.append(side)
        return way


@dataclass(frozen=True)
class Consistency:
    first: int
    first_root: bytes
    second: int
    second_root: bytes
    proof: tuple[bytes, ...]

    def accepted(self) -> bool:
        return extends(self.first, self.first_root, self.second, self.second_root, self.proof)

    def way(self) -> list[str]:
        """On which side each hash of the proof stands, by SUBPROOF of RFC 6962."""
        last, size, way = self.first - 1, self.second, list[str]()
        while last + 1 < size:
            last, size, side = _below(last, size)
            way.append(side)
        return [*way, "given" if "left" in way else "first root"]


Claim: TypeAlias = Inclusion | Consistency


def _below(index: int, size: int) -> tuple[int, int, str]:
    """From a tree to that of its two subtrees in which `index` lies, and on which side the other one stands."""
    split = 1
    while split * 2 < size:
        split *= 2
    return (index, split, "right") if index < split else (index - split, size - split, "left")


def proven(index: int, size: int) -> Inclusion:
    return Inclusion(LEAVES[index], index, size, ROOTS[size], tuple(inclusion_proof(TREE, index, size)))


def grown(first: int, second: int) -> Consistency:
    return Consistency(first, ROOTS[first], second, ROOTS[second], tuple(consistency_proof(TREE, first, second)))


def altered(claim: Claim, values: dict[str, Any]) -> Claim:
    return replace(claim, **values)


def any_claim(chance: random.Random) -> Claim:
    size = chance.randint(1, len(LEAVES))
    if chance.random() < 0.5:
        return proven(chance.randrange(size), size)
    return grown(chance.randint(1, size), size)


def flipped(chance: random.Random, found: bytes) -> bytes:
    bit = chance.randrange(8 * len(found))
    return (int.from_bytes(found, "big") ^ 1 << bit).to_bytes(len(found), "big")


def any_hash(chance: random.Random) -> bytes:
    return chance.choice([*chance.sample(LEAVES, 3), *chance.sample(ROOTS, 3), chance.randbytes(32)])


def in_proof(chance: random.Random, claim: Claim) -> Claim:
    proof = list(claim.proof)
    at = chance.randint(0, len(proof))
    kind = chance.choice(["added", *(["flipped", "dropped", "swapped", "replaced"] if proof else [])])
    if kind == "added":
        proof.insert(at, any_hash(chance))
    elif kind == "flipped":
        proof[at - 1] = flipped(chance, proof[at - 1])
    elif kind == "dropped":
        del proof[at - 1]
    elif kind == "swapped":
        proof[at - 1], proof[0] = proof[0], proof[at - 1]
    else:
        proof[at - 1] = any_hash(chance)
    return replace(claim, proof=tuple(proof))


def in_numbers(chance: random.Random, claim: Claim) -> Claim:
    name = chance.choice(["index", "size"] if isinstance(claim, Inclusion) else ["first", "second"])
    number = getattr(claim, name)
    others = (number - 1, number + 1, number ^ 2, number * 2, number // 2, -number, 0, chance.randint(1, 600), HUGE)
    return altered(claim, {name: chance.choice(others)})


def in_hashes(chance: random.Random, claim: Claim) -> Claim:
    name = chance.choice(["leaf", "root"] if isinstance(claim, Inclusion) else ["first_root", "second_root"])
    found = getattr(claim, name)
    other = chance.choice([flipped(chance, found), any_hash(chance), found[:-1], found + b"\0", b""])
    return altered(claim, {name: other})


def of_another(chance: random.Random, claim: Claim) -> Claim:
    """The proof of another leaf or tree, or another checkpoint: a size with its own root."""
    other = chance.randint(1, len(LEAVES))
    if isinstance(claim, Inclusion):
        strange = proven(chance.randrange(claim.size), claim.size)
        return chance.choice([replace(claim, proof=strange.proof), replace(claim, size=other, root=ROOTS[other])])
    strange_proof = grown(chance.randint(1, claim.second), claim.second).proof
    moved = replace(claim, second=other, second_root=ROOTS[other])
    return chance.choice([replace(claim, proof=strange_proof), moved])


MUTATIONS: tuple[Callable[[random.Random, Claim], Claim], ...] = (in_proof, in_numbers, in_hashes, of_another)


def says_the_same(one: Claim, other: Claim) -> bool:
    """Whether they differ in nothing but sizes or an index with which the same way leads to the same roots."""
    numbers = ("index", "size") if isinstance(one, Inclusion) else ("first", "second")
    if altered(one, {name: getattr(other, name) for name in numbers}) != other:
        return False
    first, second = (getattr(other, name) for name in numbers)
    lies_within = 0 <= first < second if isinstance(one, Inclusion) else 0 < first <= second
    return lies_within and one.way() == other.way()


def test_of_ten_thousand_forged_proofs_none_is_accepted() -> None:
    chance = random.Random(6962)
    accepted, forged = [], 0
    while forged < FORGED:
        claim = any_claim(chance)
        assert claim.accepted()
        other = chance.choice(MUTATIONS)(chance, claim)
        if says_the_same(claim, other):
            assert other.accepted()
            continue
        forged += 1
        if other.accepted():
            accepted.append((claim, other))
    assert accepted == []


@pytest.mark.parametrize("index", [-HUGE, -1, 0, 4, 5, HUGE])
@pytest.mark.parametrize("size", [-HUGE, -1, 0, 5, HUGE])
@pytest.mark.parametrize("hashes", [0, 3, 70, 5000])
def test_hostile_inclusion_proofs_are_refused(index: int, size: int, hashes: int) -> None:
    proof = [bytes([number % 256]) * 32 for number in range(hashes)]
    assert not includes(LEAVES[0], index, size, proof, ROOTS[5])
    assert not includes(b"", index, size, proof, b"")


@pytest.mark.parametrize("first", [-HUGE, -1, 0, 3, 5, HUGE])
@pytest.mark.parametrize("second", [-HUGE, -1, 0, 5, HUGE])
@pytest.mark.parametrize("hashes", [0, 3, 70, 5000])
def test_hostile_consistency_proofs_are_refused(first: int, second: int, hashes: int) -> None:
    proof = [bytes([number % 256]) * 32 for number in range(hashes)]
    assert not extends(first, ROOTS[3], second, ROOTS[5], proof)
    assert not extends(first, b"", second, b"", proof)


def test_no_tree_begins_one_of_a_negative_size() -> None:
    assert not extends(-1, ROOTS[3], -1, ROOTS[3], [])


def test_an_entry_is_never_taken_for_a_node_nor_a_node_for_an_entry() -> None:
    """Whoever could pass off two hashes as an entry would have an entry that nobody wrote."""
    left, right = node_hash(LEAVES[0], LEAVES[1]), node_hash(LEAVES[2], LEAVES[3])
    for entry in (LEAVES[0] + LEAVES[1], b"\1" + LEAVES[0] + LEAVES[1]):
        assert not includes(leaf_hash(entry), 0, 2, [right], ROOTS[4])
    for index in range(4):
        assert not includes(left, index, 4, [right], ROOTS[4])
        assert not includes(left, index, 4, [LEAVES[1], right], ROOTS[4])


def test_hashes_of_another_length_cannot_shift_the_border_between_two() -> None:
    both = LEAVES[0] + LEAVES[1]
    for cut in (0, 1, 31, 33, 63, 64):
        assert not includes(both[:cut], 0, 2, [both[cut:]], ROOTS[2])
        assert not extends(1, both[:cut], 2, ROOTS[2], [both[cut:]])
