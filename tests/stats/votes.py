"""Votes for the tests of the statistics: rows that anyone can count, drawn by Hypothesis, simulated or published."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import prod
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from hypothesis import strategies as st

from arena.stats.cells import OUTCOMES, Cells, Outcome, count_cells
from arena.stats.clusters import Grouped
from arena.stats.rating import MIN_VOTERS
from benchmarks.simulated import Electorate, heavy_tailed

DATA: Final = Path(__file__).parent / "data"
CREDIT: Final[dict[Outcome, int]] = {"a": 2, "b": 0, "tie": 1, "both_bad": 1}
"""Of the entry shown first, in halves."""
OTHER_SIDE: Final[dict[Outcome, Outcome]] = {"a": "b", "b": "a", "tie": "tie", "both_bad": "both_bad"}


class Vote(NamedTuple):
    """`number` equal votes of a voter; `first` and `second` are places of entries."""

    voter: int
    first: int
    second: int
    outcome: Outcome
    number: int = 1

    def sides_swapped(self) -> "Vote":
        return self._replace(first=self.second, second=self.first, outcome=OTHER_SIDE[self.outcome])

    def reversed(self) -> "Vote":
        return self._replace(outcome=OTHER_SIDE[self.outcome])


class Round(NamedTuple):
    entries: int
    votes: tuple[Vote, ...]

    def changed(self, change: Callable[[Vote], Vote]) -> "Round":
        return self._replace(votes=tuple(map(change, self.votes)))

    def plus(self, *votes: Vote) -> "Round":
        return self._replace(votes=self.votes + votes)

    def cells(self) -> Cells:
        entries = names(self.entries)
        rows = ((entries[vote.first], entries[vote.second], vote.outcome, vote.number) for vote in self.votes)
        return Cells(entries, count_cells(entries, rows), grouped(self.votes))


def names(size: int) -> tuple[str, ...]:
    return tuple(f"entry {place:02}" for place in range(size))


def grouped(votes: Iterable[Vote]) -> Grouped:
    number: Counter[tuple[int, int, int]] = Counter()
    credit: Counter[tuple[int, int, int]] = Counter()
    for vote in votes:
        number[vote[:3]] += vote.number
        credit[vote[:3]] += CREDIT[vote.outcome] * vote.number
    keys = sorted(number)
    rows = [[*key, number[key], credit[key]] for key in keys]
    voter, *others = np.array(rows, dtype=np.int64).reshape(-1, 5).T
    voters, place = np.unique(voter, return_inverse=True)
    return Grouped(len(voters), place, *others)


def simulated(size: int, votes: int, voters: int, seed: int) -> Cells:
    """Voters with tastes of their own, some far busier than others."""
    random = np.random.default_rng(seed)
    cast = Electorate(random.normal(0, 0.3, size)).vote(heavy_tailed(votes, voters, random), random)
    return Cells(names(size), cast.counts(), cast.grouped())


def published(most: int) -> Cells:
    """The llmfao votes between the models that got the most, by the workers who cast them."""
    outcomes: dict[str, Outcome] = {"left": "a", "right": "b", "tie": "tie"}
    with (DATA / "llmfao.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    models = Counter(row[side] for row in rows for side in ("left", "right"))
    entries = sorted(model for model, _ in models.most_common(most))
    places = {entry: place for place, entry in enumerate(entries)}
    votes = tuple(
        Vote(int(row["worker"]), places[row["left"]], places[row["right"]], outcomes[row["winner"]])
        for row in rows
        if row["left"] in places and row["right"] in places
    )
    cells = Round(len(entries), votes).cells()
    return Cells(tuple(entries), cells.counts, cells.clusters)


def voters_of_one_vote_each(size: int) -> list[Vote]:
    """Voters, numbered below 0, whose votes alone make a round ratable, with a side effect and intervals.

    As many as intervals need. Each entry wins and loses against the next one round a ring: nobody's strength, nor the
    side's effect, can grow without end.
    """
    outcomes: Sequence[Outcome] = ("a", "b")
    return [Vote(-1 - k, k // 2 % size, (k // 2 + 1) % size, outcomes[k % 2]) for k in range(MIN_VOTERS)]


@st.composite
def rounds(draw: st.DrawFn, most: int = 30, ratable: bool = False) -> Round:
    """Rounds of up to 5 entries, often sparse, so that many are not ratable unless asked."""
    size = draw(st.integers(2, 5))
    shape = (25, size, size - 1, len(OUTCOMES))
    kind = st.integers(0, prod(shape) - 1)  # one draw for the four, which is quicker

    def vote(kind: int, number: int) -> Vote:
        voter, first, step, outcome = map(int, np.unravel_index(kind, shape))
        return Vote(voter, first, (first + 1 + step) % size, OUTCOMES[outcome], number)

    drawn = draw(st.lists(st.builds(vote, kind, st.integers(1, most)), max_size=16))
    return Round(size, (*drawn, *(voters_of_one_vote_each(size) if ratable else ())))
