"""A round played again from the entries of its ledger: who may do what when, and whether each pair was the fixed one.

Pairs are sealed until the seed is published; without it everything else is checked.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import rfc8785
from pydantic import ValidationError

from arena.offline.ballots import Ballots
from arena.offline.faults import at_entry
from arena.proofs.leaves import commitment, sealed
from arena.proofs.notes import NoteError, VerifierKey, rotation_text
from arena.rounds.pairing import block_order, cells_of, model_salt, pair_salt
from arena.rounds.rules import Rules, load_rules
from arena.stats.cells import OUTCOMES

BACKWARDS: Final = timedelta(minutes=1)
"""How far an entry's time may lie before one that stands in front of it: clocks of several machines differ."""
RACING: Final = timedelta(minutes=1)
"""How long after an outage began or ended a pair may still have been dealt as before."""


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
    order: bytes = b""


@dataclass(slots=True)
class Begun:
    """An open battle; `cell` is the place of its pair among the epoch's cells, -1 while pairs are sealed."""

    voter: str
    epoch: int
    k: int
    cell: int


@dataclass(slots=True)
class Opening:
    """What the publisher opens once a round is closed: the seed, models by entry, outages by number."""

    seed: bytes | None = None
    models: Mapping[str, Any] = field(default_factory=dict)
    outages: Mapping[str, Any] = field(default_factory=dict)


class Replay:
    """Takes entries in order. `take` raises FaultError for the first that may not stand where it does."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._newest = ""
        self._epochs: dict[int, list[tuple[str, str]]] = {}
        self._pairs: dict[tuple[str, str], bytes] = {}
        self._epoch = 0
        self._taking: list[str] = []
        self._voters: dict[str, Voter] = {}
        self._open: dict[str, Begun] = {}
        self._out: dict[str, str] = {}
        self._racing: list[tuple[str, str]] = []
        self._rules: Rules | None = None
        self.slug = self.rules_hash = self.key = ""
        self.keys: list[str] = []
        self.entries: list[str] = []
        self.ballots = Ballots()
        self.closed = False
        self.scored: dict[str, Any] | None = None
        self._by_type: dict[str, Callable[[int, dict[str, Any]], None]] = {
            "round.opened": self._round_opened,
            "battle.started": self._battle_started,
            "battle.ended": self._battle_ended,
            "vote.cast": self._vote_cast,
            "vote.excluded": self._votes_rated,
            "vote.reinstated": self._votes_rated,
            "outage.began": self._outage_began,
            "outage.ended": self._outage_ended,
            "entry.changed": self._entry_changed,
            "key.rotated": self._key_rotated,
            "round.closed": self._round_closed,
            "round.scored": self._round_scored,
        }

    @property
    def rules(self) -> Rules:
        assert self._rules is not None
        return self._rules

    @property
    def sealed(self) -> bool:
        return self._opening.seed is None

    def take(self, position: int, entry: dict[str, Any]) -> None:
        take = self._by_type.get(entry.get("type", ""))
        if take is None:
            raise at_entry(position, f"unknown type {entry.get('type')!r}")
        try:
            if (position == 0) != (take == self._round_opened):
                raise at_entry(position, "the ledger begins with round.opened, and has it once")
            if position and entry["round"] != self.slug:
                raise at_entry(position, f"is of the round {entry['round']!r}")
            if self.closed and entry["type"] not in ("round.scored", "outage.ended", "outage.began", "key.rotated"):
                raise at_entry(position, "comes after the round was closed")
            at = entry["at"]
            if at < self._newest:
                self._check_time(position, at)
            else:
                self._newest = at
            take(position, entry)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise at_entry(position, f"is not what {entry['type']} looks like: {error!r}") from None

    def _check_time(self, position: int, at: str) -> None:
        if datetime.fromisoformat(self._newest) - datetime.fromisoformat(at) > BACKWARDS:
            raise at_entry(position, f"is dated {at}, after an entry of {self._newest}")

    # The round

    def _round_opened(self, position: int, entry: dict[str, Any]) -> None:
        canonical = rfc8785.dumps(entry["rules"])
        self.slug, self.key, self.rules_hash = entry["round"], entry["key"], entry["rules_hash"]
        self.keys.append(str(VerifierKey.parse(self.key)))
        if hashlib.sha256(canonical).hexdigest() != self.rules_hash:
            raise at_entry(position, "the rules hash is not that of the rules")
        try:
            self._rules = load_rules(canonical.decode())
        except ValidationError as error:
            raise at_entry(position, f"the rules are not understood: {error.errors()[0]['msg']}") from None
        seed = self._opening.seed
        if seed is not None and hashlib.sha256(seed).hexdigest() != entry["seed_commitment"]:
            raise at_entry(position, "the published seed is not the one that was committed to")
        for item in entry["entries"]:
            self._enter(position, item)
        self._begin_epoch(entry["epoch"], [item["entry"] for item in entry["entries"]])

    def _enter(self, position: int, item: dict[str, Any]) -> None:
        code, seed = item["entry"], self._opening.seed
        self.entries.append(code)
        if seed is not None:
            opened = self._opening.models.get(code)
            if commitment(model_salt(seed, code), opened) != item["model"]:
                raise at_entry(position, f"the published model of {code} is not the one that was committed to")

    def _begin_epoch(self, number: int, entries: list[str]) -> None:
        self._epoch, self._taking = number, entries
        self._epochs[number] = cells_of(entries)
        self._pairs |= {cell: rfc8785.dumps(list(cell)) for cell in self._epochs[number]}

    def _entry_changed(self, position: int, entry: dict[str, Any]) -> None:
        if entry["change"] == "join":
            self._enter(position, entry)
        if entry["change"] != "address":
            if entry["epoch"] != self._epoch + 1 or not set(entry["entries"]) <= set(self.entries):
                raise at_entry(position, "does not begin the next epoch with entries of the round")
            self._begin_epoch(entry["epoch"], entry["entries"])
        allowed = "pause" if entry["change"] == "resume" else entry["change"]
        if allowed not in self.rules.may_change:
            raise at_entry(position, f"the rules do not allow the change {entry['change']!r}")
        self._check_persons(position, entry)

    def _check_persons(self, position: int, entry: dict[str, Any]) -> None:
        if len(set(entry["persons"])) != 2:
            raise at_entry(position, "needs two different persons")

    def _key_rotated(self, position: int, entry: dict[str, Any]) -> None:
        follower = VerifierKey.parse(entry["key"])
        try:
            handed_over = VerifierKey.parse(self.key).signed(entry["note"])
        except NoteError as error:
            raise at_entry(position, f"hands the ledger over without the old key's word: {error}") from None
        if handed_over != rotation_text(follower) or follower.name != VerifierKey.parse(self.key).name:
            raise at_entry(position, "brings another key than the old one handed over to")
        self.key = entry["key"]
        self.keys.append(self.key)

    def _round_closed(self, position: int, entry: dict[str, Any]) -> None:
        if self._open:
            raise at_entry(position, f"the battle {next(iter(self._open))} is still open")
        self.closed = True

    def _round_scored(self, position: int, entry: dict[str, Any]) -> None:
        if not self.closed or self.scored:
            raise at_entry(position, "the round is scored once, after it is closed")
        self.scored = entry

    # Battles and votes

    def _battle_started(self, position: int, entry: dict[str, Any]) -> None:
        name, battle, epoch, k = entry["voter"], entry["battle"], entry["epoch"], entry["k"]
        voter = self._voters.get(name)
        if voter is None:
            voter = self._voters[name] = Voter(len(self._voters))
        if voter.battle is not None:
            raise at_entry(position, f"the voter's battle {voter.battle} is still open")
        if epoch != self._epoch or entry["rules"] != self.rules_hash:
            raise at_entry(position, "was not dealt under the rules and the epoch in force")
        if voter.epoch != epoch:
            voter.epoch, voter.used, voter.block = epoch, 0, -1
        if voter.used >> k & 1:
            raise at_entry(position, f"the voter had voted on place {k} already")
        voter.started += 1
        if voter.started > self.rules.max_battles_per_voter:
            raise at_entry(position, "is one battle more of this voter than the rules allow")
        cell = -1 if self._opening.seed is None else self._dealt(position, entry, voter, self._opening.seed)
        voter.battle, voter.failed = battle, frozenset()
        self._open[battle] = Begun(name, epoch, k, cell)

    def _dealt(self, position: int, entry: dict[str, Any], voter: Voter, seed: bytes) -> int:
        """The cell of a battle, checked against its commitment and the order that the seed fixes."""
        cells, name, k = self._epochs[self._epoch], entry["voter"], entry["k"]
        cell = self._cell(seed, voter, name, k)
        pair = cells[cell]
        if sealed(pair_salt(seed, entry["battle"]), self._pairs[pair]) != entry["pair"]:
            raise at_entry(position, f"its pair is not {pair[0]} against {pair[1]}, which place {k} fixes")
        if self._out or self._racing or voter.failed or k != _lowest_free(voter.used):
            self._check_places(position, entry, voter, seed, set(pair))
        return cell

    def _cell(self, seed: bytes, voter: Voter, name: str, k: int) -> int:
        cells = len(self._epochs[self._epoch])
        block, place = divmod(k, cells)
        if block != voter.block:
            numbers = block_order(seed, self.slug, self._epoch, name, block, cells)
            voter.block, voter.order = block, bytes(numbers) if cells <= 256 else b""
            if cells > 256:
                voter.block = -1
                return numbers[place]
        return voter.order[place]

    def _check_places(self, position: int, entry: dict[str, Any], voter: Voter, seed: bytes, dealt: set[str]) -> None:
        """Free places are passed over for entries out of service and for the pair that has just failed only."""
        at = datetime.fromisoformat(entry["at"])
        self._racing = [(code, since) for code, since in self._racing if _lies_within(at, since)]
        unsure, out = {code for code, _ in self._racing}, set(self._out.values())
        if dealt & out - unsure:
            raise at_entry(position, "its pair has an entry that was out of service")
        only_pair = len(set(self._taking) - out) <= 2
        if dealt == voter.failed and not only_pair and not unsure:
            raise at_entry(position, "is the very pair that had just failed")
        cells = self._epochs[self._epoch]
        for place in range(entry["k"]):
            if not voter.used >> place & 1:
                passed = set(cells[self._cell(seed, voter, entry["voter"], place)])
                if not passed & (out | unsure) and passed != voter.failed:
                    raise at_entry(position, f"passes over place {place} without a reason")

    def _battle_ended(self, position: int, entry: dict[str, Any]) -> None:
        begun = self._ended(position, entry)
        voter = self._voters[begun.voter]
        if entry["state"] == "void":
            voter.started -= 1
            if begun.cell >= 0:
                voter.failed = frozenset(self._epochs[begun.epoch][begun.cell])
        elif entry["state"] != "expired":
            raise at_entry(position, f"unknown state {entry['state']!r}")

    def _ended(self, position: int, entry: dict[str, Any]) -> Begun:
        begun = self._open.pop(entry["battle"], None)
        if begun is None:
            raise at_entry(position, f"the battle {entry['battle']} is not open")
        self._voters[begun.voter].battle = None
        return begun

    def _vote_cast(self, position: int, entry: dict[str, Any]) -> None:
        begun = self._ended(position, entry)
        voter = self._voters[begun.voter]
        if entry["voter"] != begun.voter or entry["rules"] != self.rules_hash:
            raise at_entry(position, "is not by the battle's voter under the rules in force")
        if voter.epoch == begun.epoch:
            voter.used |= 1 << begun.k
        pair = self._epochs[begun.epoch][begun.cell] if begun.cell >= 0 else None
        choice = OUTCOMES.index(entry["choice"])
        self.ballots.add(position, entry["battle"], voter.number, pair, choice, entry.get("unrated"))

    def _votes_rated(self, position: int, entry: dict[str, Any]) -> None:
        self._check_persons(position, entry)
        reason = entry["reason"] if entry["type"] == "vote.excluded" else None
        for battle in entry["battles"]:
            if not self.ballots.rate(battle, reason):
                raise at_entry(position, f"there is no vote on the battle {battle}")

    # Outages

    def _outage_began(self, position: int, entry: dict[str, Any]) -> None:
        number = str(entry["outage"])
        if self._opening.seed is None:
            return
        opened = self._opening.outages.get(number, {})
        if commitment(bytes.fromhex(opened["salt"]), opened["entry"]) != entry["entry"]:
            raise at_entry(position, f"the published entry of outage {number} is not the one committed to")
        self._out[number] = opened["entry"]
        self._racing.append((opened["entry"], entry["at"]))

    def _outage_ended(self, position: int, entry: dict[str, Any]) -> None:
        code = self._out.pop(str(entry["outage"]), None)
        if code is not None:
            self._racing.append((code, entry["at"]))


def _lowest_free(used: int) -> int:
    return (~used & used + 1).bit_length() - 1


def _lies_within(at: datetime, since: str) -> bool:
    return at - datetime.fromisoformat(since) <= RACING
