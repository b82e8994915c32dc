"""How long `arena verify` takes, and how much memory: `python -m benchmarks.verify [VOTES] [VOTERS]`.

A bundle of as many votes as told is made, with every vote dealt by the rules, and verified in a process of its own.
"""

import hashlib
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from arena.offline.ballots import Ballots
from arena.offline.bundle import (
    ABOUT,
    CHECKPOINTS,
    FORMAT,
    LEDGER,
    PARQUET,
    RATINGS,
    ROUND,
    SCORES,
    VOTES,
    WINNERS,
)
from arena.offline.parquet import VotesParquet
from arena.proofs.leaves import LeafType, commitment, leaf_body, sealed, timestamp
from arena.proofs.merkle import Growing, leaf_hash
from arena.proofs.notes import Checkpoint, SigningKey
from arena.rounds.official import official_figures
from arena.rounds.pairing import block_order, cells_of, model_salt, pair_salt
from arena.rounds.rules import Rules, rules_hash
from arena.stats.cells import OUTCOMES
from arena.stats.figures import fingerprint
from tests.support import RULES

SEED = hashlib.sha256(b"benchmark").digest()
KEY = SigningKey("bench.example", bytes(32))
SLUG = "bench"
ENTRIES = [f"e{number}" for number in range(1, 6)]
BATCH = 100
"""Entries a checkpoint covers."""
TEAM = {"ko": "팀", "en": "Team"}
MODELS = {code: {"model": code, "aliases": [], "extra_body": {}} for code in ENTRIES}
BEGIN = datetime(2026, 12, 1, tzinfo=UTC)


class Writer:
    """Writes a ledger with its checkpoints."""

    def __init__(self, folder: Path) -> None:
        self.tree = Growing()
        self.opened: dict[str, Any] = {}
        self._ledger = (folder / LEDGER).open("wb")
        self._checkpoints = (folder / CHECKPOINTS).open("w")

    def add(self, type_: LeafType, at: datetime, **body: Any) -> int:
        line = leaf_body(type_, SLUG, at, body)
        if not self.tree.size:
            self.opened = body | {"round": SLUG}
        self._ledger.write(line + b"\n")
        self.tree.add(leaf_hash(line))
        if self.tree.size % BATCH == 0:
            self.sign()
        return self.tree.size - 1

    def sign(self) -> None:
        origin = KEY.origin(SLUG)
        note = KEY.sign(origin, Checkpoint(origin, self.tree.size, self.tree.root()).text())
        self._checkpoints.write(orjson.dumps({"size": self.tree.size, "note": note}).decode() + "\n")

    def close(self) -> None:
        if self.tree.size % BATCH:
            self.sign()
        self._ledger.close()
        self._checkpoints.close()


def make(folder: Path, votes: int, voters: int) -> None:
    """Writes the bundle of a closed round."""
    rules = Rules.model_validate(RULES)
    hashed = rules_hash(rules.canonical())
    out = Writer(folder)
    out.add(
        "round.opened",
        BEGIN,
        key=str(KEY.verifier(KEY.origin(SLUG))),
        rules=rules.frozen(),
        rules_hash=hashed,
        closes_at=None,
        seed_commitment=hashlib.sha256(SEED).hexdigest(),
        epoch=1,
        entries=[
            {
                "entry": code,
                "team": TEAM,
                "model": commitment(model_salt(SEED, code), MODELS[code]),
                "address": "0" * 64,
            }
            for code in ENTRIES
        ],
    )
    ballots = Ballots()
    rows = _play(out, ballots, hashed, votes, voters)
    with (folder / VOTES).open("w") as file, VotesParquet(folder / PARQUET) as parquet:
        while batch := list(islice(rows, 5000)):
            file.writelines(json.dumps(row, separators=(",", ":")) + "\n" for row in batch)
            parquet.write(batch)
    at = BEGIN + timedelta(milliseconds=20 * (votes + 1))
    out.add("round.closed", at)
    official = official_figures(ballots.cells(ENTRIES, rules.rated_votes_per_voter), rules, final=True)
    hashes = {name: official.ratings[name] for name in ("cells_hash", "figures_hash")}
    out.add("round.scored", at, scores_hash=fingerprint(official.scores), **hashes)
    out.close()
    fixed = {name: out.opened[name] for name in ("round", "key", "rules", "rules_hash", "seed_commitment")}
    about = dict.fromkeys(ABOUT) | fixed
    about |= {"format": FORMAT, "origin": KEY.origin(SLUG), "state": "closed", "votes": votes, "erased": 0}
    about |= {"ledger": {"size": out.tree.size, "root": out.tree.root().hex()}, "seed": SEED.hex()}
    about |= {"entries": [{"entry": code, "team": TEAM} for code in ENTRIES], "models": MODELS, "outages": {}}
    for name, body in ((ROUND, about), (RATINGS, official.ratings), (SCORES, official.scores)):
        (folder / name).write_text(json.dumps(body))


def _play(out: Writer, ballots: Ballots, hashed: str, votes: int, voters: int) -> Iterator[dict[str, Any]]:
    """Voters in turn, each with the next place of its order; yields rows of votes.jsonl."""
    chance, cells = random.Random(1), cells_of(ENTRIES)
    names = [hashlib.sha256(str(number).encode()).hexdigest()[:32] for number in range(voters)]
    for number in range(votes):
        k, voter = divmod(number, voters)
        name, battle = names[voter], f"{chance.getrandbits(128):032x}"
        at = BEGIN + timedelta(milliseconds=20 * number)
        block, place = divmod(k, len(cells))
        pair = cells[block_order(SEED, SLUG, 1, name, block, len(cells))[place]]
        said = f"{chance.getrandbits(256):064x}"
        hidden = sealed(pair_salt(SEED, battle), json.dumps(list(pair), separators=(",", ":")).encode())
        out.add("battle.started", at, battle=battle, voter=name, epoch=1, k=k, rules=hashed, prompt=said, pair=hidden)
        choice = chance.choice(OUTCOMES)
        position = out.add("vote.cast", at, battle=battle, voter=name, rules=hashed, choice=choice, turns=[said])
        ballots.add(position, battle, voter, pair, OUTCOMES.index(choice), None)
        yield {
            "entry": position,
            "battle": battle,
            "voter": name,
            "model_a": pair[0],
            "model_b": pair[1],
            "winner": WINNERS[choice],
            "at": timestamp(at),
            "turns": 1,
            "language": "ko",
            "excluded": None,
        }


def main(votes: int = 1_000_000, voters: int = 125_000) -> None:
    with tempfile.TemporaryDirectory(prefix="arena-bench-") as folder:
        make(Path(folder), votes, voters)
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "arena", "verify", folder], check=True)
        seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    print(
        f"{votes:,} votes of {voters:,} voters, {size / 1e6:.0f} MB: {seconds:.1f} s, CPU {cpu:.1f} s,"
        f" {used.ru_maxrss / 1024:.0f} MB"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
