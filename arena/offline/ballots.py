"""The votes of a ledger, kept small: a few numbers each, made into cells without a loop over votes."""

from array import array
from collections.abc import Sequence

import numpy as np

from arena.stats.cells import OUTCOMES, Cells, Integers, halves
from arena.stats.clusters import Grouped

_PREFIX = 16


class Ballots:
    """Votes in the order of the ledger. A battle is known by the first 64 bits of its id, which are random."""

    def __init__(self) -> None:
        self._pairs: dict[tuple[str, str] | None, int] = {None: 0}
        self._pair_of: list[tuple[str, str] | None] = [None]
        self._position, self._battle = array("Q"), array("Q")
        self._voter, self._pair, self._choice = array("I"), array("I"), array("B")
        self.excluded: dict[int, str] = {}
        """Why votes are not rated, by their number."""

    def __len__(self) -> int:
        return len(self._choice)

    def add(
        self, position: int, battle: str, voter: int, pair: tuple[str, str] | None, choice: int, unrated: str | None
    ) -> None:
        """Adds a vote: the entry's position, the voter's number, the place of the choice in OUTCOMES."""
        if unrated is not None:
            self.excluded[len(self._choice)] = unrated
        self._position.append(position)
        self._battle.append(int(battle[:_PREFIX], 16))
        self._voter.append(voter)
        if pair not in self._pairs:
            self._pairs[pair] = len(self._pair_of)
            self._pair_of.append(pair)
        self._pair.append(self._pairs[pair])
        self._choice.append(choice)

    def pair(self, number: int) -> tuple[str, str] | None:
        """The entries at side A and B of a vote; None while pairs are sealed."""
        return self._pair_of[self._pair[number]]

    def position(self, number: int) -> int:
        return self._position[number]

    def rate(self, battle: str, reason: str | None) -> bool:
        """Takes the vote on a battle out of the rating for a reason, or back in; False when there is none to move."""
        found = np.flatnonzero(np.frombuffer(self._battle, np.uint64) == int(battle[:_PREFIX], 16))
        moved = [number for number in found.tolist() if (number in self.excluded) == (reason is None)]
        for number in moved:
            self.excluded.pop(number, None)
            if reason is not None:
                self.excluded[number] = reason
        return bool(moved)

    def doubled(self) -> int | None:
        """The number of a vote on a battle that had one before."""
        battles = np.frombuffer(self._battle, np.uint64)
        order = np.argsort(battles, kind="stable")
        again = order[1:][battles[order[1:]] == battles[order[:-1]]]
        return int(again.min()) if len(again) else None

    def cells(self, entries: Sequence[str], votes_per_voter: int) -> Cells:
        """The cells, with a Gram, of each voter's first votes that are not excluded."""
        rated = np.ones(len(self), dtype=bool)
        rated[list(self.excluded)] = False
        numbers = np.flatnonzero(rated)
        voter = np.frombuffer(self._voter, np.uint32)[numbers].astype(np.int64)
        numbers = numbers[_first_of_each(voter, votes_per_voter)]
        size = len(entries)
        places = {code: place for place, code in enumerate(entries)}
        cell_of = np.array([places[a] * size + places[b] for a, b in filter(None, self._pairs)], dtype=np.int64)
        cell = cell_of[np.frombuffer(self._pair, np.uint32)[numbers].astype(np.int64) - 1]
        choice = np.frombuffer(self._choice, np.uint8)[numbers].astype(np.int64)
        _, voter = np.unique(np.frombuffer(self._voter, np.uint32)[numbers], return_inverse=True)
        keys, row = np.unique(voter.astype(np.int64) * size**2 + cell, return_inverse=True)
        votes = np.bincount(row * len(OUTCOMES) + choice, minlength=len(keys) * len(OUTCOMES))
        votes = votes.reshape(-1, len(OUTCOMES)).astype(np.int64)
        counts = np.bincount(cell * len(OUTCOMES) + choice, minlength=size**2 * len(OUTCOMES))
        first, second = np.divmod(keys % size**2, size)
        credit = halves(votes[:, None])[:, 0]
        voters = int(voter.max(initial=-1)) + 1
        grouped = Grouped(voters, keys // size**2, first, second, votes.sum(axis=1), credit)
        return Cells(tuple(entries), counts.reshape(size, size, len(OUTCOMES)).astype(np.int64), grouped.gram(size))


def _first_of_each(voter: Integers, number: int) -> Integers:
    """The places of each voter's first so many votes, in their order."""
    order = np.argsort(voter, kind="stable")
    ordered = voter[order]
    starts = np.searchsorted(ordered, ordered, side="left")
    return np.sort(order[np.arange(len(order)) - starts < number])
