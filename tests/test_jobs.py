"""Background work: one claims and works, a dead worker's claim runs out, a failed task is tried again."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from arena.clock import now
from arena.db import Database
from arena.jobs import CLAIM, Task, claim, release, work
from tests.data import in_parallel
from tests.support import eventually

AT = now()


def claims(db: Database, at: datetime = AT, name: str = "ratings") -> bool:
    return held(db, at, name) is not None


def held(db: Database, at: datetime = AT, name: str = "ratings") -> datetime | None:
    """Until when the claim holds, for whoever got it."""
    return db.writing(lambda session: claim(session, name, at))


def always(_session: Session, _at: datetime) -> bool:
    return True


def test_one_of_many_parallel_claims_wins(database_url: str) -> None:
    workers = [Database(database_url) for _ in range(4)]
    for at in (AT, AT + 2 * CLAIM):
        won = in_parallel([partial(claims, worker, at) for worker in workers for _ in range(4)])
        assert sorted(won, key=str) == [False] * 15 + [True]
    for worker in workers:
        worker.close()


def test_a_claim_is_kept_until_it_is_released(db: Database) -> None:
    until = held(db)
    assert until is not None
    assert not claims(db, AT + CLAIM / 2)
    assert db.writing(lambda session: release(session, "ratings", until))
    assert claims(db, AT + CLAIM / 2)


def test_a_claim_that_ran_out_is_not_given_back_for_the_next_holder(db: Database) -> None:
    until = held(db)
    assert until is not None
    assert claims(db, AT + 2 * CLAIM)
    assert not db.writing(lambda session: release(session, "ratings", until))
    assert not claims(db, AT + 2.5 * CLAIM)


def test_the_claim_of_a_worker_that_died_runs_out(db: Database) -> None:
    assert claims(db)
    assert not claims(db, AT + CLAIM - timedelta(seconds=1))
    assert claims(db, AT + CLAIM + timedelta(seconds=1))


def test_tasks_are_claimed_one_by_one(db: Database) -> None:
    assert claims(db, name="ratings")
    assert claims(db, name="schedule")


def run_until(db: Database, tasks: Callable[[asyncio.Event], list[Task]]) -> None:
    """Runs a worker until its tasks have set the event."""

    async def main() -> None:
        done = asyncio.Event()
        worker = asyncio.create_task(work(db, tasks(done)))
        async with asyncio.timeout(10):
            await done.wait()
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker

    asyncio.run(main())


def test_a_task_that_fails_is_tried_again_and_holds_up_no_other(db: Database) -> None:
    log: list[str] = []

    def tasks(done: asyncio.Event) -> list[Task]:
        async def stumbling(_db: Database) -> None:
            log.append("stumbling")
            if log.count("stumbling") == 1:
                raise LookupError("the first time")
            done.set()

        async def steady(_db: Database) -> None:
            log.append("steady")

        return [Task("stumbling", always, stumbling), Task("steady", always, steady)]

    run_until(db, tasks)
    assert log.count("stumbling") == 2
    assert "steady" in log
    assert eventually(lambda: claims(db, now(), "stumbling"))


def test_a_task_without_work_is_not_run_and_one_that_another_holds_is_left_to_it(db: Database) -> None:
    assert claims(db, now(), "held")
    log: list[str] = []

    def writes(word: str) -> Callable[[Database], Awaitable[None]]:
        async def run(_db: Database) -> None:
            log.append(word)

        return run

    def tasks(done: asyncio.Event) -> list[Task]:
        async def last(_db: Database) -> None:
            done.set()

        def nothing(_session: Session, _at: datetime) -> bool:
            return False

        return [
            Task("idle", nothing, writes("idle")),
            Task("held", always, writes("held")),
            Task("last", always, last),
        ]

    run_until(db, tasks)
    assert log == []


def test_a_worker_that_is_told_to_stop_gives_its_claim_back(db: Database) -> None:
    def tasks(done: asyncio.Event) -> list[Task]:
        async def endless(_db: Database) -> None:
            done.set()
            await asyncio.Event().wait()

        return [Task("endless", always, endless)]

    run_until(db, tasks)
    assert eventually(lambda: claims(db, now(), "endless"))
