"""Figures as they are published: one text and one hash on every machine."""

import hashlib
import json
import os
import platform
import re
import subprocess
import sys
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from arena.stats.cells import Cells
from arena.stats.clusters import Grouped
from arena.stats.figures import cells_hash, fingerprint, ratings_body, scores_body
from arena.stats.rating import rate_exactly
from arena.stats.scores import ScoreRule, rate_and_score
from tests.stats.machine import VOTES, golden, official
from tests.stats.votes import DATA, Round, Vote, rounds, voters_of_one_vote_each

ROOT = Path(__file__).parents[2]
CPU = Path("/proc/cpuinfo")
AVX512 = CPU.exists() and {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= set(CPU.read_text("utf-8").split())
needs_avx512 = pytest.mark.skipif(not AVX512, reason="OpenBLAS runs a kernel that is named without asking the CPU")
kernels = pytest.mark.parametrize("kernel", ["Nehalem", "Haswell", pytest.param("SkylakeX", marks=needs_avx512)])


@lru_cache
def hashes(**environment: str) -> dict[str, dict[str, str]]:
    """What `tests.stats.machine` writes in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.stats.machine"],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    written: dict[str, dict[str, str]] = json.loads(run.stdout)
    return written


@lru_cache
def official_here() -> dict[str, str]:
    return {name: fingerprint(official(cells)) for name, cells in VOTES.items()}


@kernels
@pytest.mark.parametrize("threads", ["1", "2"])
def test_official_figures_are_the_same_with_any_kernel_and_any_threads(kernel: str, threads: str) -> None:
    assert hashes(OPENBLAS_CORETYPE=kernel, OPENBLAS_NUM_THREADS=threads)["official"] == official_here()


def test_official_figures_are_the_same_without_the_processors_newer_instructions() -> None:
    plain = hashes(NPY_DISABLE_CPU_FEATURES="X86_V3 X86_V4 AVX512_ICL AVX512_SPR")

    assert plain["official"] == official_here()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the kernels named are those of x86-64")
def test_floats_do_differ_between_kernels() -> None:
    """Otherwise equal official figures would prove nothing."""
    one, other = (hashes(OPENBLAS_CORETYPE=k, OPENBLAS_NUM_THREADS="1")["floats"] for k in ("Nehalem", "Haswell"))

    assert all(one[name] != other[name] for name in VOTES)


def test_official_figures_of_published_votes_are_those_once_computed() -> None:
    """On another machine, at another time: see the README beside the file."""
    text = (DATA / "official-figures.json").read_text(encoding="utf-8")
    stored = json.loads(text)

    assert golden() == text
    assert stored["sha256"] == by_hand(stored["figures"])


def by_hand(body: dict[str, Any]) -> str:
    """RFC 8785 for bodies that hold no floats and no surrogates, by the standard library."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


RULE = ScoreRule(25, "anchored", "0.35", "0.65", 10)


def bodies(cells: Cells) -> tuple[dict[str, Any], dict[str, Any]]:
    ratings, scores = rate_and_score(cells, RULE)
    return ratings_body(ratings), scores_body(scores, final=True)


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict | list):
        return [leaf for item in (value.values() if isinstance(value, dict) else value) for leaf in leaves(item)]
    return [value]


@settings(max_examples=50)
@given(rounds() | rounds(ratable=True))
def test_bodies_hold_figures_of_six_places_and_no_floats(drawn: Round) -> None:
    for leaf in [leaf for body in bodies(drawn.cells()) for leaf in leaves(body)]:
        assert leaf is None or type(leaf) in (str, int, bool)
        if isinstance(leaf, str) and "." in leaf:
            assert re.fullmatch(r"-?\d+\.\d{6}", leaf) or leaf in (RULE.low, RULE.high)


@settings(max_examples=50)
@given(rounds() | rounds(ratable=True))
def test_a_ratings_hash_is_that_of_all_the_rest_and_anyone_can_compute_it(drawn: Round) -> None:
    body = ratings_body(rate_exactly(drawn.cells()))
    rest = {key: value for key, value in body.items() if key != "figures_hash"}

    assert body["figures_hash"] == fingerprint(rest) == by_hand(rest)


@settings(max_examples=50)
@given(rounds(ratable=True))
def test_published_figures_are_the_computed_ones(drawn: Round) -> None:
    ratings, scores = rate_and_score(drawn.cells(), RULE)
    body, points = ratings_body(ratings), scores_body(scores, final=True)

    for entry, said in zip(ratings.entries, body["entries"], strict=True):
        assert (said["entry"], said["votes"], tuple(said["rank"])) == (entry.entry, entry.votes, entry.rank)
        assert (Decimal(said["rating"]), Decimal(said["win_share"])) == (entry.rating, entry.win_share)
        assert tuple(map(Decimal, said["interval"])) == entry.interval
    for scored, said in zip(scores.entries, points["entries"], strict=True):
        assert (said["entry"], Decimal(said["points"])) == (scored.entry, scored.points)
        assert tuple(map(Decimal, said["interval"])) == scored.interval
    assert [tuple(pair["entries"]) for pair in body["neighbours"]] == [pair.entries for pair in ratings.neighbours]


def test_figures_that_votes_do_not_give_are_null() -> None:
    body, points = bodies(Round(2, (Vote(0, 0, 1, "a"),)).cells())

    assert body["state"] == "not_ratable"
    assert body["why"] == {"code": "one_sided", "entries": ["entry 00", "entry 01"]}
    assert (body["side"], body["neighbours"], body["last"]) == (None, [], None)
    assert {entry["rating"] for entry in body["entries"]} == {None}
    assert {(entry["points"], entry["interval"]) for entry in points["entries"]} == {(None, None)}


@pytest.mark.parametrize("final", [True, False])
def test_points_are_provisional_until_the_end_and_where_votes_are_too_few(final: bool) -> None:
    votes = Round(3, (*voters_of_one_vote_each(2), Vote(0, 0, 2, "a"), Vote(0, 0, 2, "b"), Vote(1, 2, 1, "tie")))
    _, scores = rate_and_score(votes.cells(), RULE)
    body = scores_body(scores, final=final)

    assert [entry["provisional"] for entry in body["entries"]] == [not final, not final, True]
    assert body["provisional"]


def kept(drawn: Round) -> Cells:
    cells = drawn.cells()
    assert isinstance(cells.clusters, Grouped)
    return Cells(cells.entries, cells.counts, cells.clusters.gram(drawn.entries))


TWO_VOTERS = Round(2, (Vote(0, 0, 1, "a"), Vote(0, 1, 0, "tie"), Vote(1, 0, 1, "b"), Vote(1, 1, 0, "both_bad")))


def test_the_hash_of_cells_can_be_computed_by_hand() -> None:
    """Pairs in the order 00, 01, 10, 11: votes of both voters at 01 and 10; credit 2 and 1, then 0 and 1."""
    products = np.zeros((2, 2, 4, 4), dtype="<i8")
    for votes, credit in (([0, 1, 1, 0], [0, 2, 1, 0]), ([0, 1, 1, 0], [0, 0, 1, 0])):
        products += np.einsum("ka,lb->klab", [votes, credit], [votes, credit])
    expected = {
        "entries": ["entry 00", "entry 01"],
        "counts": [[[0, 0, 0, 0], [1, 1, 0, 0]], [[0, 0, 1, 1], [0, 0, 0, 0]]],
        "voters": 2,
        "together": hashlib.sha256(products.tobytes()).hexdigest(),
    }

    assert cells_hash(kept(TWO_VOTERS)) == by_hand(expected)


@given(rounds())
def test_the_hash_of_cells_does_not_depend_on_the_order_of_votes_or_voters(drawn: Round) -> None:
    backwards = Round(drawn.entries, tuple(vote._replace(voter=-vote.voter) for vote in reversed(drawn.votes)))

    assert cells_hash(kept(backwards)) == cells_hash(kept(drawn))


def test_the_hash_of_cells_shows_a_changed_vote_and_a_vote_given_to_another_voter() -> None:
    one, *others = TWO_VOTERS.votes
    changed = [one._replace(outcome="b"), one._replace(voter=1), one._replace(voter=2), one.sides_swapped()]
    different = [TWO_VOTERS, *(Round(2, (vote, *others)) for vote in changed)]

    assert len({cells_hash(kept(drawn)) for drawn in different}) == len(different)
