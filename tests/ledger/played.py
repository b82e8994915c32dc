"""A small round played by hand, with all that a ledger can tell of, and its bundle, which may be forged."""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from arena.battles.column import Said
from arena.battles.leaves import write_outage
from arena.clock import now
from arena.db import Database
from arena.ledger.actions import append, sequence
from arena.offline.bundle import CHECKPOINTS, LEDGER, ROUND, VOTES, WINNERS, Bundle
from arena.offline.faults import FaultError
from arena.offline.verify import Verified, verify_bundle
from arena.offline.witnesses import KeptCheckpoint
from arena.proofs.merkle import Growing, leaf_hash
from arena.proofs.notes import Checkpoint, SigningKey, note_text
from arena.ratings.export import export_round
from arena.rounds.queries import find_round, newest_epoch
from arena.rounds.tables import Epoch, Round
from arena.teams.outages import FAILURES_IN_A_ROW, checked, note_answer
from arena.teams.queries import entries_of
from arena.teams.tables import Outage
from tests.data import MINJI, asks, closes, ends, excludes, opened, reinstates, voted, voter
from tests.pg import database
from tests.support import KEY

CHOICES = ("a", "a", "b", "tie", "both_bad")
NAMED = (
    Said("저는 [모델]이에요", "complete", 1, 2, names=1, raw="저는 가온이에요"),
    Said("나 답변", "complete", 1, 2),
)
FAILED = (Said("", "refused", None, 5), Said("나 답변", None, 1, None))
TWO = ["operator-1", "operator-2"]
OTHER_KEY = SigningKey(KEY.name, bytes(range(100, 132)))

Entries = list[dict[str, Any]]


def play(db: Database, voters: int = 6, battles: int = 3, **rules: Any) -> Round:
    """Votes, an outage, a pause, a battle left, one that failed, one in which a model named itself, an exclusion."""
    opened(db, **{"may_change": ["pause", "join", "address"]} | rules)
    chance = random.Random(3)
    known: list[int] = []
    for number in range(voters):
        name = voter(db, f"citizen-{number}")
        outage = fails(db, "e2") if number == 2 else None
        if number == 3:
            changes(db, "e4", "pause")
        known += [voted(db, name, chance.choice(CHOICES), now()).id for _ in range(battles)]
        if outage:
            recovers(db, outage)
        if number == 3:
            changes(db, "e4", "resume")
        sequenced(db)
    name = voter(db, MINJI)
    ends(db, asks(db)[1], "failed", FAILED)
    ends(db, asks(db, "다른 질문")[1], "complete", NAMED)
    asks(db, "버려지는 질문 전에")
    voted(db, name, "tie", now())
    excludes(db, *known[:3])
    reinstates(db, known[1])
    sequenced(db)
    return played_round(db)


def sequenced(db: Database, key: SigningKey = KEY) -> None:
    """What the sequencer does."""
    db.writing(lambda session: sequence(session, played_round(db).id or 0, key, now()))


def played_round(db: Database) -> Round:
    with db.reading() as session:
        found = find_round(session, "stage-1")
    assert found is not None
    return found


def fails(db: Database, code: str) -> int:
    """The number of the outage that an entry's failures begin."""

    def work(session: Session) -> int:
        round_, outage = played_round(db), None
        entry_id = next(entry.id for entry in entries_of(session, round_.id or 0) if entry.code == code)
        for _ in range(FAILURES_IN_A_ROW):
            outage = note_answer(session, entry_id, "refused", now(), good=False)
        assert outage is not None
        write_outage(session, round_, outage, now())
        return outage.id or 0

    return db.writing(work)


def recovers(db: Database, outage_id: int) -> None:
    def work(session: Session) -> Outage | None:
        outage = checked(session, outage_id, now(), good=True)
        if outage:
            write_outage(session, played_round(db), outage, now())
        return outage

    assert db.writing(work)


def changes(db: Database, code: str, change: str) -> None:
    """Pauses an entry, or lets it go on, in a new epoch."""

    def work(session: Session) -> None:
        round_ = played_round(db)
        before = newest_epoch(session, round_.id or 0)
        taking = set(before.entries) - {code} if change == "pause" else {*before.entries, code}
        epoch = Epoch(round_id=round_.id or 0, number=before.number + 1, entries=sorted(taking), started_at=now())
        session.add(epoch)
        body = {"entry": code, "change": change, "epoch": epoch.number, "entries": epoch.entries}
        why = {"reason": "endpoint_failing", "persons": TWO}
        append(session, round_.id or 0, round_.slug, "entry.changed", now(), **body, **why)

    db.writing(work)


# Databases in which it was played, copied for each test


def sqlite_with_a_round(template: Path, folder: Path) -> Path:
    """A SQLite file in which a round was played, to copy from."""
    file = folder / "played.db"
    shutil.copy(template, file)
    _play_and_leave(f"sqlite:///{file}")
    return file


def postgres_with_a_round(server: str, template: str) -> Iterator[str]:
    """The name of a PostgreSQL database in which a round was played, to copy from."""
    with database(server, template) as url:
        _play_and_leave(url)
        yield url.rsplit("/", 1)[1]


def _play_and_leave(url: str) -> None:
    db = Database(url)
    play(db)
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


# Bundles


def open_and_closed(template: Path, folder: Path) -> None:
    """The bundles `open` and `closed` of a round, from a copy of a SQLite file in which it was played."""
    shutil.copy(template, folder / "played.db")
    db = Database(f"sqlite:///{folder / 'played.db'}")
    bundle_of(db, folder / "open")
    closes(db)
    bundle_of(db, folder / "closed")
    db.close()


def bundle_of(db: Database, folder: Path, *, unsealed: bool = False) -> Path:
    with db.reading() as session:
        export_round(session, played_round(db), folder, unsealed=unsealed)
    return folder


def verified(folder: Path, **held: Any) -> Verified:
    return verify_bundle(Bundle(folder), lambda _done: None, **held)


def fault(folder: Path, **held: Any) -> FaultError:
    """What the verifier names first."""
    with pytest.raises(FaultError) as found:
        verified(folder, **held)
    return found.value


def entries(folder: Path) -> Entries:
    return [json.loads(line) for line in (folder / LEDGER).read_text("utf-8").splitlines()]


def rows(folder: Path, name: str) -> Entries:
    return [json.loads(line) for line in (folder / name).read_text("utf-8").splitlines()]


def place(folder: Path, type_: str, number: int = 0) -> int:
    """The position of the `number`-th entry of a type."""
    return [at for at, entry in enumerate(entries(folder)) if entry["type"] == type_][number]


def kept(folder: Path, size: int | None = None) -> KeptCheckpoint:
    """A checkpoint that a reader saved from a bundle: the newest, or the one of a size."""
    note = next(row["note"] for row in reversed(rows(folder, CHECKPOINTS)) if size in (None, row["size"]))
    return KeptCheckpoint(note, Checkpoint.parse(note_text(note)))


def signed_range(folder: Path, position: int) -> str:
    """The place of the smallest signed range in which an entry stands."""
    sizes = [0, *(row["size"] for row in rows(folder, CHECKPOINTS))]
    first = max(size for size in sizes if size <= position)
    last = min(size for size in sizes if size > position) - 1
    return f"entry {first}" if first == last else f"entries {first} to {last}"


def forged(folder: Path, forgery: Path, change: Callable[[Entries], object], key: SigningKey = KEY) -> Path:
    """The bundle of an operator who changes entries and signs all anew; votes.jsonl follows."""
    resigned(folder, forgery, change, key)
    _follow(forgery, entries(forgery))
    return forgery


def resigned(folder: Path, forgery: Path, change: Callable[[Entries], object], key: SigningKey = KEY) -> Path:
    """As `forged`, with the votes left as they are, so that entries may be changed to anything."""
    shutil.copytree(folder, forgery)
    ledger = entries(folder)
    change(ledger)
    sizes = [row["size"] for row in rows(folder, CHECKPOINTS) if row["size"] < len(ledger)]
    root = _sign(forgery, ledger, {*sizes, len(ledger)}, key)
    about = json.loads((folder / ROUND).read_text("utf-8"))
    about |= {"ledger": {"size": len(ledger), "root": root.hex()}, "key": ledger[0].get("key")}
    about["votes"] = sum(entry.get("type") == "vote.cast" for entry in ledger)
    (forgery / ROUND).write_text(json.dumps(about), "utf-8")
    return forgery


def _sign(folder: Path, ledger: Entries, sizes: set[int], key: SigningKey) -> bytes:
    """Writes the ledger and its signed checkpoints; returns the last root."""
    lines = [_line(entry) for entry in ledger]
    (folder / LEDGER).write_text("".join(f"{line}\n" for line in lines), "utf-8")
    origin, tree, notes = key.origin("stage-1"), Growing(), []
    for line in lines:
        tree.add(leaf_hash(line.encode()))
        if tree.size in sizes:
            note = key.sign(origin, Checkpoint(origin, tree.size, tree.root()).text())
            notes.append(_line({"size": tree.size, "note": note}))
    (folder / CHECKPOINTS).write_text("".join(f"{note}\n" for note in notes), "utf-8")
    return tree.root()


def _follow(folder: Path, ledger: Entries) -> None:
    known = {row["battle"]: row for row in rows(folder, VOTES)}
    usual = next(iter(known.values()))
    with (folder / VOTES).open("w", encoding="utf-8") as out:
        for position, entry in enumerate(ledger):
            if entry["type"] == "vote.cast":
                row = known.get(entry["battle"], usual) | {"entry": position, "battle": entry["battle"]}
                row |= {"voter": entry["voter"], "at": entry["at"], "winner": WINNERS.get(entry["choice"], "tie")}
                out.write(_line(row) + "\n")


def _line(row: dict[str, Any]) -> str:
    """Canonical where a row is an entry: its rules are the only ones with fractions, which Python writes alike."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"), sort_keys="type" in row)
