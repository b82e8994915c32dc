"""The database: one engine, reads in parallel, writes that queue fairly.

SQLite lets one writer in at a time and its busy handler is unfair, so in one process every write goes through
one thread that commits what has queued up in one transaction (group commit): one flush to disk serves many
votes, and nobody is acknowledged before it. Several processes take turns by the lock of a file beside the database,
where none is passed over for long. On PostgreSQL each write is a transaction of its own.
"""

import asyncio
import fcntl
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from sqlalchemy import URL, Connection, Dialect, Engine, MetaData, create_engine, event, make_url
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel

from arena.errors import RefusedError

T = TypeVar("T")
Work = Callable[[Session], T]

READERS = 4
BATCH = 128
WRITE = "arena_write"

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Row(SQLModel):
    """The base of every table: its constraints have names that migrations can rely on."""

    metadata = MetaData(naming_convention=NAMING)


def add_unless_there(session: Session, row: Row) -> bool:
    """Inserts a row unless one with its key exists by then; True for the one caller who did."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves: sqlite3 would begin too late
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=10000",
            "secure_delete=ON",
            "recursive_triggers=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        write = connection.get_execution_options().get(WRITE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _write_savepoints_plainly(dialect: Dialect) -> None:
    """SQLAlchemy compiles the same three words for every savepoint anew, a good part of what a vote costs."""
    words = {
        "do_savepoint": "SAVEPOINT",
        "do_rollback_to_savepoint": "ROLLBACK TO SAVEPOINT",
        "do_release_savepoint": "RELEASE SAVEPOINT",
    }
    for method, word in words.items():
        setattr(dialect, method, partial(_savepoint, word))


def _savepoint(word: str, connection: Connection, name: str) -> None:
    connection.exec_driver_sql(f"{word} {name}")


def open_engine(url: str | URL) -> Engine:
    """An engine with this project's habits.

    `url`: `sqlite:///PATH` or `postgresql://...`. A missing folder for the SQLite file is made.
    Raises RefusedError when the folder cannot be made.
    Errors of statements do not show parameters: they would bring prompts into the logs.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_size=2 * READERS, pool_pre_ping=True, hide_parameters=True)
    folder = Path(parsed.database or "").parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RefusedError(f"cannot make the database's folder {folder}: {error.strerror}") from None
    engine = create_engine(
        parsed, pool_size=READERS + 2, hide_parameters=True, connect_args={"check_same_thread": False}
    )
    _prepare_sqlite(engine)
    _write_savepoints_plainly(engine.dialect)
    return engine


class Writer(Protocol):
    def submit(self, work: Work[T], /) -> Future[T]: ...

    def shutdown(self) -> None: ...


class _TransactionEach:
    """Every write is a transaction of its own: PostgreSQL has no need to queue."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="db-write")

    def submit(self, work: Work[T], /) -> Future[T]:
        return self._pool.submit(self._run, work)

    def _run(self, work: Work[T]) -> T:
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            return work(session)

    def shutdown(self) -> None:
        self._pool.shutdown()


class _GroupCommit:
    """One thread; what has queued up shares a transaction, each piece in a savepoint of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queue: SimpleQueue[tuple[Work[Any], Future[Any]] | None] = SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._loop, name="db-write", daemon=True)
        self._thread.start()

    def submit(self, work: Work[T], /) -> Future[T]:
        future: Future[T] = Future()
        if self._closed:
            raise RuntimeError("the database is closed")
        self._queue.put((work, future))
        return future

    def shutdown(self) -> None:
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    def _loop(self) -> None:
        while (item := self._queue.get()) is not None:
            batch = [item]
            while len(batch) < BATCH and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    self._queue.put(None)
                    break
                batch.append(following)
            self._commit(batch)

    def _commit(self, batch: list[tuple[Work[Any], Future[Any]]]) -> None:
        answers: list[Callable[[], None]] = []
        try:
            with (
                _turn(self._engine.url.database or ""),
                self._engine.connect().execution_options(**{WRITE: True}) as connection,
                connection.begin(),
            ):
                for work, future in batch:
                    answers.append(self._attempt(connection, work, future))
                    _check_still_open(connection)
        except BaseException as error:  # the commit itself failed: nobody may be told that it worked
            answers = [_failure(future, error) for _, future in batch]
        for answer in answers:
            answer()

    @staticmethod
    def _attempt(connection: Connection, work: Work[T], future: "Future[T]") -> Callable[[], None]:
        try:
            with (
                Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session,
                session.begin(),
            ):
                result = work(session)
        except Exception as error:
            return _failure(future, error)
        return lambda: None if future.cancelled() else future.set_result(result)


@contextmanager
def _turn(database: str) -> Iterator[None]:
    """Waits for the writes of other processes; the lock ends with the process that holds it."""
    with Path(f"{database}-turn").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _check_still_open(connection: Connection) -> None:
    """A full disk makes SQLite roll back everything, and committing nothing would then succeed."""
    if not getattr(connection.connection.dbapi_connection, "in_transaction", False):
        raise RuntimeError("SQLite undid the whole transaction; see the statement that failed before")


def _failure(future: "Future[Any]", error: BaseException) -> Callable[[], None]:
    return lambda: None if future.cancelled() else future.set_exception(error)


class Database:
    """Reads and writes as functions of a session; a write's result is handed over after its commit."""

    def __init__(self, url: str | URL) -> None:
        self.engine = open_engine(url)
        sqlite = self.engine.dialect.name == "sqlite"
        self._writer: Writer = _GroupCommit(self.engine) if sqlite else _TransactionEach(self.engine)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="db-read")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reads in the caller's own thread."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    def writing(self, work: Work[T]) -> T:
        """Runs `work` in a transaction and returns its result after the commit; blocks."""
        return self._writer.submit(work).result()

    async def read(self, work: Work[T]) -> T:
        """Runs `work` in a reader thread."""
        return await asyncio.wrap_future(self._readers.submit(self._read, work))

    async def write(self, work: Work[T]) -> T:
        """Runs `work` in a transaction and returns its result after the commit.

        A caller that is cancelled meanwhile does not undo the write.
        """
        return await asyncio.shield(asyncio.wrap_future(self._writer.submit(work)))

    def _read(self, work: Work[T]) -> T:
        with self.reading() as session:
            return work(session)

    def empty_wal(self) -> None:
        """Empties SQLite's write-ahead log, in which what was overwritten stays readable until it is used again.

        Gives up after a second in which others read or write.
        """
        if self.engine.dialect.name == "sqlite":
            with closing(sqlite3.connect(self.engine.url.database or "", timeout=1)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        self._writer.shutdown()
        self._readers.shutdown()
        self.engine.dispose()
