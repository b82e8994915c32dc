"""The verifier: replays a round's bundle from its first entry on and says what holds, or what fails first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import rfc8785

from arena.errors import RefusedError
from arena.offline.bundle import CHECKPOINTS, LEDGER, RATINGS, SCORES, VOTES, WINNERS, Bundle, object_of
from arena.offline.faults import FaultError, at_entry
from arena.offline.replay import Opening, Replay
from arena.offline.witnesses import RECEIPT, KeptCheckpoint, Receipt
from arena.proofs.merkle import Growing, leaf_hash
from arena.proofs.notes import Checkpoint, NoteError, VerifierKey
from arena.rounds.official import official_figures
from arena.stats.cells import OUTCOMES
from arena.stats.figures import fingerprint

AT_ONCE = 5000
Tell = Callable[[int], None]


@dataclass(slots=True)
class Verified:
    """What was found to hold."""

    round: str = ""
    entries: int = 0
    checkpoints: int = 0
    votes: int = 0
    excluded: int = 0
    root: str = ""
    keys: list[str] = field(default_factory=list)
    sealed: bool = True
    figures_hash: str | None = None
    erased: int = 0
    receipt_at: int | None = None


def verify_bundle(
    bundle: Bundle,
    tell: Tell,
    *,
    kept: KeptCheckpoint | None = None,
    receipt: Receipt | None = None,
    key: str | None = None,
) -> Verified:
    """Checks a whole bundle; `tell` hears how many bytes of the ledger are done.

    `kept`, `receipt` and the public `key` come from somewhere else than the bundle and are held against it.
    Raises FaultError for the first thing that fails, RefusedError for files that cannot be read.
    """
    replay, tree = Replay(_opening(bundle)), Growing()
    marks = Marks(bundle, kept, receipt)
    votes = VotesFile(bundle)
    done = 0
    for position, line in enumerate(bundle.lines(LEDGER)):
        entry = _entry(position, line)
        found = leaf_hash(line)
        tree.add(found)
        replay.take(position, entry)
        if not position:
            _check_first(bundle, replay, key)
        if entry["type"] == "vote.cast":
            votes.compare(position, entry, replay)
        marks.passed(position, found, tree, replay)
        done += len(line) + 1
        if position % AT_ONCE == 0:
            tell(done)
    marks.end(tree.size)
    votes.end(replay)
    again = replay.ballots.doubled()
    if again is not None:
        raise at_entry(replay.ballots.position(again), "is a second vote on one battle")
    verified = Verified(
        round=replay.slug,
        entries=tree.size,
        checkpoints=marks.seen,
        votes=len(replay.ballots),
        excluded=len(replay.ballots.excluded),
        root=tree.root().hex(),
        keys=replay.keys,
        sealed=replay.sealed,
        erased=int(bundle.about.get("erased", 0)),
        receipt_at=marks.receipt_at,
    )
    if replay.scored is not None and not replay.sealed:
        verified.figures_hash = _check_figures(bundle, replay)
    tell(done)
    return verified


def _opening(bundle: Bundle) -> Opening:
    about = bundle.about
    try:
        seed = about.get("seed")
        return Opening(bytes.fromhex(seed) if seed else None, dict(about["models"]), dict(about["outages"]))
    except (KeyError, TypeError, ValueError):
        raise RefusedError("round.json: expected seed, models and outages") from None


def _entry(position: int, line: bytes) -> dict[str, Any]:
    entry = object_of(line)
    if entry is None or (orjson.dumps(entry, option=orjson.OPT_SORT_KEYS) != line and _canonical(entry) != line):
        raise at_entry(position, "is not canonical JSON")
    return entry


def _canonical(entry: dict[str, Any]) -> bytes:
    """Needed where orjson writes fractions in another way than RFC 8785, which rules may have and votes never do."""
    try:
        return rfc8785.dumps(entry)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        return b""


def _check_first(bundle: Bundle, replay: Replay, key: str | None) -> None:
    if key is not None and replay.key != key:
        raise at_entry(0, f"names the key {replay.key}, not the one given")
    if bundle.about.get("round") != replay.slug:
        raise at_entry(0, f"opens {replay.slug!r}, and the bundle is of {bundle.about.get('round')!r}")


class Marks:
    """The signed checkpoints of a bundle, and what the reader holds against it, each due at a size of the tree."""

    def __init__(self, bundle: Bundle, kept: KeptCheckpoint | None, receipt: Receipt | None) -> None:
        self._rows: Iterator[dict[str, Any]] = bundle.rows(CHECKPOINTS)
        self._next = next(self._rows, None)
        self._good = 0
        self._kept, self._receipt = kept, receipt
        self._proof = receipt.check() if receipt else None
        self.seen = 0
        self.receipt_at: int | None = None

    def passed(self, position: int, found: bytes, tree: Growing, replay: Replay) -> None:
        """Looks at the tree after the entry at `position`."""
        size = tree.size
        if self._next is not None and self._next.get("size") == size:
            self._check(self._next, size, tree.root(), replay.key)
            self._next = next(self._rows, None)
        if self._kept is not None and self._kept.checkpoint.size == size:
            self._kept.check(size, tree.root(), replay.key)
        if self._receipt is not None and found == self._receipt.hash:
            self.receipt_at = position
        if self._proof is not None and self._proof.size == size and self._proof.root != tree.root():
            raise FaultError(RECEIPT, f"its checkpoint of {size} entries is of another ledger than this one")

    def _check(self, row: dict[str, Any], size: int, root: bytes, key: str) -> None:
        where = f"entry {self._good}" if size == self._good + 1 else f"entries {self._good} to {size - 1}"
        try:
            checkpoint = Checkpoint.parse(VerifierKey.parse(key).signed(str(row.get("note"))))
        except NoteError as error:
            raise FaultError(where, f"the checkpoint of {size} entries: {error}") from None
        if (checkpoint.size, checkpoint.origin) != (size, VerifierKey.parse(key).name):
            raise FaultError(where, f"the checkpoint of {size} entries is one of {checkpoint.size}")
        if checkpoint.root != root:
            raise FaultError(
                where, f"not what was signed: with them the {size} entries differ from the signed checkpoint"
            )
        self._good = size
        self.seen += 1

    def end(self, size: int) -> None:
        """Looks at what is left when all entries are read."""
        kept = self._kept.checkpoint if self._kept else None
        for what, due in (("checkpoint given", kept), ("receipt", self._proof)):
            if due is not None and due.size > size:
                raise at_entry(size, f"is missing: the {what} vouches for {due.size} entries")
        if self._next is not None:
            raise at_entry(size, f"is missing: a signed checkpoint vouches for {self._next.get('size')} entries")
        if self._good != size:
            raise at_entry(self._good, f"no signed checkpoint covers it: the newest is of {self._good} entries")
        if self._receipt is not None and self.receipt_at is None:
            raise FaultError(RECEIPT, "the ledger does not hold its vote")


class VotesFile:
    """The votes as the arena's own tables have them, held against the ledger's."""

    def __init__(self, bundle: Bundle) -> None:
        self._rows = bundle.rows(VOTES)
        self._excluded: dict[int, str] = {}
        self._number = 0

    def compare(self, position: int, entry: dict[str, Any], replay: Replay) -> None:
        row = next(self._rows, None)
        if row is None:
            raise at_entry(position, "this vote is missing from votes.jsonl")
        pair = replay.ballots.pair(self._number) or (None, None)
        expected = {
            "entry": position,
            "battle": entry["battle"],
            "voter": entry["voter"],
            "model_a": pair[0],
            "model_b": pair[1],
            "winner": WINNERS[OUTCOMES[OUTCOMES.index(entry["choice"])]],
            "at": entry["at"],
        }
        for name, value in expected.items():
            if row.get(name) != value:
                raise at_entry(position, f"votes.jsonl has {name} {row.get(name)!r}, the ledger {value!r}")
        if row.get("excluded") is not None:
            self._excluded[self._number] = row["excluded"]
        self._number += 1

    def end(self, replay: Replay) -> None:
        row = next(self._rows, None)
        if row is not None:
            raise FaultError("votes.jsonl", f"has a vote on {row.get('battle')!r} that the ledger does not know")
        ours = replay.ballots.excluded
        for number in sorted(set(ours) | set(self._excluded)):
            if ours.get(number) != self._excluded.get(number):
                theirs = self._excluded.get(number)
                what = f"votes.jsonl has it excluded for {theirs!r}, the ledger for {ours.get(number)!r}"
                raise at_entry(replay.ballots.position(number), what)


def _check_figures(bundle: Bundle, replay: Replay) -> str:
    """Computes ratings and scores anew, to the last digit; returns their hash."""
    cells = replay.ballots.cells(sorted(replay.entries), replay.rules.rated_votes_per_voter)
    official = official_figures(cells, replay.rules, final=True)
    scored = replay.scored or {}
    computed = {
        "cells_hash": official.ratings["cells_hash"],
        "figures_hash": official.ratings["figures_hash"],
        "scores_hash": fingerprint(official.scores),
    }
    for name, value in computed.items():
        if scored.get(name) != value:
            raise FaultError("round.scored", f"its {name} is {scored.get(name)}, and the votes give {value}")
    for name, figures in ((RATINGS, official.ratings), (SCORES, official.scores)):
        if bundle.json(name) != figures:
            raise FaultError(name, "its figures are not those that the votes give")
    return str(computed["figures_hash"])
