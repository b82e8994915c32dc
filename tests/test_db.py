"""The database: what is acknowledged is there, what fails undoes only itself, writers queue fairly."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from functools import partial

import pytest
from sqlalchemy import func, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, select

from arena.accounts.tables import Voter
from arena.clock import now
from arena.db import Database, Work, add_unless_there
from arena.jobs import Job
from tests.data import in_parallel
from tests.support import eventually


def arriving(name: str) -> Work[str]:
    """A write that makes a voter known."""

    def work(session: Session) -> str:
        session.add(Voter(id=name, created_at=now()))
        session.flush()
        return name

    return work


def voters(db: Database) -> set[str]:
    with db.reading() as session:
        return set(session.exec(select(Voter.id)))


class Batch:
    """Pieces that are written in one transaction: they queue while the one before them holds the writer."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._gate = threading.Event()
        self._futures: list[Future[str]] = []
        begun = threading.Event()

        def hold(_session: Session) -> str:
            begun.set()
            assert self._gate.wait(10)
            return "held"

        self.add(hold)
        assert begun.wait(10)

    def add(self, work: Work[str]) -> None:
        self._futures.append(self._db._writer.submit(work))

    def outcomes(self) -> list[str | BaseException]:
        """What became of each piece, once all are done."""
        self._gate.set()
        return [future.exception(10) or future.result() for future in self._futures[1:]]


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Database]:
    opened = Database(sqlite_url)
    yield opened
    opened.close()


def test_a_write_is_there_once_it_has_returned(db: Database) -> None:
    assert db.writing(arriving("minji")) == "minji"
    assert voters(db) == {"minji"}


def test_a_write_that_fails_leaves_nothing_and_says_why(db: Database) -> None:
    def fails(session: Session) -> None:
        arriving("minji")(session)
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        db.writing(fails)
    assert voters(db) == set()


def test_asynchronous_reads_and_writes_see_what_was_committed(db: Database) -> None:
    async def both() -> set[str]:
        await db.write(arriving("minji"))
        return await db.read(lambda session: set(session.exec(select(Voter.id))))

    assert asyncio.run(both()) == {"minji"}


def test_a_caller_who_gives_up_does_not_undo_the_write(db: Database) -> None:
    gate = threading.Event()

    def slow(session: Session) -> str:
        assert gate.wait(10)
        return arriving("minji")(session)

    async def give_up() -> None:
        writing = asyncio.ensure_future(db.write(slow))
        await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        gate.set()

    asyncio.run(give_up())
    assert db.writing(arriving("junho")) == "junho"
    assert eventually(lambda: voters(db) == {"minji", "junho"})


def test_many_parallel_writers_all_land(db: Database) -> None:
    names = [f"citizen-{number}" for number in range(64)]
    assert in_parallel([partial(db.writing, arriving(name)) for name in names]) == names
    assert voters(db) == set(names)


def test_writers_of_several_processes_all_land(database_url: str) -> None:
    processes = [Database(database_url) for _ in range(4)]
    names = [f"citizen-{number}" for number in range(64)]
    writes = [partial(processes[at % 4].writing, arriving(name)) for at, name in enumerate(names)]
    assert in_parallel(writes) == names
    assert voters(processes[0]) == set(names)
    for process in processes:
        process.close()


def test_readers_see_the_last_commit_while_a_write_is_under_way(db: Database) -> None:
    db.writing(arriving("minji"))
    begun, gate = threading.Event(), threading.Event()

    def slow(session: Session) -> str:
        arriving("junho")(session)
        begun.set()
        assert gate.wait(10)
        return "junho"

    writing = db._writer.submit(slow)
    assert begun.wait(10)
    assert voters(db) == {"minji"}
    gate.set()
    assert writing.result(10) == "junho"
    assert voters(db) == {"minji", "junho"}


def test_a_row_is_inserted_by_one_of_many_and_the_rest_go_on(db: Database) -> None:
    def insert(session: Session, name: str) -> bool:
        inserted = add_unless_there(session, Job(name="rate", held_until=now()))
        arriving(name)(session)
        return inserted

    done = in_parallel([partial(db.writing, partial(insert, name=f"citizen-{i}")) for i in range(8)])
    assert sorted(done, key=str) == [False] * 7 + [True]
    with db.reading() as session:
        assert session.exec(select(func.count()).select_from(Voter)).one() == 8


def test_pieces_that_queue_up_share_one_transaction(sqlite: Database) -> None:
    def counts(session: Session) -> str:
        inside = session.exec(select(func.count()).select_from(Voter)).one()
        with closing(sqlite3.connect(sqlite.engine.url.database or "")) as elsewhere:
            (outside,) = elsewhere.execute("select count(*) from voter").fetchone()
        return f"{inside} here, {outside} elsewhere"

    batch = Batch(sqlite)
    batch.add(arriving("minji"))
    batch.add(counts)
    assert batch.outcomes() == ["minji", "1 here, 0 elsewhere"]


def test_a_failing_piece_in_a_batch_undoes_only_itself(sqlite: Database) -> None:
    def twice(session: Session) -> str:
        arriving("yuna")(session)
        return arriving("minji")(session)

    batch = Batch(sqlite)
    for work in (arriving("minji"), twice, arriving("junho")):
        batch.add(work)
    first, second, third = batch.outcomes()
    assert (first, third) == ("minji", "junho")
    assert isinstance(second, IntegrityError)
    assert voters(sqlite) == {"minji", "junho"}


def test_a_failed_commit_acknowledges_nobody(sqlite: Database) -> None:
    """A reference that is checked at the commit makes the commit fail, as a full disk does."""

    def breaks_the_commit(session: Session) -> str:
        connection = session.connection()
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        connection.execute(
            text("insert into consent (voter_id, version, publish, given_at) values ('nobody', '1', 1, :at)"),
            {"at": "2026-01-01"},
        )
        return "done"

    batch = Batch(sqlite)
    for work in (arriving("minji"), breaks_the_commit, arriving("junho")):
        batch.add(work)
    assert all(isinstance(outcome, IntegrityError) for outcome in batch.outcomes())
    assert voters(sqlite) == set()
    assert sqlite.writing(arriving("yuna")) == "yuna"


def test_a_full_disk_in_the_middle_of_a_batch_acknowledges_nobody(sqlite: Database) -> None:
    """SQLite then drops the whole transaction by itself, and a commit of nothing would succeed."""

    def fills_the_disk(session: Session) -> str:
        connection = session.connection()
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        try:
            connection.execute(text("insert into job (name, held_until) values (zeroblob(1000000), '')"))
        finally:
            sqlite3_connection = connection.connection.dbapi_connection
            assert sqlite3_connection is not None
            sqlite3_connection.execute("PRAGMA max_page_count=1073741823")
        return "done"

    batch = Batch(sqlite)
    for work in (arriving("minji"), fills_the_disk, arriving("junho")):
        batch.add(work)
    outcomes = batch.outcomes()
    landed = voters(sqlite)
    assert not [name for name in outcomes if isinstance(name, str) and name not in landed]
    assert any(isinstance(outcome, OperationalError | RuntimeError) for outcome in outcomes)
    assert sqlite.writing(arriving("yuna")) == "yuna"


def test_what_waits_when_the_database_is_closed_is_still_written(sqlite: Database) -> None:
    batch = Batch(sqlite)
    batch.add(arriving("minji"))
    close = threading.Thread(target=sqlite.close)
    close.start()
    assert batch.outcomes() == ["minji"]
    close.join()
    again = Database(sqlite.engine.url)
    assert voters(again) == {"minji"}
    again.close()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 10_000)],
)
def test_sqlite_is_durable_and_strict_for_readers_and_writers(sqlite: Database, pragma: str, value: object) -> None:
    def ask(session: Session) -> object:
        return session.connection().exec_driver_sql(f"PRAGMA {pragma}").scalar()

    with sqlite.reading() as session:
        assert ask(session) == value
    assert sqlite.writing(ask) == value


def test_a_reference_to_nothing_is_refused(db: Database) -> None:
    with pytest.raises(IntegrityError):
        db.writing(
            lambda session: session.execute(
                text("insert into consent (voter_id, version, publish, given_at) values ('nobody', '1', true, :at)"),
                {"at": "2026-01-01"},
            )
        )


def test_an_error_of_a_statement_does_not_show_its_values(db: Database) -> None:
    db.writing(arriving("minji-secret"))
    with pytest.raises(IntegrityError) as refused:
        db.writing(arriving("minji-secret"))
    assert "[SQL parameters hidden" in str(refused.value)


def test_a_closed_sqlite_database_refuses_writes_rather_than_waiting_for_ever(sqlite_url: str) -> None:
    db = Database(sqlite_url)
    db.close()
    with pytest.raises(RuntimeError, match="closed"):
        db.writing(arriving("late"))
