"""How an admin gets in: what is written when a sign-in succeeds, waits or is refused."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlmodel import Session

from arena.accounts.actions import end_session, start_session
from arena.accounts.attempts import seconds_to_wait
from arena.accounts.known import Browser, Known
from arena.accounts.queries import code_of
from arena.accounts.tables import Admin
from arena.accounts.trail import record

UNKNOWN = "unknown"
"""Who is not signed in, in the trail."""

Way = Literal["password", "second_factor", "oidc"]


@dataclass(frozen=True, slots=True)
class Entered:
    """A full session that began: its token, and as whose its browser is known from now on."""

    token: str
    known: Known


def needs_code(admin: Admin, *, asked_of_all: bool) -> bool:
    """Whether a second factor has to be shown after the password; without one yet it has to be set up first."""
    return asked_of_all or admin.totp_secret is not None


def let_in(session: Session, admin: Admin, way: Way, browser: Browser, now: datetime) -> Entered:
    """Begins a full session, whose token is new, and puts it on the trail."""
    end_session(session, browser.token)
    code, number = code_of(admin), admin.id or 0
    act = record(session, code, "auth.sign_in", code, "done", now, detail={"way": way})
    token = start_session(session, number, now, browser=browser.name)
    session.flush()
    return Entered(token, Known(number, act.id or 0, act.id or 0))


def let_wait(session: Session, admin: Admin, browser: Browser, now: datetime) -> str:
    """Begins a session that waits for the second factor; returns its token."""
    end_session(session, browser.token)
    return start_session(session, admin.id or 0, now, full=False, browser=browser.name)


def note_limit(session: Session, email: str | None, admin: Admin | None, browser: Browser, now: datetime) -> None:
    """After a failure: puts on the trail that from now on attempts are refused, if they are."""
    wait_s = seconds_to_wait(session, email, browser, now)
    if wait_s:
        subject = code_of(admin) if admin else UNKNOWN
        record(session, UNKNOWN, "auth.limit", subject, "refused", now, why="attempts", detail={"seconds": wait_s})
