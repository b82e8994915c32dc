"""Background work without a broker: every process looks, one claims by a conditional UPDATE and works.

A worker that dies leaves its claim to run out; a task that fails is tried again at the next look.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import structlog
from sqlalchemy import CursorResult, update
from sqlmodel import Field, Session, col

from arena.clock import now
from arena.db import Database, Row, add_unless_there

log = structlog.get_logger()

LOOK_EVERY_S = 0.5
CLAIM = timedelta(seconds=60)
_FREE = datetime(2000, 1, 1, tzinfo=UTC)


class Job(Row, table=True):
    """A task's claim: whoever moved `held_until` ahead works."""

    name: str = Field(primary_key=True, max_length=64)
    held_until: datetime


@dataclass(frozen=True, slots=True)
class Task:
    """`wanted` looks cheaply, so often, whether there is work at this moment; `run` does it and may be run twice.

    For as long as `claim` nobody else works on it, even if the process that does has died.
    """

    name: str
    wanted: Callable[[Session, datetime], bool]
    run: Callable[[Database], Awaitable[None]]
    every_s: float = LOOK_EVERY_S
    claim: timedelta = CLAIM


def claim(session: Session, name: str, at: datetime, length: timedelta = CLAIM) -> datetime | None:
    """Takes a task for a while: until when, for one caller only; None for the others."""
    if session.get(Job, name) is None:
        add_unless_there(session, Job(name=name, held_until=_FREE))
    until = at + length
    return until if _hold(session, name, until, col(Job.held_until) < at) else None


def release(session: Session, name: str, until: datetime) -> bool:
    """Gives a claim back, unless it ran out and somebody else holds the task now."""
    return _hold(session, name, _FREE, col(Job.held_until) == until)


def _hold(session: Session, name: str, until: datetime, condition: Any) -> bool:
    statement = update(Job).where(col(Job.name) == name, condition).values(held_until=until)
    done = session.execute(statement.execution_options(synchronize_session=False))
    return cast(CursorResult[Any], done).rowcount == 1


async def work(db: Database, tasks: Sequence[Task]) -> None:
    """Looks after the tasks, of which none waits for another, until it is cancelled."""
    await asyncio.gather(*(_look_after(db, task) for task in tasks))


async def _look_after(db: Database, task: Task) -> None:
    while True:
        try:
            await _look(db, task)
        except Exception:
            log.exception("task_failed", task=task.name)
        await asyncio.sleep(task.every_s)


async def _look(db: Database, task: Task) -> None:
    if not await db.read(lambda session: task.wanted(session, now())):
        return
    until = await db.write(lambda session: claim(session, task.name, now(), task.claim))
    if until is None:
        return
    try:
        await task.run(db)
    finally:
        await db.write(lambda session: release(session, task.name, until))
