"""The fewest votes whose removal, or reversal, makes another entry last.

Which votes of many do it is a question of combinations. But votes of one type (shown first, shown second, outcome)
all do the same, and influence tells what one vote of each type does to the lead of a rival over the last entry
(Broderick, Giordano and Meager 2020, "An automatic finite-sample robustness metric"; Huang, Shen, Wei and Broderick
2025, "Dropping just a handful of preferences can change top large language model rankings"). The number found is an
upper bound of the least: a refit has shown that these votes suffice, nothing that fewer do not.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from arena.stats.bradley_terry import Fit, chances, fit
from arena.stats.cells import OUTCOMES, Cells, Counts, Floats, Integers, Outcome
from arena.stats.places import lowest, undercut
from arena.stats.refit import refit

_CREDIT: Final = np.array([1.0, 0.0, 0.5, 0.5])
_LOST_BY_REVERSAL: Final = np.array([1.0, -1.0, 0.0, 0.0])
_REVERSED: Final = [OUTCOMES.index(outcome) for outcome in ("b", "a", "tie", "both_bad")]
_ROUNDS: Final = 10  # two or three settle it; a bound for the others
_HANDFUL: Final = 8
_WIDTH: Final = 8


@dataclass(frozen=True, slots=True)
class VotesOfAType:
    """So many votes on `first`, shown first, against `second`, all with the same outcome."""

    first: str
    second: str
    outcome: Outcome
    votes: int


@dataclass(frozen=True, slots=True)
class FewestVotes:
    """With these votes removed, or reversed, `last` is the last entry; `types` with the most votes first."""

    votes: int
    types: tuple[VotesOfAType, ...]
    last: str


def fewest_votes(cells: Cells, *, reverse: bool, side: bool = True) -> FewestVotes | None:
    """The fewest votes found to remove, or else to `reverse`, so that another entry is last; cells must have a fit.

    Reversed, a vote for one entry is a vote for the other; ties stay. A change that leaves no fit does not count.
    None where no such votes were found, or where several entries are last already.
    """
    unchanged = _Change(np.zeros_like(cells.counts), fit(cells.counts, side=side))
    strengths = unchanged.fitted.strengths
    last = lowest(strengths)
    if last is None:
        return None
    rivals = [int(rival) for rival in np.argsort(strengths, kind="stable") if rival != last]
    found = (_Search(cells, unchanged, last, rival, reverse, side).run() for rival in rivals)
    change = min((change for change in found if change), key=lambda change: change.votes, default=None)
    return change.named(cells.entries) if change else None


@dataclass(frozen=True, slots=True, eq=False)
class _Change:
    """The votes chosen, (n, n, 4), and the fit with them removed or reversed."""

    chosen: Counts
    fitted: Fit

    @property
    def votes(self) -> int:
        return int(self.chosen.sum())

    def named(self, entries: Sequence[str]) -> FewestVotes:
        types = [
            VotesOfAType(entries[first], entries[second], OUTCOMES[outcome], int(self.chosen[first, second, outcome]))
            for first, second, outcome in np.argwhere(self.chosen).tolist()
        ]
        types.sort(key=lambda some: -some.votes)
        return FewestVotes(self.votes, tuple(types), entries[int(np.argmin(self.fitted.strengths))])


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """Looks for a change that makes another entry than `last` the last, with `rival` in view."""

    cells: Cells
    unchanged: _Change
    last: int
    rival: int
    reverse: bool
    side: bool

    def run(self) -> _Change | None:
        """By influence; where that takes few votes, or finds none, vote by vote as well."""
        found = self.by_influence()
        most = found.votes - 1 if found else _HANDFUL
        fewer = self.vote_by_vote(min(most, _HANDFUL)) if most < 2 * _HANDFUL else None
        return fewer or found

    def by_influence(self) -> _Change | None:
        """All votes of the most influential types, as far as needed, and again by the influence after that change.

        The least number takes those types that are the most influential after it.
        """
        fewest, latest = None, self.unchanged
        for _ in range(_ROUNDS):
            found = self.along(self.order(latest))
            if found is None or (fewest and found.votes >= fewest.votes):
                break
            fewest = latest = found
        return fewest

    def order(self, change: _Change) -> Integers:
        """The types that narrow the rival's lead, as flat places in the counts, the most influential first."""
        influence = np.where(self.cells.counts > 0, self.influence(change.fitted), 0).ravel()
        types = np.argsort(influence, kind="stable")
        return types[influence[types] < 0]

    def along(self, types: Integers) -> _Change | None:
        """The fewest votes in this order of types that do it; where one would leave no fit, its type ends before."""
        available, number = self.cells.counts.flat[types], 0

        def first(some: int) -> Counts:
            chosen = np.zeros_like(self.cells.counts)
            chosen.flat[types] = np.clip(some - np.cumsum(available) + available, 0, available)
            return chosen

        while number <= available.sum():
            number = _least(lambda some: self.settled(first(some)), number, int(available.sum()) + 1)
            if found := self.change(first(number)):
                return found if self.succeeds(found) else None
            upto = np.cumsum(available)
            place = int(np.searchsorted(upto, number))
            available[place] -= upto[place] - number + 1
        return None

    def settled(self, chosen: Counts) -> bool:
        """Whether another entry is last, or nobody for want of a fit."""
        change = self.change(chosen)
        return change is None or self.succeeds(change)

    def vote_by_vote(self, most: int) -> _Change | None:
        """A beam search: of all ways to choose one vote more, those that promise the narrowest lead are refitted."""
        beam = [self.unchanged]
        for _ in range(most):
            beam = [change for chosen in self.grown(beam) if (change := self.change(chosen))]
            for change in beam:
                if self.succeeds(change):
                    return change
        return None

    def grown(self, beam: list[_Change]) -> Iterator[Counts]:
        promised = np.array([self.promised(change) for change in beam])
        seen = set()
        for place in np.argsort(promised, axis=None, kind="stable")[:_WIDTH].tolist():
            member, vote_type = divmod(place, self.cells.counts.size)
            more = beam[member].chosen.copy()
            more.flat[vote_type] += 1
            if promised.flat[place] < np.inf and more.tobytes() not in seen:
                seen.add(more.tobytes())
                yield more

    def promised(self, change: _Change) -> Floats:
        """Shape (n, n, 4): the rival's lead with one vote more chosen of each type, infinite where none is left."""
        influence = self.influence(change.fitted)
        lead = change.fitted.strengths[self.rival] - change.fitted.strengths[self.last] + influence
        return np.where((change.chosen < self.cells.counts) & (influence < 0), lead, np.inf)

    def influence(self, fitted: Fit) -> Floats:
        """Shape (n, n, 4): what one vote more chosen of each type adds to the rival's lead, by one Newton step."""
        toward = fitted.bread[self.rival] - fitted.bread[self.last]
        push: Floats = toward[:-1, None] - toward[:-1] + toward[-1]
        p, _ = chances(fitted.strengths, fitted.side)
        lost = _LOST_BY_REVERSAL if self.reverse else _CREDIT - p[:, :, None]
        return -push[:, :, None] * lost

    def change(self, chosen: Counts) -> _Change | None:
        """None where it leaves no fit."""
        counts = self.cells.counts - chosen
        if self.reverse:
            counts += chosen[:, :, _REVERSED]
        fitted = refit(self.cells.entries, counts, side=self.side)
        return _Change(chosen, fitted) if fitted else None

    def succeeds(self, change: _Change) -> bool:
        return bool(undercut(change.fitted.strengths, self.last))


def _least(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The least number from `low` to `high` - 1 from which on it holds; `high` where it does not."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
