"""Do 95 % intervals hold the truth 95 % of the time? `python -m benchmarks.coverage [--quick]`

Many rounds of the same citizens are simulated (see `benchmarks.simulated`), rated, and their intervals compared
with the truth: the strengths and side that the fit would find with endless votes of all citizens, each pair met
equally often. Citizens differ, so these are smaller than the strengths of a typical citizen; they are what a
round estimates. Seeded: the same figures on every run, up to rounding.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product
from statistics import fmean
from typing import Final, TypeAlias

import numpy as np

from arena.stats.arithmetic import quantile
from arena.stats.bradley_terry import Fit, covariance, fit, obstacle
from arena.stats.cells import Cells, Floats
from arena.stats.clusters import Independent
from benchmarks.simulated import Electorate, Votes, heavy_tailed
from benchmarks.table import Row, say, table

ROUNDS: Final = 4_000
ROUNDS_QUICK: Final = 500
VOTES: Final = 4_000
VOTERS: Final = 500
CAPS: Final = (30, 50)
FEW_VOTERS: Final = (5, 10, 20, 30, 50)
VOTES_OF_FEW: Final = 20
TASTES: Final = (0.5, 1.0)
BAR: Final = (0.93, 0.965)

Method: TypeAlias = Callable[[Fit, Votes], Floats]

ENTRIES: Final = ("a", "b", "c", "d", "e")
STRENGTHS: Final = np.array([0.4, 0.2, 0.0, -0.2, -0.4])
SEED: Final = 20261122


def inverse_information(fitted: Fit, _: Votes) -> Floats:
    return fitted.bread


def vote_level(fitted: Fit, votes: Votes) -> Floats:
    counts = votes.counts()
    return covariance(fitted, Cells(ENTRIES, counts, Independent(counts)))


def clustered(fitted: Fit, votes: Votes) -> Floats:
    return covariance(fitted, Cells(ENTRIES, votes.counts(), votes.grouped()))


METHODS: Final = (inverse_information, vote_level, clustered)


@dataclass(slots=True)
class Coverage:
    """Of each round the share of the entries' intervals that held, and whether all differences held together."""

    strengths: list[float] = field(default_factory=list)
    differences: list[float] = field(default_factory=list)

    def add(self, error: Floats, spread: Floats) -> None:
        """`error` (n,): estimate less truth, of mean 0; `spread` (n, n): its covariance as the method has it."""
        size = len(error)
        variances = spread.diagonal()
        one, other = np.triu_indices(size, 1)
        gaps, gap_variances = error[one] - error[other], variances[one] + variances[other] - 2 * spread[one, other]
        self.strengths.append(float((error**2 <= float(quantile()) ** 2 * variances).mean()))
        self.differences.append(float((gaps**2 <= float(quantile(len(one))) ** 2 * gap_variances).all()))


def _share(held: list[float]) -> str:
    """With the standard error that the number of rounds leaves."""
    return f"{np.mean(held):.1%} ± {np.std(held) / np.sqrt(len(held)):.1%}"


def truth(electorate: Electorate) -> Floats:
    """Shape (n,): the strengths that endless votes lead to, from the expected credits as huge counts."""
    votes = 10**12
    won = np.rint(electorate.expected_credit() * votes).astype(np.int64)
    np.fill_diagonal(won, 0)
    lost = (votes - won) * ~np.eye(len(won), dtype=bool)
    undecided = np.zeros_like(won)
    return fit(np.stack([won, lost, undecided, undecided], axis=2)).strengths


def coverage(electorate: Electorate, rounds: Iterable[Votes], methods: Sequence[Method]) -> list[Coverage]:
    """One for each method. Rounds that have no fit are left out."""
    strengths, found = truth(electorate), [Coverage() for _ in methods]
    for votes in rounds:
        counts = votes.counts()
        if obstacle(ENTRIES, counts):
            continue
        fitted = fit(counts)
        for method, held in zip(methods, found, strict=True):
            size = len(strengths)
            held.add(fitted.strengths - strengths, method(fitted, votes)[:size, :size])
    return found


def large_rounds(taste: float, cap: int | None, rounds: int) -> list[Row]:
    """The same votes for every cap."""
    random, electorate = np.random.default_rng(SEED), Electorate(STRENGTHS, taste=taste)
    cast = (electorate.vote(heavy_tailed(VOTES, VOTERS, random), random) for _ in range(rounds))
    rated = (votes.capped(cap or VOTES) for votes in cast)
    by_information, by_vote, by_voter = coverage(electorate, rated, METHODS)
    what = f"taste {taste}, at most {cap} votes of a voter" if cap else f"taste {taste}, no cap"
    bar, met = ("93 to 96.5 %", BAR[0] <= fmean(by_voter.strengths) <= BAR[1]) if cap else ("", None)
    say(what)
    return [
        Row(f"{what}: inverse information", _share(by_information.strengths)),
        Row(f"{what}: every vote for itself", _share(by_vote.strengths)),
        Row(f"{what}: clustered by voter", _share(by_voter.strengths), bar, met),
        Row(f"{what}: clustered, all differences together", _share(by_voter.differences)),
    ]


def few_voters(voters: int, rounds: int, *, busy: bool) -> list[Row]:
    """As many votes on average as there are ordered pairs."""
    random, electorate = np.random.default_rng(SEED), Electorate(STRENGTHS)
    even = np.full(voters, VOTES_OF_FEW)
    activities = (heavy_tailed(voters * VOTES_OF_FEW, voters, random) if busy else even for _ in range(rounds))
    cast = (electorate.vote(activity, random).capped(CAPS[0]) for activity in activities)
    (held,) = coverage(electorate, cast, [clustered])
    what = f"{voters} voters, " + ("heavy-tailed" if busy else "equally busy")
    say(what)
    return [
        Row(f"{what}: clustered by voter", _share(held.strengths)),
        Row(f"{what}: clustered, all differences together", _share(held.differences)),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures how often the 95 % intervals hold the truth.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, some 10 seconds")
    quick = parser.parse_args().quick
    rounds = ROUNDS_QUICK if quick else ROUNDS
    rows = [row for taste, cap in product(TASTES, (*CAPS, None)) for row in large_rounds(taste, cap, rounds)]
    rows += [row for few, busy in product(FEW_VOTERS, (False, True)) for row in few_voters(few, rounds, busy=busy)]
    print(table(rows, quick=quick))
    return 0


if __name__ == "__main__":
    sys.exit(main())
