"""The office's trail: who did what, and what was refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Literal

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from arena.accounts.tables import Act
from arena.clock import now
from arena.db import Database
from arena.errors import ArenaError, RefusedError

COMMAND_LINE, SCHEDULE = "command line", "schedule"
_STAYS = "what was written stays"


def record(
    session: Session,
    who: str,
    what: str,
    subject: str,
    outcome: Literal["done", "refused"],
    at: datetime,
    *,
    why: str = "",
    detail: dict[str, object],
) -> Act:
    """Notes an act; `detail` must hold no secret."""
    act = Act(at=at, who=who, what=what, subject=subject, outcome=outcome, why=why, detail=detail)
    session.add(act)
    return act


@contextmanager
def on_record(db: Database, who: str, what: str, subject: str, **detail: object) -> Iterator[dict[str, object]]:
    """Notes that the block was done or refused, in a transaction of its own; what was raised goes on.

    The block may add to the detail that it gets. A change that the database itself refuses, as what was written
    stays, is raised as a RefusedError.
    """
    try:
        yield detail
    except (ArenaError, RefusedError, IntegrityError) as error:
        refusal = _refusal(error, subject)
        why = refusal.code if isinstance(refusal, ArenaError) else str(refusal)
        db.writing(lambda s: record(s, who, what, subject, "refused", now(), why=why, detail=detail))
        raise refusal from None
    db.writing(lambda s: record(s, who, what, subject, "done", now(), detail=detail))


@contextmanager
def refusals_on_record(db: Database, who: str, what: str, subject: str, **detail: object) -> Iterator[None]:
    """Notes that the block was refused; a block that is done notes that itself, in its own transaction."""
    try:
        yield
    except ArenaError as error:
        why = error.code
        db.writing(lambda s: record(s, who, what, subject, "refused", now(), why=why, detail=detail))
        raise


def _refusal(error: ArenaError | RefusedError | IntegrityError, subject: str) -> ArenaError | RefusedError:
    if not isinstance(error, IntegrityError):
        return error
    table, stays, _ = str(error.orig).partition(f": {_STAYS}")
    if not stays:
        raise error
    return RefusedError(f"{subject}: this is fixed since the round was opened ({table}: {_STAYS})")


def acts_on(session: Session, subject: str, *, limit: int) -> list[Act]:
    """The newest acts on a subject, the newest first."""
    found = select(Act).where(Act.subject == subject).order_by(col(Act.id).desc())
    return list(session.exec(found.limit(limit)))
