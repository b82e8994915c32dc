"""How an admin gets in: what is written when a sign-in succeeds, waits or is refused."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlmodel import Session

from arena.accounts.actions import end_session, start_session
from arena.accounts.attempts import seconds_to_wait
from arena.accounts.queries import code_of
from arena.accounts.tables import Admin
from arena.accounts.trail import record

UNKNOWN = "unknown"
"""Who is not signed in, in the trail."""

Way = Literal["password", "second_factor", "oidc"]


@dataclass(frozen=True, slots=True)
class Browser:
    """Where somebody signs in: `token` is that of the session which the browser held until now."""

    token: str
    name: str
    address: str


def needs_code(admin: Admin, *, asked_of_all: bool) -> bool:
    """Whether a second factor has to be shown after the password; without one yet it has to be set up first."""
    return asked_of_all or admin.totp_secret is not None


def let_in(session: Session, admin: Admin, way: Way, browser: Browser, now: datetime, **detail: object) -> str:
    """Begins a full session and puts it on the trail; returns its token, which is new."""
    end_session(session, browser.token)
    code = code_of(admin)
    record(session, code, "auth.sign_in", code, "done", now, detail={"way": way, **detail})
    return start_session(session, admin.id or 0, now, browser=browser.name)


def let_wait(session: Session, admin: Admin, browser: Browser, now: datetime) -> str:
    """Begins a session that waits for the second factor; returns its token."""
    end_session(session, browser.token)
    return start_session(session, admin.id or 0, now, full=False, browser=browser.name)


def note_limit(session: Session, email: str, admin: Admin | None, address: str, now: datetime) -> None:
    """After a failure: puts on the trail that from now on attempts are refused, if they are."""
    wait_s = seconds_to_wait(session, email, address, now)
    if wait_s:
        subject = code_of(admin) if admin else UNKNOWN
        record(session, UNKNOWN, "auth.limit", subject, "refused", now, why="attempts", detail={"seconds": wait_s})
