"""Eight processes vote while the one that sequences is killed again and again: no gap and no double."""

import multiprocessing
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.context import SpawnProcess
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from sqlmodel import Session, col, select

from arena.accounts.actions import record_consent
from arena.battles.pages import CONSENT_VERSION
from arena.battles.votes import cast_vote
from arena.clock import now
from arena.db import Database
from arena.ledger.queries import newest_checkpoint, size_of, tree_of
from arena.ledger.tables import Leaf
from arena.proofs.merkle import includes, inclusion_proof
from arena.settings import PREFIX
from tests.data import ask, closes, end_turn, opened
from tests.ledger.played import bundle_of, played_round, verified
from tests.processes import ROOT
from tests.support import KEY, eventually

PROCESSES = 8
KILLS = 4
PACE_S = 0.02


def battle_and_vote(session: Session) -> None:
    voter = uuid.uuid4().hex
    record_consent(session, voter, CONSENT_VERSION, publish=False, now=now())
    battle, turn = ask(session, voter)
    assert end_turn(session, turn)
    cast_vote(session, voter, battle.id, "a", now())


def votes_until(stop: Event, url: str, number: "Queue[int]") -> None:
    """Runs in a process of its own; tells how often it voted."""
    db, count = Database(url), 0
    while not stop.wait(PACE_S):
        db.writing(battle_and_vote)
        count += 1
    db.close()
    number.put(count)


@contextmanager
def running(voters: "list[SpawnProcess]") -> Iterator[None]:
    """Starts processes; whichever has not ended after the block is killed."""
    for process in voters:
        process.start()
    try:
        yield
    finally:
        for process in voters:
            process.kill()


@contextmanager
def worker(url: str, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """`arena worker`, killed at the end of the block."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    environment |= {"ARENA_DATABASE_URL": url, "ARENA_LEDGER_KEY": KEY.secret()}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "arena", "worker"], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def size(db: Database) -> int:
    with db.reading() as session:
        return size_of(session, played_round(db).id or 0)


def has_grown(db: Database, before: int) -> bool:
    return size(db) > before


def waiting(db: Database) -> int:
    with db.reading() as session:
        return len(session.exec(select(Leaf.id).where(col(Leaf.position).is_(None))).all())


def test_no_entry_is_lost_or_doubled_while_the_sequencer_is_killed(
    db: Database, database_url: str, tmp_path: Path
) -> None:
    opened(db)
    spawn = multiprocessing.get_context("spawn")
    stop, number = spawn.Event(), spawn.Queue()
    voters = [spawn.Process(target=votes_until, args=(stop, database_url, number)) for _ in range(PROCESSES)]
    with running(voters):
        for _ in range(KILLS):
            before = size(db)
            with worker(database_url, tmp_path / "log"):
                assert eventually(partial(has_grown, db, before), 60)
        stop.set()
        voted = sum(number.get(timeout=60) for _ in voters)
        for process in voters:
            process.join(60)
    assert [process.exitcode for process in voters] == [0] * PROCESSES
    with worker(database_url, tmp_path / "log"):
        assert eventually(lambda: waiting(db) == 0, 60)

    with db.reading() as session:
        round_id = played_round(db).id or 0
        leaves = session.exec(select(Leaf).order_by(col(Leaf.position))).all()
        checkpoint = newest_checkpoint(session, round_id)
        assert checkpoint is not None
        assert [leaf.position for leaf in leaves] == list(range(checkpoint.size))
        tree = tree_of(session, round_id)
        for leaf in leaves:
            proof = inclusion_proof(tree, leaf.position or 0, checkpoint.size)
            assert includes(leaf.hash, leaf.position or 0, checkpoint.size, proof, checkpoint.root)
    assert sum(leaf.type == "vote.cast" for leaf in leaves) == voted
    closes(db)
    assert verified(bundle_of(db, tmp_path / "bundle")).votes == voted


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_without_the_ledgers_key_signs_nothing(db: Database, database_url: str, tmp_path: Path) -> None:
    opened(db)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    environment["ARENA_DATABASE_URL"] = database_url
    ended = subprocess.run(
        [sys.executable, "-m", "arena", "worker"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, size(db)) == (2, 0)
    assert "ARENA_LEDGER_KEY is not set" in ended.stderr
