"""The sequencer: every entry gets one place in a tree that only grows, whoever sequences and whatever breaks."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlmodel import Session
from structlog.testing import capture_logs

from arena.clock import now
from arena.db import Database
from arena.ledger.actions import append, sequence, settle
from arena.ledger.jobs import sequencing
from arena.ledger.queries import leaf, leaf_by_hash, newest_checkpoint
from arena.ledger.tables import StoredCheckpoint
from arena.ratings.actions import Counted, close_round, count
from arena.rounds.tables import Round
from tests.data import closes, in_parallel, opened, run_into, under_way, voted, voter
from tests.ledger.logs import (
    NEW_KEY,
    add,
    check_log,
    entries,
    numbers,
    sequences,
    sequences_all,
    sizes,
    tree,
    writes,
)
from tests.support import KEY

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


class DeadError(Exception):
    """The process dies here."""


@pytest.fixture
def round_(db: Database) -> Round:
    """An open round, whose opening is the only entry."""
    return opened(db, teams=3)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


def settles(db: Database, round_: Round) -> StoredCheckpoint | None:
    return db.writing(lambda session: settle(session, round_.id or 0, KEY, now()))


def test_entries_stand_in_the_tree_in_the_order_in_which_they_were_written(db: Database, round_: Round) -> None:
    writes(db, round_, "one", "two")
    writes(db, round_, "three")
    assert tree(db, round_) == []
    sequences(db, round_)
    assert [entry.get("text") for entry in tree(db, round_)] == [None, "one", "two", "three"]
    writes(db, round_, "four")
    sequences(db, round_)
    assert tree(db, round_) == entries(db)
    assert sizes(db, round_) == [4, 5]
    assert check_log(db, round_) == 5


def test_with_nothing_waiting_nothing_is_signed(db: Database, round_: Round) -> None:
    sequences(db, round_)
    assert sequences(db, round_) is None
    assert sizes(db, round_) == [1]


def test_a_checkpoint_is_that_of_the_whole_tree(db: Database, round_: Round) -> None:
    writes(db, round_, *numbers(10))
    signed = sequences(db, round_)
    with db.reading() as session:
        assert newest_checkpoint(session, round_.id or 0) == signed
    assert signed
    assert signed.note.startswith("arena.example/rounds/stage-1\n11\n")


@pytest.mark.parametrize(("waiting", "at_once", "checkpoints"), [(700, 5000, 1), (255, 100, 3), (1000, 256, 4)])
def test_a_large_tree_is_signed_in_steps(
    db: Database, round_: Round, monkeypatch: pytest.MonkeyPatch, waiting: int, at_once: int, checkpoints: int
) -> None:
    monkeypatch.setattr("arena.ledger.actions.AT_ONCE", at_once)
    writes(db, round_, *numbers(waiting))
    assert sequences_all(db, round_) == checkpoints
    assert check_log(db, round_) == waiting + 1
    writes(db, round_, "more")
    sequences(db, round_)
    assert check_log(db, round_) == waiting + 2


def test_nodes_of_all_levels_are_stored_as_they_become_complete(
    db: Database, round_: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a tree where 4 hashes make a node, as 256 do, so that 65 entries have three levels above them."""
    monkeypatch.setattr("arena.proofs.merkle.LEVEL_BITS", 2)
    for module in ("arena.proofs.merkle", "arena.ledger.actions"):
        monkeypatch.setattr(f"{module}.FANOUT", 4)
    for size in (3, 1, 1, 10, 1, 47, 1, 1, 200):
        writes(db, round_, *numbers(size))
        sequences(db, round_)
        check_log(db, round_)


def test_an_entry_is_found_by_its_hash_and_by_its_row(db: Database, round_: Round) -> None:
    def write(session: Session) -> None:
        written = append(session, round_.id or 0, round_.slug, "round.closed", now())
        assert leaf(session, written.id).hash == written.hash
        assert leaf_by_hash(session, round_.id or 0, written.hash) == leaf(session, written.id)
        assert leaf_by_hash(session, (round_.id or 0) + 1, written.hash) is None

    db.writing(write)


def test_several_sequencers_at_once_give_each_entry_one_place(
    database_url: str, db: Database, round_: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes write and sequence at the same time, in small steps."""
    monkeypatch.setattr("arena.ledger.actions.AT_ONCE", 7)
    other_process = Database(database_url)

    def write(process: Database, name: str) -> None:
        for number in range(20):
            writes(process, round_, *numbers(3, f"{name}-{number}-"))

    def place(process: Database) -> None:
        for _ in range(20):
            sequences(process, round_)

    work = [partial(write, process, name) for process, name in ((db, "a"), (db, "b"), (other_process, "c"))]
    work += [partial(place, process) for process in (db, db, other_process, other_process)]
    assert in_parallel(work) == [None] * len(work)
    sequences_all(db, round_)
    other_process.close()
    assert check_log(db, round_) == 1 + 3 * 20 * 3
    assert sorted(map(str, tree(db, round_))) == sorted(map(str, entries(db)))


@on_postgresql
def test_a_sequencer_waits_for_the_one_before_it(db: Database, round_: Round, pool: ThreadPoolExecutor) -> None:
    with under_way(db) as session:
        sequence(session, round_.id or 0, KEY, now())
        writes(db, round_, "meanwhile")
        other = run_into(db, pool, lambda session: sequence(session, round_.id or 0, KEY, now()))
    signed = other.result(10)
    assert signed
    assert signed.size == 2
    check_log(db, round_)


@on_postgresql
def test_a_closing_waits_for_the_sequencer_and_covers_all(
    db: Database, round_: Round, pool: ThreadPoolExecutor
) -> None:
    with under_way(db) as session:
        sequence(session, round_.id or 0, KEY, now())
        writes(db, round_, "meanwhile")
        closing = run_into(db, pool, lambda session: close_round(session, round_.slug, KEY, now()))
        writes(db, round_, "still")
    closing.result(10)
    assert check_log(db, round_) == len(entries(db)) == 5


@on_postgresql
def test_an_entry_of_an_unfinished_transaction_is_placed_after_it(db: Database, round_: Round) -> None:
    with under_way(db) as session:
        add(session, round_, "slow")
        writes(db, round_, "quick")
        sequences(db, round_)
    sequences(db, round_)
    assert [entry.get("text") for entry in tree(db, round_)] == [None, "quick", "slow"]
    check_log(db, round_)


def test_a_sequencer_that_dies_half_way_leaves_nothing(db: Database, round_: Round) -> None:
    writes(db, round_, *numbers(300))

    def die(session: Session) -> None:
        assert sequence(session, round_.id or 0, KEY, now())
        raise DeadError

    with pytest.raises(DeadError):
        db.writing(die)
    assert tree(db, round_) == []
    assert sizes(db, round_) == []
    sequences(db, round_)
    assert check_log(db, round_) == 301


def test_another_key_signs_nothing_and_says_so(db: Database, round_: Round) -> None:
    with capture_logs() as logged:
        assert sequences(db, round_, NEW_KEY) is None
    assert [event["event"] for event in logged] == ["ledger_key_differs"]
    assert logged[0]["expected"] == str(KEY.verifier(KEY.origin("stage-1")))
    assert tree(db, round_) == []
    assert sequences(db, round_)


def test_the_task_places_what_waits_in_every_round(db: Database, round_: Round) -> None:
    closes(db)
    second = opened(db, slug="stage-2")
    voter(db, "minji")
    task = sequencing(KEY)
    with db.reading() as session:
        assert task.wanted(session, now())

    async def run() -> None:
        await task.run(db)

    asyncio.run(run())
    with db.reading() as session:
        assert not task.wanted(session, now())
    assert len(tree(db, round_)) + len(tree(db, second)) == len(entries(db))
    assert [entry["round"] for entry in tree(db, second)] == ["stage-2"]


def test_settling_places_all_that_waits(db: Database, round_: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena.ledger.actions.AT_ONCE", 10)
    writes(db, round_, *numbers(35))
    signed = settles(db, round_)
    assert signed
    assert signed.size == 36
    assert settles(db, round_) == signed
    check_log(db, round_)


def counts(db: Database, round_: Round) -> Counted:
    """What the worker counts."""
    counted = db.writing(lambda session: count(session, round_, KEY, now()))
    assert counted
    return counted


def votes_within(db: Database, round_: Round, size: int) -> int:
    return sum(entry["type"] == "vote.cast" for entry in tree(db, round_)[:size])


@on_postgresql
def test_what_is_settled_covers_no_vote_of_an_unfinished_transaction(
    database_url: str, db: Database, round_: Round
) -> None:
    voted(db, voter(db, "minji"))
    with under_way(db) as session:
        counted = count(session, round_, KEY, now())
        assert counted
        voted(db, voter(db, "junho"))
        assert settle(session, round_.id or 0, KEY, now())
    assert counted.cells.counts.sum() == votes_within(db, round_, counted.ledger_size) == 1
    again = counts(db, round_)
    assert again.cells.counts.sum() == votes_within(db, round_, again.ledger_size) == 2


def test_what_is_settled_covers_exactly_the_votes_that_are_counted(
    database_url: str, db: Database, round_: Round
) -> None:
    """Citizens vote while two processes count and sequence."""
    other_process = Database(database_url)
    citizens = [voter(db, f"citizen-{number}") for number in range(4)]
    found: list[Counted] = []

    def vote(name: str) -> None:
        for _ in range(10):
            voted(db, name)

    def look(process: Database) -> None:
        for _ in range(15):
            found.append(counts(process, round_))
            sequences(process, round_)

    work = [partial(vote, name) for name in citizens] + [partial(look, process) for process in (db, other_process)]
    assert in_parallel(work) == [None] * len(work)
    found.append(counts(db, round_))
    other_process.close()
    assert check_log(db, round_) == len(entries(db))
    assert found[-1].cells.counts.sum() == 40
    for counted in found:
        assert counted.cells.counts.sum() == votes_within(db, round_, counted.ledger_size)
