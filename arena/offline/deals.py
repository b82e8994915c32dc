"""Which pair each battle may have: the order that the seed fixes, and the reasons to pass over a place of it."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import rfc8785

from arena.offline.faults import at_entry
from arena.proofs.leaves import commitment, sealed
from arena.rounds.pairing import block_order, cells_of, pair_salt

RACING: Final = timedelta(minutes=1)
"""How long after an outage began or ended a pair may still have been dealt as before."""
COMMITMENT: Final = 64
"""Letters of a commitment."""
MOST_ENTRIES: Final = 100
"""No round has as many; a ledger made to keep its reader busy may."""


@dataclass(slots=True)
class Voter:
    """What a voter did so far; `used` has a bit for each place of the epoch that was voted on."""

    number: int
    epoch: int = 0
    used: int = 0
    started: int = 0
    battle: str | None = None
    failed: frozenset[str] = frozenset()
    block: int = -1
    order: Sequence[int] = b""


@dataclass(slots=True)
class Opening:
    """What the publisher opens once a round is closed: the seed, models by entry, outages by number."""

    seed: bytes | None = None
    models: Mapping[str, Any] = field(default_factory=dict)
    outages: Mapping[str, Any] = field(default_factory=dict)


class Deals:
    """Follows epochs and outages. Its methods raise FaultError for a battle that may not have been dealt so."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._cells: list[tuple[str, str]] = []
        self._pairs: dict[tuple[str, str], bytes] = {}
        self._out: dict[str, str] = {}
        self._racing: list[tuple[str, str]] = []
        self.slug = ""
        self.epoch = 0
        self.entries: list[str] = []
        """Those of the epoch."""

    def begin_epoch(self, position: int, number: int, entries: list[str]) -> None:
        if not 2 <= len(set(entries)) == len(entries) <= MOST_ENTRIES:
            raise at_entry(position, f"begins an epoch with {len(entries)} entries, or with one twice")
        self.epoch, self.entries = number, entries
        self._cells = cells_of(entries)
        self._pairs |= {cell: rfc8785.dumps(list(cell)) for cell in self._cells if cell not in self._pairs}

    def pair(self, position: int, entry: dict[str, Any], voter: Voter) -> tuple[str, str] | None:
        """The pair of a battle that starts; None while pairs are sealed."""
        k = entry["k"]
        if not len(entry["prompt"]) == len(entry["pair"]) == COMMITMENT:
            raise ValueError("expected commitments to the question and the pair")
        if voter.epoch != self.epoch:
            voter.epoch, voter.used, voter.block = self.epoch, 0, -1
        if not 0 <= k < (voter.used.bit_count() + 1) * len(self._cells):
            raise at_entry(position, f"place {k} lies behind a whole block of free places")
        if voter.used >> k & 1:
            raise at_entry(position, f"the voter had voted on place {k} already")
        seed = self._opening.seed
        return None if seed is None else self._dealt(position, entry, voter, seed)

    def _dealt(self, position: int, entry: dict[str, Any], voter: Voter, seed: bytes) -> tuple[str, str]:
        """The pair of a battle, checked against its commitment and the order that the seed fixes."""
        name, k = entry["voter"], entry["k"]
        pair = self._cells[self._place(seed, voter, name, k)]
        if sealed(pair_salt(seed, entry["battle"]), self._pairs[pair]) != entry["pair"]:
            raise at_entry(position, f"its pair is not {pair[0]} against {pair[1]}, which place {k} fixes")
        if self._out or self._racing or voter.failed or k != _lowest_free(voter.used):
            self._check_places(position, entry, voter, seed, set(pair))
        return pair

    def _place(self, seed: bytes, voter: Voter, name: str, k: int) -> int:
        """Where the pair of a voter's k-th battle stands among the cells."""
        cells = len(self._cells)
        block, place = divmod(k, cells)
        if block != voter.block:
            numbers = block_order(seed, self.slug, self.epoch, name, block, cells)
            voter.block, voter.order = block, bytes(numbers) if cells <= 256 else array("H", numbers)
        return voter.order[place]

    def _check_places(self, position: int, entry: dict[str, Any], voter: Voter, seed: bytes, dealt: set[str]) -> None:
        """Free places are passed over for entries out of service and for the pair that has just failed only."""
        at = datetime.fromisoformat(entry["at"])
        self._racing = [(code, since) for code, since in self._racing if _lies_within(at, since)]
        unsure, out = {code for code, _ in self._racing}, set(self._out.values())
        if dealt & out - unsure:
            raise at_entry(position, "its pair has an entry that was out of service")
        only_pair = len(set(self.entries) - out) <= 2
        if dealt == voter.failed and not only_pair and not unsure:
            raise at_entry(position, "is the very pair that had just failed")
        for place in range(entry["k"]):
            if not voter.used >> place & 1:
                passed = set(self._cells[self._place(seed, voter, entry["voter"], place)])
                if not passed & (out | unsure) and passed != voter.failed:
                    raise at_entry(position, f"passes over place {place} without a reason")

    def outage_began(self, position: int, entry: dict[str, Any]) -> None:
        number, hidden = str(entry["outage"]), entry["entry"]
        if self._opening.seed is None:
            return
        opened = self._opening.outages.get(number)
        if opened is None:
            raise at_entry(position, f"the entry of outage {number} is not published")
        if commitment(bytes.fromhex(opened["salt"]), opened["entry"]) != hidden:
            raise at_entry(position, f"the published entry of outage {number} is not the one committed to")
        self._out[number] = opened["entry"]
        self._racing.append((opened["entry"], entry["at"]))

    def outage_ended(self, position: int, entry: dict[str, Any]) -> None:
        code = self._out.pop(str(entry["outage"]), None)
        if code is not None:
            self._racing.append((code, entry["at"]))


def _lowest_free(used: int) -> int:
    return (~used & used + 1).bit_length() - 1


def _lies_within(at: datetime, since: str) -> bool:
    return at - datetime.fromisoformat(since) <= RACING
