"""A bundle that is as it was written verifies, with all that a ledger can hold; changed by one byte it does not."""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from sqlmodel import Session, select

from arena.clock import now
from arena.db import Database
from arena.errors import RefusedError
from arena.ledger.actions import append, rotate_key
from arena.offline.faults import FaultError
from arena.offline.parquet import VotesParquet
from arena.ratings.actions import close_round
from arena.ratings.queries import snapshot_of
from arena.rounds.leaves import address_commitment
from arena.teams.tables import Entry
from tests.data import closes, opened, voted, voter
from tests.ledger.played import (
    OTHER_KEY,
    TWO,
    bundle_of,
    changes,
    entries,
    fails,
    fault,
    kept,
    place,
    play,
    played_round,
    rows,
    sequenced,
    verified,
)
from tests.support import KEY


def test_an_open_round_verifies_sealed(played: Database, tmp_path: Path) -> None:
    found = verified(bundle_of(played, tmp_path / "bundle"))
    assert (found.round, found.entries, found.votes, found.excluded) == ("stage-1", 51, 19, 2)
    assert (found.sealed, found.figures_hash) == (True, None)


def test_a_closed_round_verifies_to_the_last_digit(played: Database, tmp_path: Path) -> None:
    before = kept(bundle_of(played, tmp_path / "before"))
    closes(played)
    found = verified(bundle_of(played, tmp_path / "bundle"), kept=before)
    with played.reading() as session:
        official = snapshot_of(session, played_round(played).id or 0)
    assert official is not None
    assert (found.sealed, found.figures_hash) == (False, official.ratings["figures_hash"])
    assert (found.entries, found.checkpoints, found.votes) == (53, 9, 19)


def test_a_round_whose_figures_are_rated_verifies(db: Database, tmp_path: Path) -> None:
    """Enough votes for intervals; each voter's first five count, and exclusions move later ones up."""
    play(db, voters=8, battles=7, rated_votes_per_voter=5)
    closes(db)
    folder = bundle_of(db, tmp_path / "bundle")
    assert verified(folder).figures_hash
    assert json.loads((folder / "ratings.json").read_text("utf-8"))["state"] == "ok"


def test_a_round_without_a_single_vote_verifies(db: Database, tmp_path: Path) -> None:
    opened(db)
    closes(db)
    found = verified(bundle_of(db, tmp_path / "bundle"))
    assert (found.votes, found.entries) == (0, 3)


def hand_over(db: Database) -> None:
    round_ = played_round(db)
    db.writing(lambda session: rotate_key(session, round_.id or 0, round_.slug, KEY, OTHER_KEY, now()))


def test_a_round_whose_key_changed_verifies_with_the_old_and_the_new_one(played: Database, tmp_path: Path) -> None:
    before = kept(bundle_of(played, tmp_path / "before"))
    hand_over(played)
    voted(played, voter(played, "citizen-9"), "a", now())
    sequenced(played, OTHER_KEY)
    between = bundle_of(played, tmp_path / "between")
    played.writing(lambda session: close_round(session, "stage-1", OTHER_KEY, now()))
    after = bundle_of(played, tmp_path / "after")
    old, new = (str(key.verifier(KEY.origin("stage-1"))) for key in (KEY, OTHER_KEY))
    assert verified(after).keys == [old, new]
    for held in (before, kept(between), kept(after)):
        for key in (old, new):
            assert verified(after, kept=held, key=key).votes == 20


def test_changes_of_entries_verify(played: Database, tmp_path: Path) -> None:
    """An outage that outlasts the round, a pause under which people vote, a new address."""

    def move(session: Session) -> None:
        entry = session.exec(select(Entry).where(Entry.code == "e1")).one()
        entry.base_url, entry.address_salt = "http://127.0.0.1:7", "a" * 64
        session.add(entry)
        body: dict[str, Any] = {"entry": "e1", "change": "address", "address": address_commitment(entry)}
        round_ = played_round(played)
        why = {"reason": "endpoint_moved", "persons": TWO}
        append(session, round_.id or 0, round_.slug, "entry.changed", now(), **body, **why)

    fails(played, "e3")
    played.writing(move)
    changes(played, "e5", "pause")
    for number in range(2):
        name = voter(played, f"later-{number}")
        for _ in range(4):
            voted(played, name, "b", now())
    closes(played)
    folder = bundle_of(played, tmp_path / "bundle")
    assert verified(folder).votes == 27
    later = rows(folder, "votes.jsonl")[-8:]
    assert not {"e3", "e5"} & {row[side] for row in later for side in ("model_a", "model_b")}


def test_the_first_entry_that_fails_is_the_one_named(bundles: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(bundles / "open", tmp_path / "bundle")
    lines = (folder / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    for position in (30, 10, 20):
        lines[position] = lines[position].replace(b'"type"', b'"tipe"')
    (folder / "ledger.jsonl").write_bytes(b"".join(lines))
    assert fault(folder).place == "entry 10"


@pytest.mark.parametrize("name", ["ratings.json", "scores.json", "votes.parquet"])
def test_figures_beside_sealed_pairs_are_not_let_through(bundles: Path, tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(bundles / "open", tmp_path / "bundle")
    shutil.copy(bundles / "closed" / name, folder / name)
    assert fault(folder).place == name


def test_a_bundle_without_its_parquet_file_verifies(bundles: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(bundles / "closed", tmp_path / "bundle")
    (folder / "votes.parquet").unlink()
    assert verified(folder).figures_hash


@pytest.mark.parametrize(
    ("change", "row"),
    [
        (lambda votes: votes[3].update(winner="tie" if votes[3]["winner"] != "tie" else "model_a"), 4),
        (lambda votes: votes[3].update(language="en"), 4),
        (lambda votes: votes[3].update(at="2026-01-01T00:00:00.000Z"), 4),
        (lambda votes: votes.pop(), 17),
        (lambda votes: votes.append(votes[0]), 18),
        (lambda votes: votes.clear(), 1),
    ],
)
def test_a_parquet_file_that_differs_from_the_votes_is_named_with_its_row(
    bundles: Path, tmp_path: Path, change: Callable[[list[dict[str, Any]]], object], row: int
) -> None:
    folder = shutil.copytree(bundles / "closed", tmp_path / "bundle")
    votes = [vote for vote in rows(folder, "votes.jsonl") if vote["excluded"] is None]
    change(votes)
    with VotesParquet(folder / "votes.parquet") as writer:
        writer.write(votes)
    found = fault(folder)
    assert (found.place, f"row {row} " in found.what) == ("votes.parquet", True)


# One byte

UNCLAIMED = {
    "round.json": ("software", "title", "erased"),
    "votes.jsonl": ("language",),
}
"""What nothing in the ledger speaks of; `language` of a closed round is held against votes.parquet."""
BUNDLES = ("open", "closed")


def mutations(folder: Path, chance: random.Random, each: int) -> Iterator[tuple[Path, bytes]]:
    """Files with one byte of theirs changed to another, at random places."""
    for file in sorted(folder.iterdir()):
        data = file.read_bytes()
        for _ in range(each):
            at = chance.randrange(len(data))
            byte = chance.choice([data[at] ^ 1 << chance.randrange(8), chance.randrange(256), *b'\n "0'])
            if byte != data[at]:
                yield file, data[:at] + bytes([byte]) + data[at + 1 :]


def says_the_same(file: Path, data: bytes) -> bool:
    """Whether a changed file tells a reader what it told before, but for what nothing is claimed about."""
    if file.name == "README.md":
        return True
    if file.suffix == ".parquet":
        return bool(pyarrow.parquet.read_table(pa.BufferReader(data)).equals(pyarrow.parquet.read_table(file)))
    return _claims(file.name, data) == _claims(file.name, file.read_bytes())


def _claims(name: str, data: bytes) -> list[dict[str, Any]]:
    lines = data.splitlines() if name.endswith(".jsonl") else [data]
    found = [json.loads(line) for line in lines]
    return [{key: value for key, value in row.items() if key not in UNCLAIMED.get(name, ())} for row in found]


@pytest.mark.parametrize("name", BUNDLES)
def test_one_changed_byte_anywhere_is_noticed(bundles: Path, tmp_path: Path, name: str) -> None:
    """A fault or a refusal, and no other error; or the file still says the same."""
    folder, unnoticed = shutil.copytree(bundles / name, tmp_path / "bundle"), 0
    for file, data in mutations(bundles / name, random.Random(name), 120):
        (folder / file.name).write_bytes(data)
        try:
            verified(folder)
        except (FaultError, RefusedError):
            pass
        else:
            unnoticed += 1
            assert says_the_same(file, data), (file.name, data)
        shutil.copy(file, folder / file.name)
    assert unnoticed > 0
    assert verified(folder).votes == 19


@pytest.mark.parametrize("name", BUNDLES)
def test_every_byte_of_what_the_bundle_says_of_itself_is_held_against_the_ledger(
    bundles: Path, tmp_path: Path, name: str
) -> None:
    folder = shutil.copytree(bundles / name, tmp_path / "bundle")
    original = (folder / "round.json").read_bytes()
    for at in range(len(original)):
        data = original[:at] + bytes([original[at] ^ 1]) + original[at + 1 :]
        (folder / "round.json").write_bytes(data)
        try:
            verified(folder)
        except (FaultError, RefusedError):
            continue
        assert says_the_same(bundles / name / "round.json", data), data[at - 40 : at + 40]


def test_what_is_named_is_in_the_ledger(bundles: Path) -> None:
    """So that the tests above look at a bundle with all there is."""
    assert {entry["type"] for entry in entries(bundles / "closed")} == {
        "round.opened",
        "battle.started",
        "battle.ended",
        "vote.cast",
        "vote.excluded",
        "vote.reinstated",
        "outage.began",
        "outage.ended",
        "entry.changed",
        "round.closed",
        "round.scored",
    }
    assert place(bundles / "closed", "round.scored") == 52
