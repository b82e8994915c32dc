"""The verifier: replays a round's bundle from its first entry on and says what holds, or what fails first."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
import rfc8785

from arena.errors import RefusedError
from arena.offline.bundle import (
    LEDGER,
    PARQUET,
    RATINGS,
    ROUND,
    SCORES,
    VOTES,
    WINNERS,
    Bundle,
    is_plain,
    object_of,
)
from arena.offline.deals import Opening
from arena.offline.faults import FaultError, at_entry, brief
from arena.offline.marks import Marks
from arena.offline.replay import Replay
from arena.offline.witnesses import KeptCheckpoint, Receipt
from arena.proofs.merkle import Growing, leaf_hash
from arena.proofs.notes import VerifierKey
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
    closes_at: str | None = None
    closed_at: str | None = None
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
            _check_opening(bundle, replay)
        if entry["type"] == "vote.cast":
            votes.compare(position, entry, replay)
        marks.passed(position, found, tree, replay.keys)
        done += len(line) + 1
        if position % AT_ONCE == 0:
            tell(done)
    if not tree.size:
        raise RefusedError(f"{LEDGER}: has no entry")
    marks.end(tree.size, replay.keys)
    if key is not None and key not in replay.keys:
        raise at_entry(0, f"names the key {replay.keys[0]}, not the one given")
    votes.end(replay)
    again = replay.ballots.doubled()
    if again is not None:
        raise at_entry(replay.ballots.position(again), "is a second vote on one battle")
    _check_about(bundle, replay, tree)
    verified = Verified(
        round=replay.slug,
        entries=tree.size,
        checkpoints=marks.seen,
        votes=len(replay.ballots),
        excluded=len(replay.ballots.excluded),
        root=tree.root().hex(),
        keys=replay.keys,
        sealed=replay.sealed,
        closes_at=replay.closes_at,
        closed_at=replay.closed_at,
        erased=_erased(bundle),
        receipt_at=marks.receipt_at,
    )
    verified.figures_hash = _check_figures(bundle, replay)
    tell(done)
    return verified


def _opening(bundle: Bundle) -> Opening:
    about = bundle.about
    try:
        seed = None if about["seed"] is None else bytes.fromhex(about["seed"])
        if seed is not None and seed.hex() != about["seed"]:
            raise ValueError
        return Opening(seed, dict(about["models"]), dict(about["outages"]))
    except (KeyError, TypeError, ValueError):
        raise RefusedError(f"{ROUND}: expected seed, models and outages") from None


def _erased(bundle: Bundle) -> int:
    match bundle.about.get("erased"):
        case int(number) if number >= 0:
            return number
    raise RefusedError(f"{ROUND}: expected the number of conversations erased")


def _entry(position: int, line: bytes) -> dict[str, Any]:
    entry = object_of(line)
    if entry is None or not (is_plain(entry, line, orjson.OPT_SORT_KEYS) or _canonical(entry) == line):
        raise at_entry(position, "is not canonical JSON")
    return entry


def _canonical(entry: dict[str, Any]) -> bytes:
    """Needed where orjson writes fractions in another way than RFC 8785, which rules may have and votes never do."""
    try:
        return rfc8785.dumps(entry)
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeEncodeError):
        return b""


def _check_opening(bundle: Bundle, replay: Replay) -> None:
    """Holds what round.json says of the opening against the ledger's first entry."""
    opened = replay.opened
    expected = {name: opened[name] for name in ("round", "rules", "rules_hash", "seed_commitment")}
    for name, value in (expected | {"origin": VerifierKey.parse(replay.key).name}).items():
        if bundle.about.get(name) != value:
            theirs = brief(bundle.about.get(name))
            raise at_entry(0, f"opens the round with the {name} {brief(value)}, and {ROUND} has {theirs}")


def _check_about(bundle: Bundle, replay: Replay, tree: Growing) -> None:
    """Holds the rest of round.json, as far as the ledger has it, against the ledger's end."""
    expected = {
        "state": "closed" if replay.closed_at else "open",
        "key": replay.key,
        "entries": [{"entry": code, "team": team} for code, team in replay.entries.items()],
        "ledger": {"size": tree.size, "root": tree.root().hex()},
        "votes": len(replay.ballots),
    }
    for name, value in expected.items():
        if bundle.about.get(name) != value:
            theirs = brief(bundle.about.get(name))
            raise FaultError(ROUND, f"has the {name} {theirs}, and the ledger {brief(value)}")
    if replay.closed_at and replay.sealed and replay.rules.reveal != "never":
        raise FaultError(
            ROUND, "the round is closed, its rules promise that names are revealed, and the seed is missing"
        )


class VotesFile:
    """The votes as the arena's own tables have them, held against the ledger's."""

    def __init__(self, bundle: Bundle) -> None:
        self._rows = bundle.rows(VOTES)
        self._excluded: dict[int, str] = {}
        self._number = 0

    def compare(self, position: int, entry: dict[str, Any], replay: Replay) -> None:
        row = next(self._rows, None)
        if row is None:
            raise at_entry(position, f"this vote is missing from {VOTES}")
        pair = replay.ballots.pair(self._number) or (None, None)
        expected = {
            "entry": position,
            "battle": entry["battle"],
            "voter": entry["voter"],
            "model_a": pair[0],
            "model_b": pair[1],
            "winner": WINNERS[OUTCOMES[OUTCOMES.index(entry["choice"])]],
            "at": entry["at"],
            "turns": len(entry["turns"]),
        }
        for name, value in expected.items():
            if name not in row or row[name] != value:
                raise at_entry(position, f"{VOTES} has {name} {brief(row.get(name))}, the ledger {brief(value)}")
        match row:
            case {"language": str(), "excluded": str() | None as reason} if len(row) == len(expected) + 2:
                if reason is not None:
                    self._excluded[self._number] = reason
            case _:
                raise at_entry(position, f"{VOTES} has it with other names than language and excluded")
        self._number += 1

    def end(self, replay: Replay) -> None:
        row = next(self._rows, None)
        if row is not None:
            raise FaultError(VOTES, f"has a vote on {brief(row.get('battle'))} that the ledger does not know")
        ours = replay.ballots.excluded
        for number in sorted(set(ours) | set(self._excluded)):
            if ours.get(number) != self._excluded.get(number):
                theirs = self._excluded.get(number)
                what = f"{VOTES} has it excluded for {brief(theirs)}, the ledger for {ours.get(number)!r}"
                raise at_entry(replay.ballots.position(number), what)


def _check_figures(bundle: Bundle, replay: Replay) -> str | None:
    """Computes ratings and scores anew, to the last digit; returns their hash, None while pairs are sealed."""
    if replay.sealed:
        for name in (RATINGS, SCORES, PARQUET):
            if bundle.has(name):
                raise FaultError(name, "cannot be right: pairs are sealed, and nobody can check it")
        return None
    if replay.scored is None:
        raise FaultError(LEDGER, "round.scored is missing, though the seed is published")
    cells = replay.ballots.cells(sorted(replay.entries), replay.rules.rated_votes_per_voter)
    official = official_figures(cells, replay.rules, final=True)
    position, scored = replay.scored
    computed = {
        "cells_hash": official.ratings["cells_hash"],
        "figures_hash": official.ratings["figures_hash"],
        "scores_hash": fingerprint(official.scores),
    }
    for name, value in computed.items():
        if scored.get(name) != value:
            raise at_entry(position, f"its {name} is {brief(scored.get(name))}, and the votes give {value}")
    for name, figures in ((RATINGS, official.ratings), (SCORES, official.scores)):
        if bundle.json(name) != figures:
            raise FaultError(name, "its figures are not those that the votes give")
    _check_parquet(bundle)
    return str(computed["figures_hash"])


def _check_parquet(bundle: Bundle) -> None:
    """It may be missing, as nothing else rests on it."""
    if bundle.has(PARQUET):
        from arena.offline.parquet import differing_row

        row = differing_row(bundle.path(PARQUET), bundle.rows(VOTES))
        if row is not None:
            raise FaultError(PARQUET, f"row {row} is not that of {VOTES}")
