"""Who meets whom: fixed in advance, fair to every pair and both sides, and replayable by anyone with the seed."""

import hashlib
import hmac
from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.rounds.pairing import order, pair

SEED = bytes(range(32))
TEAMS = ["e1", "e2", "e3", "e4", "e5"]

entries = st.integers(2, 7).map(lambda n: [f"e{i}" for i in range(1, n + 1)])
seeds = st.binary(min_size=32, max_size=32)
names = st.text("0123456789abcdef", min_size=1, max_size=32)


def replay(seed: bytes, slug: str, epoch: int, teams: list[str], voter: str, k: int) -> tuple[str, str]:
    """The published rule, written again from its description alone."""
    cells = [(a, b) for a in teams for b in teams if a != b]
    block, place = k // len(cells), k % len(cells)
    message = "|".join([slug, str(epoch), voter, str(block)]).encode("utf-8")
    digest = hmac.new(seed, message, hashlib.sha256).digest()
    ranked = []
    for i in range(len(cells)):
        four = bytes([i >> 24 & 255, i >> 16 & 255, i >> 8 & 255, i & 255])
        ranked.append((hashlib.sha256(digest + four).hexdigest(), i))
    ranked.sort()
    return cells[ranked[place][1]]


@given(seeds, names, st.integers(1, 9), entries, names, st.integers(0, 3))
def test_a_voter_meets_every_pair_on_both_sides_once_before_any_comes_again(
    seed: bytes, slug: str, epoch: int, teams: list[str], voter: str, block: int
) -> None:
    cells = len(teams) * (len(teams) - 1)
    met = [pair(seed, slug, epoch, teams, voter, block * cells + place) for place in range(cells)]
    assert sorted(met) == sorted(permutations(teams, 2))


@given(seeds, names, st.integers(1, 9), entries, names, st.integers(0, 200))
def test_everyone_with_the_seed_computes_the_same_pair(
    seed: bytes, slug: str, epoch: int, teams: list[str], voter: str, k: int
) -> None:
    dealt = pair(seed, slug, epoch, teams, voter, k)
    assert dealt == pair(seed, slug, epoch, tuple(teams), voter, k)
    assert dealt == replay(seed, slug, epoch, teams, voter, k)


@pytest.mark.parametrize(
    ("epoch", "voter", "k", "expected"),
    [
        (1, "minji", 0, ("e5", "e1")),
        (1, "minji", 1, ("e1", "e2")),
        (1, "minji", 19, ("e2", "e1")),
        (1, "minji", 20, ("e3", "e4")),
        (1, "junho", 0, ("e2", "e4")),
        (2, "minji", 0, ("e1", "e2")),
        (1, "ffffffffffffffffffffffffffffffff", 123, ("e2", "e1")),
    ],
)
def test_pairs_stay_what_they_were(epoch: int, voter: str, k: int, expected: tuple[str, str]) -> None:
    assert pair(SEED, "stage-1", epoch, TEAMS, voter, k) == expected


def test_voters_blocks_epochs_rounds_and_seeds_differ_in_their_order() -> None:
    def block(seed: bytes, slug: str, epoch: int, voter: str, number: int) -> tuple[tuple[str, str], ...]:
        return tuple(pair(seed, slug, epoch, TEAMS, voter, 20 * number + place) for place in range(20))

    blocks = {
        block(SEED, "stage-1", 1, "minji", 0),
        block(SEED, "stage-1", 1, "junho", 0),
        block(SEED, "stage-1", 1, "minji", 1),
        block(SEED, "stage-1", 2, "minji", 0),
        block(SEED, "stage-2", 1, "minji", 0),
        block(bytes(32), "stage-1", 1, "minji", 0),
    }
    assert len(blocks) == 6


def test_over_many_voters_every_ordered_pair_comes_first_equally_often() -> None:
    """Chi-square against the even spread; the voters are fixed, so the outcome is too."""
    voters = 8000
    first = Counter(pair(SEED, "stage-1", 1, TEAMS, f"voter-{i}", 0) for i in range(voters))
    even = voters / 20
    chi_square = sum((first[cell] - even) ** 2 / even for cell in permutations(TEAMS, 2))
    assert chi_square < 43.8  # 19 degrees of freedom, p = 0.001


def test_over_many_voters_the_sides_are_even_at_every_place() -> None:
    voters = 4000
    for k in (0, 1, 7, 19):
        dealt = [pair(SEED, "stage-1", 1, TEAMS, f"voter-{i}", k) for i in range(voters)]
        earlier_entry_left = sum(a < b for a, b in dealt)
        assert abs(earlier_entry_left - voters / 2) < 3.3 * (voters / 4) ** 0.5


@given(st.binary(min_size=32, max_size=32), st.integers(0, 100))
def test_an_order_is_a_permutation(digest: bytes, size: int) -> None:
    assert sorted(order(digest, size)) == list(range(size))
