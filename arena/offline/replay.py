"""A round played again from the entries of its ledger: who may do what when, and whether each pair was the fixed one.

Pairs are sealed until the seed is published; without it everything else is checked.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import rfc8785
from pydantic import ValidationError

from arena.errors import InvalidError
from arena.offline.ballots import Ballots
from arena.offline.deals import Deals, Opening, Voter
from arena.offline.faults import at_entry, brief
from arena.proofs.leaves import commitment
from arena.proofs.notes import NoteError, VerifierKey, rotation_text
from arena.rounds.decisions import TO_EXCLUDE, TO_REINSTATE, Decision
from arena.rounds.pairing import model_salt
from arena.rounds.rules import Rules, load_rules
from arena.stats.cells import OUTCOMES

BACKWARDS: Final = timedelta(minutes=1)
"""How far an entry's time may lie before one that stands in front of it: clocks of several machines differ."""
AFTERWARDS: Final = ("round.scored", "outage.began", "outage.ended", "key.rotated")

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)


def _moment(text: str) -> datetime:
    """Of a timestamp as entries give it. Raises ValueError."""
    if not _TIMESTAMP.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text)


@dataclass(slots=True)
class Begun:
    """An open battle; its pair is None while pairs are sealed."""

    voter: str
    epoch: int
    k: int
    pair: tuple[str, str] | None


class Replay:
    """Takes entries in order. `take` raises FaultError for the first that may not stand where it does."""

    def __init__(self, opening: Opening) -> None:
        self._opening, self._deals = opening, Deals(opening)
        self._newest = ""
        self._voters: dict[str, Voter] = {}
        self._open: dict[str, Begun] = {}
        self._rules: Rules | None = None
        self.slug = self.rules_hash = self.key = ""
        self.opened: dict[str, Any] = {}
        self.keys: list[str] = []
        self.entries: dict[str, dict[str, Any]] = {}
        """Every entry's team, by code."""
        self.ballots = Ballots()
        self.closes_at: str | None = None
        """The end that was announced at the opening."""
        self.closed_at: str | None = None
        self.scored: tuple[int, dict[str, Any]] | None = None
        self._by_type: dict[str, Callable[[int, dict[str, Any]], None]] = {
            "round.opened": self._round_opened,
            "battle.started": self._battle_started,
            "battle.ended": self._battle_ended,
            "vote.cast": self._vote_cast,
            "vote.excluded": self._votes_rated,
            "vote.reinstated": self._votes_rated,
            "outage.began": self._deals.outage_began,
            "outage.ended": self._deals.outage_ended,
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
        try:
            self._take(position, entry)
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            what = f"is not what {brief(entry.get('type'))} looks like: {brief(error)}"
            raise at_entry(position, what) from None

    def _take(self, position: int, entry: dict[str, Any]) -> None:
        take = self._by_type.get(entry["type"])
        if take is None:
            raise at_entry(position, f"unknown type {brief(entry['type'])}")
        if (position == 0) != (take == self._round_opened):
            raise at_entry(position, "the ledger begins with round.opened, and has it once")
        if position and entry["round"] != self.slug:
            raise at_entry(position, f"is of the round {brief(entry['round'])}")
        if self.closed_at and entry["type"] not in AFTERWARDS:
            raise at_entry(position, "comes after the round was closed")
        self._check_time(position, entry["at"])
        take(position, entry)

    def _check_time(self, position: int, at: str) -> None:
        moment = _moment(at)
        if at >= self._newest:
            self._newest = at
        elif datetime.fromisoformat(self._newest) - moment > BACKWARDS:
            raise at_entry(position, f"is dated {at}, after an entry of {self._newest}")

    # The round

    def _round_opened(self, position: int, entry: dict[str, Any]) -> None:
        self.opened, canonical = entry, rfc8785.dumps(entry["rules"])
        self.slug, self.key, self.rules_hash = entry["round"], entry["key"], entry["rules_hash"]
        self.keys.append(self.key)
        if not VerifierKey.parse(self.key).name.endswith(f"/rounds/{self.slug}"):
            raise at_entry(position, f"names the key of another log: {brief(self.key)}")
        self._deals.slug = self.slug
        if hashlib.sha256(canonical).hexdigest() != self.rules_hash:
            raise at_entry(position, "the rules hash is not that of the rules")
        try:
            self._rules = load_rules(canonical.decode())
        except ValidationError as error:
            raise at_entry(position, f"the rules are not understood: {error.errors()[0]['msg']}") from None
        self.closes_at = entry["closes_at"]
        if self.closes_at is not None:
            _moment(self.closes_at)
        seed, committed = self._opening.seed, entry["seed_commitment"]
        if seed is not None and hashlib.sha256(seed).hexdigest() != committed:
            raise at_entry(position, "the published seed is not the one that was committed to")
        for item in entry["entries"]:
            self._enter(position, item)
        self._deals.begin_epoch(position, entry["epoch"], [item["entry"] for item in entry["entries"]])

    def _enter(self, position: int, item: dict[str, Any]) -> None:
        code, seed = item["entry"], self._opening.seed
        if code in self.entries:
            raise at_entry(position, f"brings {code}, which takes part already")
        self.entries[code] = item["team"]
        if seed is not None:
            opened = self._opening.models.get(code)
            if commitment(model_salt(seed, code), opened) != item["model"]:
                raise at_entry(position, f"the published model of {code} is not the one that was committed to")

    def _entry_changed(self, position: int, entry: dict[str, Any]) -> None:
        code, change = entry["entry"], entry["change"]
        if change == "join":
            self._enter(position, entry)
        if code not in self.entries:
            raise at_entry(position, f"changes {brief(code)}, which takes no part")
        if ("pause" if change == "resume" else change) not in self.rules.may_change:
            raise at_entry(position, f"the rules do not allow the change {brief(change)}")
        if change != "address":
            taking = set(self._deals.entries) - {code} if change == "pause" else {*self._deals.entries, code}
            if entry["epoch"] != self._deals.epoch + 1 or set(entry["entries"]) != taking:
                raise at_entry(position, f"does not begin the next epoch with {', '.join(sorted(taking))}")
            self._deals.begin_epoch(position, entry["epoch"], entry["entries"])
        self._check_decision(position, entry)

    def _check_decision(self, position: int, entry: dict[str, Any]) -> None:
        try:
            one, other = entry["persons"]
            Decision(entry["reason"], (str(one), str(other)))
        except InvalidError as error:
            raise at_entry(position, str(error)) from None

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
        self.closed_at = entry["at"]

    def _round_scored(self, position: int, entry: dict[str, Any]) -> None:
        if not self.closed_at or self.scored:
            raise at_entry(position, "the round is scored once, after it is closed")
        self.scored = (position, entry)

    # Battles and votes

    def _battle_started(self, position: int, entry: dict[str, Any]) -> None:
        name, battle, epoch = entry["voter"], entry["battle"], entry["epoch"]
        voter = self._voters.get(name)
        if voter is None:
            voter = self._voters[name] = Voter(len(self._voters))
        if voter.battle is not None or battle in self._open:
            raise at_entry(position, f"the battle {brief(voter.battle or battle)} is still open")
        if epoch != self._deals.epoch or entry["rules"] != self.rules_hash:
            raise at_entry(position, "was not dealt under the rules and the epoch in force")
        voter.started += 1
        if voter.started > self.rules.max_battles_per_voter:
            raise at_entry(position, "is one battle more of this voter than the rules allow")
        pair = self._deals.pair(position, entry, voter)
        voter.battle, voter.failed = battle, frozenset()
        self._open[battle] = Begun(name, epoch, entry["k"], pair)

    def _battle_ended(self, position: int, entry: dict[str, Any]) -> None:
        begun = self._ended(position, entry)
        voter = self._voters[begun.voter]
        if entry["state"] == "void":
            voter.started -= 1
            voter.failed = frozenset(begun.pair or ())
        elif entry["state"] != "expired":
            raise at_entry(position, f"unknown state {brief(entry['state'])}")

    def _ended(self, position: int, entry: dict[str, Any]) -> Begun:
        begun = self._open.pop(entry["battle"], None)
        if begun is None:
            raise at_entry(position, f"the battle {entry['battle']} is not open")
        self._voters[begun.voter].battle = None
        return begun

    def _vote_cast(self, position: int, entry: dict[str, Any]) -> None:
        if self.closes_at and entry["at"] > self.closes_at:
            raise at_entry(position, f"is dated {entry['at']}, after the announced end {self.closes_at}")
        begun = self._ended(position, entry)
        voter = self._voters[begun.voter]
        if entry["voter"] != begun.voter or entry["rules"] != self.rules_hash:
            raise at_entry(position, "is not by the battle's voter under the rules in force")
        if voter.epoch == begun.epoch:
            voter.used |= 1 << begun.k
        if not isinstance(entry["turns"], list):
            raise TypeError("turns")
        choice = OUTCOMES.index(entry["choice"])
        self.ballots.add(position, entry["battle"], voter.number, begun.pair, choice, entry.get("unrated"))

    def _votes_rated(self, position: int, entry: dict[str, Any]) -> None:
        self._check_decision(position, entry)
        out = entry["type"] == "vote.excluded"
        if entry["reason"] not in (TO_EXCLUDE if out else TO_REINSTATE):
            raise at_entry(
                position, f"{brief(entry['reason'])} is no reason to take votes {'out' if out else 'back in'}"
            )
        for battle in entry["battles"]:
            if not self.ballots.rate(battle, entry["reason"] if out else None):
                raise at_entry(position, f"there is no vote on the battle {battle} that could be moved")
